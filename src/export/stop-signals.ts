/** When a run has to stop: draining first, and publishing a little later, so that what was read is not lost. */
import { DeadlineReached, Interrupted, type StopReason } from '../shared/abort.ts';

/** Publishing goes on this long after the first signal; the program ends within 20 s of it. */
const publishAfterStopMs = 15_000;

/** This share of the deadline, and at most a quarter of an hour, is kept for publishing what was drained. */
const publishShare = 0.2;
const publishReserveMs = 15 * 60_000;

/**
 * After the deadline the ledger has this long to be closed: it has to name what was published, and a store that never
 * answers must not hold the run. A store that works needs a second or two.
 */
export const closeAfterDeadlineMs = 30_000;

export interface StopSignals {
  /** Aborted with Interrupted or DeadlineReached: no new drains, and those under way end. */
  readonly draining: AbortSignal;
  /** Aborted for one of the same two reasons: no new parts, and those under way end unpublished where they still can. */
  readonly publishing: AbortSignal;
  /** Aborted with DeadlineReached: what the ledger does not hold yet stays unwritten. */
  readonly closing: AbortSignal;
  /** Why draining was ended; null if it was not. An interruption outweighs the deadline. */
  stopReason(): StopReason | null;
  dispose(): void;
}

/** @param stopping aborted by the first signal; @param deadlineMs the whole run's, from now */
export function createStopSignals(stopping: AbortSignal, deadlineMs: number): StopSignals {
  const draining = new AbortController();
  const publishing = new AbortController();
  const closing = new AbortController();
  const timers = new Set<NodeJS.Timeout>();
  let deadlinePassed = false;

  const after = (ms: number, act: () => void) => {
    // Longer delays than 2^31 - 1 ms fire at once in Node: https://nodejs.org/api/timers.html#settimeoutcallback-delay-args
    const timer = setTimeout(act, Math.min(ms, 2 ** 31 - 1));
    timer.unref();
    timers.add(timer);
  };
  const onStop = () => {
    draining.abort(new Interrupted());
    after(publishAfterStopMs, () => publishing.abort(new Interrupted()));
  };
  if (stopping.aborted) onStop();
  else stopping.addEventListener('abort', onStop, { once: true });

  after(deadlineMs - Math.min(deadlineMs * publishShare, publishReserveMs), () => {
    deadlinePassed = true;
    draining.abort(new DeadlineReached());
  });
  after(deadlineMs, () => publishing.abort(new DeadlineReached()));
  after(deadlineMs + closeAfterDeadlineMs, () => closing.abort(new DeadlineReached()));

  return {
    draining: draining.signal,
    publishing: publishing.signal,
    closing: closing.signal,
    stopReason: () => (stopping.aborted ? 'interrupted' : deadlinePassed ? 'deadline' : null),
    dispose() {
      stopping.removeEventListener('abort', onStop);
      for (const timer of timers) clearTimeout(timer);
    },
  };
}

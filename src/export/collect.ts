/** Every planned drain of a run, a number of them at once. */
import type { Drained, Planned } from '../ledger/planned.ts';
import { createSource } from '../source/backup.ts';
import { type ConcurrencySummary, openConcurrency } from '../source/concurrency.ts';
import { isEmptyWindow } from '../source/window.ts';
import { collectTarget, type Destination } from './collect-target.ts';
import { DrainQueue } from './drain-queue.ts';
import type { Run } from './open-run.ts';

export interface Collected {
  readonly drained: ReadonlyMap<Planned, Drained>;
  readonly concurrency: ConcurrencySummary;
}

/**
 * Resolves with what came of each planned drain. A drain is missing if it was not begun any more, or if there was
 * nothing to ask for. Rejects only when scratch cannot be written, after it has ended the other drains.
 */
export async function collect(run: Run, destination: Destination): Promise<Collected> {
  const { settings, planning, log } = run;
  const { progress } = run.io;
  const planned = planning.planned.filter(({ window }) => !isEmptyWindow(window));
  const broken = new AbortController();
  const signal = AbortSignal.any([run.stops.draining, broken.signal]);
  const concurrency = openConcurrency(settings.concurrency, { log });
  const source = createSource({
    aws: planning.aws,
    homeRegion: planning.homeRegion,
    concurrency,
    requestsPerSecond: settings.requestsPerSecond,
    targetTimeoutMs: settings.targetTimeoutMs,
    memoryDays: settings.memoryDays,
    recheckTime: planning.recheckTime,
    onThrottle: (target) => progress.throttled(target),
    log,
  });
  const queue = new DrainQueue(planned);
  const context = {
    ...destination,
    source,
    periods: settings.aggregationPeriods,
    runId: planning.runId,
    queue,
    progress,
    log,
    signal,
  };
  const drained = new Map<Planned, Drained>();
  const drainNext = async (): Promise<void> => {
    const next = signal.aborted ? undefined : queue.next();
    if (next === undefined) return;
    progress.drainBegan(next);
    try {
      const done = await collectTarget(next, context);
      const { status } = done.report;
      drained.set(next, done);
      progress.drained(next, status === 'OK');
      // A drain that the end of the run cut short says nothing about its region.
      const { region } = next.target;
      if (!signal.aborted && queue.ended(region, status)) {
        log.warn({ region }, 'this region does not answer: its other targets are read last');
      }
    } catch (error) {
      broken.abort(error);
      throw error;
    }
  };

  progress.drainStarted(planned);
  try {
    await Promise.allSettled(planned.map(() => concurrency.drains.runExclusive(drainNext)));
    if (broken.signal.aborted) throw broken.signal.reason;
    return { drained, concurrency: concurrency.summary() };
  } finally {
    source.close();
  }
}

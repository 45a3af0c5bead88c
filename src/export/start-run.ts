/**
 * How a run starts: with its keys, its deadline and its first requests. Until the responses come, the job loads the engine and
 * what else a run needs: both take some tenths of a second.
 */
import { type LocalKeys, readLocalKeys } from '../checkpoints/signing.ts';
import type { Settings } from '../config/settings.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { type FirstRequests, sendFirstRequests } from './first-requests.ts';
import { createStopSignals, type StopSignals } from './stop-signals.ts';

export interface StartedRun {
  /** `performance.now()` at the beginning. */
  readonly started: number;
  readonly stops: StopSignals;
  /** Rejects with a UsageError when a key or a proxy cannot be used. */
  readonly asked: Promise<FirstRequests & { readonly signing: LocalKeys }>;
  /**
   * Resolves when the first requests have been sent, or never will be. Whoever keeps this thread busy from then on delays
   * nothing but what waits for the responses. Never rejects.
   */
  readonly sent: Promise<void>;
}

/** `withOpenRun` (src/export/open-run.ts) ends what is started here. Throws nothing: a run that cannot begin is reported, too. */
export function startRun(settings: Settings, { log, progress, stopping }: JobIo): StartedRun {
  const started = performance.now();
  const stops = createStopSignals(stopping, settings.deadlineMs);
  const ask = async () => {
    const signing = readLocalKeys(settings);
    const asking = { log, progress, mode: 'write', draining: stops.draining } as const;
    return { ...sendFirstRequests(settings, asking), signing };
  };
  const asked = ask();
  const sent = asked.then(
    (requests) => requests.sent,
    () => undefined,
  );
  return { started, stops, asked, sent };
}

/**
 * How a run starts: with its keys, its deadline and its first request. Until the response comes, the job loads the engine and
 * what else a run needs: both take some tenths of a second.
 */
import { nextRequestsSent } from '../aws/requests-sent.ts';
import { type LocalKeys, readLocalKeys } from '../checkpoints/signing.ts';
import type { Settings } from '../config/settings.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { type AskedCaller, askCaller } from './ask-caller.ts';
import { createStopSignals, type StopSignals } from './stop-signals.ts';

export interface StartedRun {
  /** `performance.now()` at the beginning. */
  readonly started: number;
  readonly signing: LocalKeys;
  readonly stops: StopSignals;
  readonly asked: AskedCaller;
  /** Resolves when the first request has been sent: from then on, loading delays nothing. Never rejects. */
  readonly sent: Promise<void>;
}

/** `withOpenRun` (src/export/open-run.ts) ends what is started here. @throws UsageError when a key cannot be used */
export function startRun(settings: Settings, { log, progress, stopping }: JobIo): StartedRun {
  const started = performance.now();
  const signing = readLocalKeys(settings);
  const stops = createStopSignals(stopping, settings.deadlineMs);
  const asked = askCaller(settings, { log, progress, mode: 'write', draining: stops.draining });
  return { started, signing, stops, asked, sent: nextRequestsSent(asked.identified) };
}

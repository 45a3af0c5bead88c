/** The first request of a run, and of a plan: STS says who runs it, and what time it is. */
import type { Logger } from 'pino';
import { type Aws, createAws } from '../aws/aws.ts';
import { nextRequestSent } from '../aws/request-sent.ts';
import type { Settings } from '../config/settings.ts';
import { mostConcurrency } from '../config/typed-values.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { type IdentifiedCaller, identifyCaller } from '../targets/caller.ts';
import type { Progress } from '../telemetry/progress.ts';

export interface AskingIo {
  readonly log: Logger;
  /** Shows what the run waits for. */
  readonly progress: Pick<Progress, 'phase'>;
  /** `read` writes nothing. */
  readonly mode: 'write' | 'read';
  /** When it is aborted, no request begins, and those on their way are cancelled. See src/export/stop-signals.ts. */
  readonly draining: AbortSignal;
}

/** A caller whose name may still be on its way. */
export interface AskedCaller {
  /** Whoever takes the caller over closes it. */
  readonly aws: Aws;
  /** Rejects as `identifyCaller`, and with an UnavailableError when `draining` is aborted. */
  readonly identified: Promise<IdentifiedCaller>;
  /** Resolves when the request is on its way, or never will be. Never rejects. */
  readonly sent: Promise<void>;
}

/**
 * How long the requests are retried that a run needs before it can read. A proxy that restarts is back by then, and a
 * person who made a mistake has not gone away. Somebody waits for `plan`, so it gives up sooner.
 */
const retryForMs = { write: 20_000, read: 10_000 } as const;

export function askCaller(settings: Settings, { log, progress, mode, draining }: AskingIo): AskedCaller {
  const aws = createAws({
    endpointUrl: settings.endpointUrl,
    maxSockets: mostConcurrency(settings.concurrency),
    retryForMs: Math.min(settings.targetTimeoutMs, retryForMs[mode]),
    onRetry: ({ name, message }, waitMs) =>
      log.warn(
        { error_name: name, error: message, wait_ms: Math.round(waitMs) },
        'a request for the caller, the accounts or the regions failed: trying again',
      ),
  });
  progress.phase('waiting for credentials, and for AWS STS to say who runs this');
  const { promise: sent, resolve: isSent } = Promise.withResolvers<void>();
  const identified: Promise<IdentifiedCaller> = askUnlessStopped(
    draining,
    'AWS STS did not say who the caller is',
    () =>
      identifyCaller(aws, {
        signal: draining,
        // Credentials may need requests of their own: this is called after them.
        onSending: () => void nextRequestSent(identified).then(isSent),
      }),
  );
  // Whoever waits for it gets the error.
  identified.then(
    () => isSent(),
    () => isSent(),
  );
  return { aws, identified, sent };
}

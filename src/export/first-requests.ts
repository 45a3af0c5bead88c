/**
 * The first requests of a run, and of a plan: STS says who runs it, and what time it is. Beside that question, AWS is asked
 * which accounts and regions there are.
 */
import type { Logger } from 'pino';
import { type Aws, createAws } from '../aws/aws.ts';
import { nextRequestsSent } from '../aws/request-sent.ts';
import type { Settings } from '../config/settings.ts';
import { mostConcurrency } from '../config/typed-values.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { begunAtOnce } from '../shared/begun-at-once.ts';
import { type CallerAccess, type IdentifiedCaller, identifyCaller } from '../targets/caller.ts';
import { firstLists } from '../targets/organization.ts';
import { discoverTargets } from '../targets/targets.ts';
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

/** What was asked for, and may still be on its way. */
export interface FirstRequests {
  /** Whoever takes the requests over closes it. */
  readonly aws: Aws;
  /** Rejects as `identifyCaller`, and with an UnavailableError when `draining` is aborted. */
  readonly identified: Promise<IdentifiedCaller>;
  /** Every target of the run, once: see `discoverTargets`. Throws before the caller is identified. */
  targets(): ReturnType<typeof discoverTargets>;
  /** Resolves when all of them are on their way, or never will be. Never rejects. */
  readonly sent: Promise<void>;
  /** Cancels the search for targets. */
  cancel(): void;
}

/**
 * How long the requests are retried that a run needs before it can read. A proxy that restarts is back by then, and a
 * person who made a mistake has not gone away. Somebody waits for `plan`, so it gives up sooner.
 */
const retryForMs = { write: 20_000, read: 10_000 } as const;

export function sendFirstRequests(
  settings: Settings,
  { log, progress, mode, draining }: AskingIo,
): FirstRequests {
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
  const cancelled = new AbortController();
  const { promise: sent, resolve: isSent } = Promise.withResolvers<void>();
  let targets: ReturnType<typeof discoverTargets> | null = null;
  const discover = ({ credentials, region }: CallerAccess): void => {
    // Another attempt finds them begun.
    if (targets !== null) return;
    // Credentials may have needed requests of their own. From here on, there are only those that the run waits for.
    void nextRequestsSent(firstRequestCount(settings), identified).then(isSent);
    const caller = identified.then((one) => one.caller);
    // Whoever waits for it gets the error.
    caller.catch(() => undefined);
    targets = begunAtOnce(
      discoverTargets({
        ...settings,
        // One request after the other has to get through a proxy that restarts, not all of them at the same time.
        aws: { ...aws, retrying: (client, signal) => aws.retrying(client, signal, identified) },
        caller,
        credentials,
        homeRegion: region,
        signal: AbortSignal.any([draining, cancelled.signal]),
      }),
    );
  };
  const identified: Promise<IdentifiedCaller> = askUnlessStopped(
    draining,
    'AWS STS did not say who the caller is',
    () => identifyCaller(aws, { signal: draining, onSending: discover }),
  );
  // Whoever waits for it gets the error.
  identified.then(
    () => isSent(),
    () => isSent(),
  );
  return {
    aws,
    identified,
    targets: () => {
      if (targets === null) throw new Error('the caller is not identified yet');
      return targets;
    },
    sent,
    cancel: () => cancelled.abort(),
  };
}

/** How many requests leave at once: for the caller, the first accounts and the regions. */
function firstRequestCount({ accounts, organizationRoleArn, regions }: Settings): number {
  const lists = accounts.kind === 'all' ? 1 : accounts.kind === 'units' ? firstLists(accounts.unitIds) : 0;
  // Before the first list, one role is assumed for all.
  const forAccounts = organizationRoleArn === null ? lists : Math.min(1, lists);
  return 1 + forAccounts + (regions === 'enabled' ? 1 : 0);
}

/**
 * AWS Backup as a Source: what is shared by all drains of a run.
 */

import { BackupClient } from '@aws-sdk/client-backup';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import type { Aws } from '../aws/aws.ts';
import { type BodyMemory, createBodyMemory } from '../aws/body-memory.ts';
import type { ClockReading } from '../aws/clock.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { dayMs } from '../shared/time.ts';
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import { credentialsHold } from '../targets/caller.ts';
import type { Target } from '../targets/target.ts';
import { askCopyJobSummaries } from './ask.ts';
import { readChain } from './chain.ts';
import { readCopyJobs } from './copy-jobs.ts';
import { drain, type Round } from './drain.ts';
import { observer } from './observed.ts';
import type { RequestFailure } from './outcome.ts';
import { createPace } from './pace.ts';
import { type RequestTiming, requestPage } from './request.ts';
import type { DrainHandlers, DrainReport, Source } from './source.ts';

/** The least of what docs (500) and model (1000) say of ListCopyJobSummaries. */
const summariesPageSize = 500;

/** Chains of pages read at once for one target. */
const mostSideBySide = 4;

/** A target's retries are told at most this often; the others only at debug level. */
const retryWarningMs = 10_000;

export interface SourceOptions {
  readonly aws: Aws;
  /** The caller's own region: where STS is asked whether credentials still hold. `identifyCaller` says it. */
  readonly homeRegion: string;
  /** Targets read at once. How many pieces of one target are, is never more. */
  readonly concurrency: number;
  /** For each (account, region), both APIs and every retry counted; may be a fraction. */
  readonly requestsPerSecond: number;
  /** For one drain: table and target. Retries last until then. */
  readonly targetTimeoutMs: number;
  /** How long AWS may remember copy jobs. */
  readonly memoryDays: number;
  /** In [0, 1); for the jitter of waits. Default: Math.random. */
  readonly random?: () => number;
  readonly log: Logger;
  /** Asks others for the time where a page says another than `aws.clock`, which may be set by that. */
  readonly recheckTime?: (page: ClockReading) => Promise<void>;
  /** Default: 64 MiB for all pages together, 128 MiB for one. */
  readonly room?: BodyMemory;
  /** Told of every answer that said: too many requests. */
  readonly onThrottle?: (target: Target) => void;
  /** Defaults: 500 ms, 20 s, and the clients' request time-out or a quarter of the target's, whichever is less. */
  readonly timing?: Partial<RequestTiming>;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
}

/** Needs `backup:ListCopyJobs` and `backup:ListCopyJobSummaries` in every target. */
export function createSource(options: SourceOptions): Source {
  const { aws, homeRegion, targetTimeoutMs, random = Math.random, now = () => performance.now() } = options;
  const timing: RequestTiming = {
    firstDelayMs: 500,
    longestDelayMs: 20_000,
    requestTimeoutMs: Math.min(aws.requestTimeoutMs, targetTimeoutMs / 4),
    ...options.timing,
  };
  const slots = pLimit(aws.maxSockets);
  const room = options.room ?? createBodyMemory();
  const closed = new AbortController();
  const paces = createPaces(options.requestsPerSecond, closed.signal);

  const run = (
    target: Target,
    table: string,
    handlers: DrainHandlers,
    signal: AbortSignal,
    read: (round: Round) => Promise<void>,
  ): Promise<DrainReport> => {
    const log = options.log.child({ account_id: target.accountId, region: target.region, table });
    const retries = createRetryLog(log, now, () => options.onThrottle?.(target));
    const setup = {
      client: clientFor(aws, target),
      target,
      homeRegion,
      pace: paces(target),
      slots,
      room,
      timing,
      random,
      credentialsHold: credentialsHold.bind(null, aws, homeRegion),
      onRetry: retries.note,
      observed: observer({ clock: aws.clock, region: target.region, log, recheck: options.recheckTime }),
    };
    return drain(
      {
        log,
        handlers,
        signal,
        targetTimeoutMs,
        now,
        request: (ask, pageSignal, deliver) => requestPage(setup, ask, pageSignal, deliver),
        retries: retries.count,
      },
      read,
    );
  };

  return {
    drainCopyJobs: (target, window, handlers, signal) =>
      run(target, 'copy_jobs', handlers, signal, (round) =>
        readCopyJobs(round, {
          window,
          memoryMs: options.memoryDays * dayMs,
          sideBySide: Math.min(mostSideBySide, options.concurrency),
        }),
      ),
    drainCopyJobSummaries: (target, period, handlers, signal) =>
      run(target, 'copy_job_summaries', handlers, signal, (round) => readSummaries(round, target, period)),
    // The sockets belong to `aws`, and close with it.
    close: () => closed.abort(),
  };
}

async function readSummaries(round: Round, target: Target, period: AggregationPeriod): Promise<void> {
  // What an omitted filter means is not documented; AGGREGATE_ALL would give sums to be counted twice.
  const input = {
    MaxResults: summariesPageSize,
    AccountId: target.accountId,
    State: 'ANY',
    ResourceType: 'ANY',
    MessageCategory: 'ANY',
    AggregationPeriod: period,
  } as const;
  const chain = {
    ask: (token: string | null) => askCopyJobSummaries(input, token),
    keep: () => true,
  };
  await readChain(round, chain, round.signal);
}

/** One client a drain: thousands of targets would otherwise keep thousands of clients. Sockets are shared all the same. */
function clientFor(aws: Aws, target: Target): BackupClient {
  const credentials = Object.assign(() => target.credentials(), { memoized: true });
  const client = new BackupClient({
    ...aws.clientDefaults(target.region, credentials),
    maxAttempts: 1,
    retryMode: 'standard',
  });
  return signedBy(aws.clock, client);
}

/** One pace for each (account, region), for as long as the source lives: until the signal is aborted. */
function createPaces(
  requestsPerSecond: number,
  signal: AbortSignal,
): (target: Target) => () => Promise<void> {
  const limit = Math.max(1, Math.floor(requestsPerSecond));
  const intervalMs = (limit * 1000) / requestsPerSecond;
  const paces = new Map<string, () => Promise<void>>();
  return ({ accountId, region }) => {
    const key = `${accountId} ${region}`;
    const known = paces.get(key);
    if (known !== undefined) return known;
    const pace = createPace({ limit, intervalMs, signal });
    paces.set(key, pace);
    return pace;
  };
}

function createRetryLog(log: Logger, now: () => number, onThrottle: () => void) {
  let retries = 0;
  let toldAt = Number.NEGATIVE_INFINITY;
  return {
    count: () => retries,
    note: (failure: RequestFailure, waitMs: number) => {
      retries += 1;
      if (failure.kind === 'throttled') onThrottle();
      const loud = now() - toldAt >= retryWarningMs;
      if (loud) toldAt = now();
      const fields = {
        error_name: failure.name,
        error: failure.message,
        wait_ms: Math.round(waitMs),
        retries,
      };
      log[loud ? 'warn' : 'debug'](fields, 'asking again');
    },
  };
}

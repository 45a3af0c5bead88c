/**
 * AWS Backup as a Source, and what all drains of a run share.
 */

import type { Logger } from 'pino';
import type { Aws } from '../aws/aws.ts';
import { type BodyMemory, createBodyMemory } from '../aws/body-memory.ts';
import type { ClockReading } from '../aws/clock.ts';
import { dayMs } from '../shared/time.ts';
import type { DrainedTable } from '../tables/table.ts';
import { credentialsHold } from '../targets/caller.ts';
import type { Target } from '../targets/target.ts';
import { type Concurrency, fixedConcurrency } from './concurrency.ts';
import { type DrainSetup, PagedDrain, type ReadPass } from './drain.ts';
import { readCopyJobSummaries } from './list-copy-job-summaries.ts';
import { readCopyJobs } from './list-copy-jobs.ts';
import { observer } from './observed.ts';
import type { RequestFailure } from './outcome.ts';
import type { ScanJobs } from './page.ts';
import { createRateLimits } from './rate-limit.ts';
import { RegionClients } from './region-clients.ts';
import { type RequestTiming, requestPage } from './request.ts';
import type { Drain, Source } from './source.ts';
import { createTargetPaces } from './target-pace.ts';

/** Lists read at once for one target: pieces of its window, or children of its parents. */
const mostListsAtOnce = 4;

/** A target's retries are logged as warnings at most this often; the others at debug level. */
const retryWarningMs = 10_000;

export interface SourceOptions {
  readonly aws: Aws;
  /** The caller's own region, from `identifyCaller`. STS says there whether credentials still hold. */
  readonly homeRegion: string;
  /** Bounds the requests at once. No target is read in more pieces than that at once. Default: one for each socket. */
  readonly concurrency?: Concurrency;
  /** For each (account, region). Both APIs and every retry count. May be a fraction. */
  readonly requestsPerSecond: number;
  /** For the requests of one drain, that is, one table of one target; see ReadingTime. Retries end with it. */
  readonly targetTimeoutMs: number;
  /** How many days AWS keeps a copy job. */
  readonly memoryDays: number;
  /** In [0, 1), for the jitter of waits. Default: Math.random. */
  readonly random?: () => number;
  readonly log: Logger;
  /** Asks other witnesses for the time if a page disagrees with `aws.clock`. May correct that clock. */
  readonly recheckTime?: (page: ClockReading) => Promise<void>;
  /** Default: 64 MiB for all pages together, 128 MiB for one. */
  readonly memory?: BodyMemory;
  /** Default: in this thread. */
  readonly scanJobs?: ScanJobs;
  /** Called for every response that says: too many requests. */
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
  const { concurrency = fixedConcurrency(aws.maxSockets) } = options;
  const memory = options.memory ?? createBodyMemory();
  const closed = new AbortController();
  const rateLimits = createRateLimits(options.requestsPerSecond, closed.signal);
  const clients = new RegionClients(aws);
  const paces = createTargetPaces(options.requestsPerSecond, now);

  const open = (target: Target, table: DrainedTable, signal: AbortSignal, readPass: ReadPass): Drain => {
    const log = options.log.child({ account_id: target.accountId, region: target.region, table });
    const retries = createRetryLog(log, now, () => options.onThrottle?.(target));
    const setup = {
      client: clients.of(target.region),
      target,
      homeRegion,
      rateLimit: rateLimits(target),
      concurrency,
      pace: paces(target),
      memory,
      timing,
      random,
      credentialsHold: credentialsHold.bind(null, aws, homeRegion),
      onRetry: retries.note,
      scanJobs: options.scanJobs,
      observed: observer({ clock: aws.clock, region: target.region, log, recheck: options.recheckTime }),
    };
    const request: DrainSetup['request'] = requestPage.bind(null, setup);
    return new PagedDrain({ log, signal, targetTimeoutMs, now, request, retries: retries.count }, readPass);
  };

  return {
    copyJobs: (target, window, signal, ends) =>
      open(target, 'copy_jobs', signal, (request, stop) =>
        readCopyJobs(
          request,
          {
            window,
            ...(ends === undefined ? {} : { ends }),
            memoryMs: options.memoryDays * dayMs,
            listsAtOnce: Math.min(mostListsAtOnce, concurrency.now()),
          },
          stop,
        ),
      ),
    copyJobSummaries: (target, period, signal) =>
      open(target, 'copy_job_summaries', signal, (request, stop) =>
        readCopyJobSummaries(request, target.accountId, period, stop),
      ),
    // The sockets belong to `aws`, which closes them.
    close: () => closed.abort(),
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

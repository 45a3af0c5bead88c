import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import type { ListedRecords } from '../tables/listed-record.ts';
import type { Target } from '../targets/target.ts';

/** A half-open window `[from, to)` of creation time, in milliseconds since the epoch; null: no lower bound. */
export interface Window {
  readonly from: number | null;
  readonly to: number;
}

/** Asks for jobs that were created before the window, and have ended lately. */
export interface EndsAsked {
  /** In milliseconds since the epoch. */
  readonly since: number;
  /** Called for each job that was created before the window, ended or not. */
  readonly onEarlier: (copyJobId: string) => void;
}

/** One page of a list of AWS Backup. */
export interface Page {
  /**
   * The records as on the wire. They are in memory until the page drops them, or the next page is asked for. Read later, this
   * throws a TypeError.
   */
  readonly records: ListedRecords;
  /** Frees the memory of the records before the next page is asked for. */
  drop(): void;
  /** AWS's time of the response (its `Date` header), in milliseconds since the epoch. */
  readonly observedAt: number;
  readonly requestId: string | null;
  /** True if the body was not UTF-8: each byte sequence that was not stands in the records as U+FFFD. */
  readonly repaired: boolean;
  /** Whether AWS says that another page follows. */
  readonly more: boolean;
  /**
   * 1 on the first way through the list. When a page token expires, the drain starts again at the first page, and its
   * pages count one more: those of earlier passes will come again.
   */
  readonly pass: number;
}

/** How a drain ended. OK: every page was read. `records` says whether there was anything in them. */
export type DrainStatus =
  | 'OK'
  | 'ACCESS_DENIED'
  | 'ASSUME_ROLE_FAILED'
  | 'REGION_DISABLED'
  | 'THROTTLED'
  | 'TIMED_OUT'
  | 'UNREACHABLE'
  | 'INTERRUPTED'
  | 'FAILED';

export interface DrainReport {
  readonly status: DrainStatus;
  readonly pages: number;
  /** Records in those pages, those of repeated pages and earlier passes included. */
  readonly records: number;
  /** Requests sent again, whatever the reason. */
  readonly retries: number;
  readonly firstRequestId: string | null;
  readonly lastRequestId: string | null;
  readonly durationMs: number;
  readonly errorName: string | null;
  readonly errorMessage: string | null;
}

/**
 * One drain: `for await (const page of drain) { … }`, then `drain.report()`.
 *
 * The first turn of the loop starts the drain. The next page of a list is asked for when the loop asks for it, so a slow
 * loop slows the requests down. Leaving the loop early, by `break` or an error, stops every request of the drain.
 * The loop never throws for what AWS answers: the report says how the drain ended.
 */
export interface Drain extends AsyncIterable<Page> {
  /** Exactly one for each drain, once its loop has ended. @throws TypeError before that */
  report(): DrainReport;
}

/** AWS Backup, read only. */
export interface Source {
  /**
   * All copy jobs of a target created in the window, including children that AWS lists only under their parents. With
   * `ends`, also earlier ones that have ended since, and parents that changed with them.
   */
  copyJobs(target: Target, window: Window, signal: AbortSignal, ends?: EndsAsked): Drain;
  copyJobSummaries(target: Target, period: AggregationPeriod, signal: AbortSignal): Drain;
  close(): void;
}

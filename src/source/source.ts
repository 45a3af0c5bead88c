import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import type { Target } from '../targets/target.ts';

/** A half-open window `[from, to)` of creation time, in milliseconds since the epoch; null: no lower bound. */
export interface Window {
  readonly from: number | null;
  readonly to: number;
}

/** One page as AWS sent it. */
export interface SourcePage {
  /** The records as on the wire: parsed JSON, times in epoch seconds; integers beyond 2^53 − 1 as UnsafeInteger. */
  readonly records: readonly unknown[];
  /** AWS's time of the answer (its `Date` header), in milliseconds since the epoch. */
  readonly observedAt: number;
  readonly requestId: string | null;
  /** Whether the body was not UTF-8, so that U+FFFD stands in the records where it was not. */
  readonly repaired: boolean;
  /** Whether AWS said that another page follows. */
  readonly more: boolean;
}

/** How a drain ended. OK says that every page was read; whether it was empty, `records` tells. */
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
  /** Records handed to `onPage`, those of repeated or restarted pages included. */
  readonly records: number;
  /** Requests sent again, whatever the reason. */
  readonly retries: number;
  readonly firstRequestId: string | null;
  readonly lastRequestId: string | null;
  readonly durationMs: number;
  readonly errorName: string | null;
  readonly errorMessage: string | null;
}

export interface DrainHandlers {
  /** Awaited before the next page is asked for: this is the back-pressure. A rejection ends the drain and is rethrown. */
  readonly onPage: (page: SourcePage) => Promise<void>;
  /** The drain starts again from its first page: what a caller has set aside of it is void. */
  readonly onRestart: () => void;
}

/** AWS Backup, read only. No method rejects for what AWS answers: every outcome is a report. */
export interface Source {
  /** All copy jobs of a target created in the window, children of parents whose children are not listed included. */
  drainCopyJobs(
    target: Target,
    window: Window,
    handlers: DrainHandlers,
    signal: AbortSignal,
  ): Promise<DrainReport>;
  drainCopyJobSummaries(
    target: Target,
    period: AggregationPeriod,
    handlers: DrainHandlers,
    signal: AbortSignal,
  ): Promise<DrainReport>;
  close(): void;
}

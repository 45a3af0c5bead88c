/** The reports of `export` and `plan`: printed as text, or as JSON with `--output json`. */

import type { CoverageStatus } from '../ledger/coverage.ts';
import type { TableTotals, UnknownFields } from '../ledger/totals.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import type { ConcurrencySummary } from '../source/concurrency.ts';
import type { DrainStatus } from '../source/source.ts';
import type { DrainedTable } from '../tables/table.ts';

export interface TargetFailure {
  readonly account_id: string;
  /** In the organization, if known. */
  readonly account_name: string | null;
  readonly region: string;
  readonly table: DrainedTable;
  readonly status: CoverageStatus;
  readonly error: string;
  /** What a person can do. */
  readonly advice: string;
  /** A retry cannot fix it, whatever the run's exit code is. */
  readonly needs_person: boolean;
  /** How far earlier runs read it without a gap, ISO 8601; null: they never did. */
  readonly read_through: string | null;
  /** When AWS deletes the first of what is unread, ISO 8601; in the past: it does already. Null: it was never read. */
  readonly first_loss_at: string | null;
}

/** What AWS deleted before a run read it. Nothing can bring it back. */
export interface LostInterval {
  readonly account_id: string;
  readonly account_name: string | null;
  readonly region: string;
  readonly table: DrainedTable;
  /** ISO 8601; `lost_to` is not included. */
  readonly lost_from: string;
  readonly lost_to: string;
}

/** AWS's own daily counts against the lake: all accounts, regions and complete days that this run compared. */
export interface ReconciliationSummary {
  readonly days: number;
  /** Accounts, regions and days with jobs: compared, and those of them that differ. */
  readonly compared: number;
  readonly differing: number;
  readonly aws_jobs: number;
  readonly lake_jobs: number;
  /** Jobs that AWS counts and the lake lacks, and rows of the lake that AWS does not count. */
  readonly missing_jobs: number;
  readonly surplus_jobs: number;
  /**
   * Accounts, regions and days with missing jobs that the next run reads again, with `--since auto` and within a day. Null: not
   * known, because the watermarks could not be written.
   */
  readonly read_again: number | null;
  /** Both together, as a share of AWS's jobs; 0 to 1, or more. */
  readonly difference: number;
  /** Accounts, regions and days whose counts are of another time than a UTC day, or were not given again. */
  readonly not_comparable: number;
  /** Days whose parts could not be read. */
  readonly unreadable_days: readonly string[];
}

export interface RunSummary {
  readonly run_id: string;
  readonly lake: string;
  /** ISO 8601, UTC. */
  readonly as_of: string;
  readonly duration_ms: number;
  readonly targets: number;
  /** Planned (table, target) pairs by their status. */
  readonly coverage: Readonly<Partial<Record<CoverageStatus, number>>>;
  readonly tables: Readonly<Partial<Record<DrainedTable, TableTotals>>>;
  /** What was read from AWS Backup: pages, the rows in them, and requests that were sent again. */
  readonly reading: { readonly pages: number; readonly rows: number; readonly retries: number };
  /**
   * Targets that were read at once: what `--concurrency` says, the mean over the time of reading, the highest, and the
   * last. The same number four times if it was fixed.
   */
  readonly concurrency: ConcurrencySummary;
  /** Fields that AWS sent and no column holds; they are not in the lake. */
  readonly unknown_fields: UnknownFields;
  /** Records whose rows have U+FFFD in place of text that Parquet cannot hold; the original records are kept. */
  readonly altered_records: number;
  /** Jobs that AWS now lists with another creation date; their rows keep the first one. */
  readonly moved_jobs: number;
  /** Keys in the partitions this run touched that are not parts of the lake; folders end in `/`. */
  readonly foreign_objects: readonly string[];
  /** What AWS deleted since earlier runs read a target, before this run could; longest first. */
  readonly lost_intervals: readonly LostInterval[];
  /** How AWS's own daily counts compare with the lake; null: nothing was compared. */
  readonly reconciliation: ReconciliationSummary | null;
  /**
   * Hours from as-of until AWS deletes the first record of any planned target that no run has read yet, if no other run
   * comes; negative: it has begun. 0 also stands for a target that was never read. Null: nothing was planned.
   */
  readonly hours_to_data_loss: number | null;
  /** Most severe first; JSON has all, text prints ten. */
  readonly failures: readonly TargetFailure[];
  /**
   * Milliseconds until the first targets were known, and spent on draining, publishing and closing the ledger. Draining
   * goes on while further targets are found and batches are published.
   */
  readonly phases_ms: Readonly<Record<'discover' | 'drain' | 'publish' | 'ledger', number>>;
  /**
   * Why the run's ledger could not be closed, and its effect: the run shows as unfinished, or the next run reads more.
   * What this summary counts was published in either case.
   */
  readonly ledger_error: string | null;
  /** The checkpoint that this run wrote; null: it wrote none. */
  readonly checkpoint: CheckpointSummary | null;
  /** Why there is none although nothing went wrong: its checkpoints are signed, and the run had no key. Null: there is one. */
  readonly checkpoint_skipped: string | null;
  /** Why there is no checkpoint, or no signed one; null if nothing went wrong. What the run published stays. */
  readonly checkpoint_error: string | null;
  /** Why the checkpoint could not be copied to the witness; null: it was, or there is no witness. */
  readonly witness_error: string | null;
  readonly exit_code: ExitCode;
}

/** The state of the whole lake, as the run recorded it at its end. */
export interface CheckpointSummary {
  readonly number: number;
  readonly key: string;
  /** Of the checkpoint's file. */
  readonly sha256: string;
  /** The Merkle root over the lake's objects. */
  readonly root: string;
  /** Parquet files of all tables, coverage and reconciliation included. */
  readonly parts: number;
  /** SHA-256 of the public key whose signature it carries; null: it is not signed. */
  readonly signed_by: string | null;
  /** True: none before it is signed. */
  readonly signing_begins: boolean;
  /** Runs without a checkpoint of their own that this one counts too. */
  readonly adopted_runs: number;
  /** Parts whose content no finished run had written, as far as the ledger said. */
  readonly unexplained_parts: readonly string[];
}

/** One line of `plan`: a target and the result of a test request. */
export interface PlannedTarget {
  readonly account_id: string;
  readonly account_name: string | null;
  readonly region: string;
  readonly table: DrainedTable;
  /** OK: readable. SKIPPED: nothing is left to read in the window, so no request was sent. */
  readonly status: DrainStatus | 'SKIPPED';
  readonly error: string | null;
  /** A retry cannot fix it. */
  readonly needs_person: boolean;
  /** As in TargetFailure. */
  readonly read_through: string | null;
  readonly first_loss_at: string | null;
  /** ISO 8601; null: everything AWS still has, or a table without a window. */
  readonly window_from: string | null;
  readonly window_to: string | null;
  /** ISO 8601: jobs created before window_from are read too if they ended since; null: they are not asked for. */
  readonly ended_since: string | null;
  /** Estimated from the first page. */
  readonly expected_requests: number;
}

/** What a run would read, write, need and cost: estimates. docs/scale.md has the arithmetic, under “How large a night is”. */
export interface RunSize {
  /** Copy jobs that AWS lists in the windows. */
  readonly jobs: number;
  readonly counts: number;
  /** Parquet files of copy_jobs and copy_job_summaries that are written, at most. */
  readonly parts: number;
  /** Of these rows alone: a file that exists is written again as a whole. */
  readonly parquet_bytes: number;
  /** Of an average day in one bucket. */
  readonly largest_part_bytes: number;
  /** Of the clock: waiting for AWS, the slowest target, or computing on one core, whichever is longest. */
  readonly minutes: number;
  readonly cpu_minutes: number;
  /** Resident, at its peak. */
  readonly memory_bytes: number;
  readonly s3_reads: number;
  readonly s3_writes: number;
  /** How many shards keep each within an hour and 1 GiB. 1: one container is enough. */
  readonly suggested_shards: number;
  /** How many buckets keep parts within 3 MB, at least one for each shard; 1024 is the most. */
  readonly suggested_buckets: number;
  /** At AWS’s list prices in us-east-1. */
  readonly us_dollars: {
    readonly s3_requests: number;
    /** For what this run writes. */
    readonly s3_storage_per_month: number;
    /** One that reads everything that this run writes, all columns. */
    readonly athena_question: number;
  };
}

export interface PlanSummary {
  readonly lake: string;
  readonly lake_exists: boolean;
  readonly as_of: string;
  readonly targets: number;
  readonly readable: number;
  readonly expected_requests: number;
  readonly expected_minutes: number;
  readonly size: RunSize;
  /** Folders below the tables that are not partitions. */
  readonly foreign_objects: readonly string[];
  readonly plan: readonly PlannedTarget[];
  readonly exit_code: ExitCode;
}

/** What a run says when it has ended: printed for people, or as JSON with `--output json`. */

import type { CoverageStatus } from '../ledger/coverage.ts';
import type { TableTotals, UnknownFields } from '../ledger/totals.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import type { DrainStatus } from '../source/source.ts';
import type { DrainedTable } from '../tables/table.ts';

export interface TargetFailure {
  readonly account_id: string;
  readonly region: string;
  readonly table: DrainedTable;
  readonly status: CoverageStatus;
  readonly error: string;
  /** What a person can do about it. */
  readonly advice: string;
  /** No retry heals it, whatever the run's exit code says. */
  readonly needs_person: boolean;
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
  /** What AWS sent and no column takes: it is not in the lake. */
  readonly unknown_fields: UnknownFields;
  /** Records whose rows have U+FFFD for what no Parquet file can hold; they are kept raw. */
  readonly altered_records: number;
  /** Jobs that AWS lists with another day of creation than before; their rows keep the first. */
  readonly moved_jobs: number;
  /** Keys below the tables, in what this run touched, that are no parts of the lake; folders end in `/`. */
  readonly foreign_objects: readonly string[];
  /** Worst first; all of them in JSON, ten are printed. */
  readonly failures: readonly TargetFailure[];
  /** Milliseconds spent: discovering, draining, publishing, closing the ledger. */
  readonly phases_ms: Readonly<Record<'discover' | 'drain' | 'publish' | 'ledger', number>>;
  /**
   * Why the run's ledger could not be closed, and whether the run shows as unfinished by that, or only has the next one
   * read more. What is said here was published either way.
   */
  readonly ledger_error: string | null;
  readonly exit_code: ExitCode;
}

/** One line of `plan`: a target, and what asking it once said. */
export interface PlannedTarget {
  readonly account_id: string;
  readonly account_name: string | null;
  readonly region: string;
  readonly table: DrainedTable;
  /** OK: may be read. SKIPPED: nothing is left to read in the window, so AWS was not asked. */
  readonly status: DrainStatus | 'SKIPPED';
  readonly error: string | null;
  /** No retry heals it. */
  readonly needs_person: boolean;
  /** ISO 8601; null: from the beginning of AWS's memory (or not a windowed table). */
  readonly window_from: string | null;
  readonly window_to: string | null;
  /** Requests expected; an estimate from the first page. */
  readonly expected_requests: number;
}

export interface PlanSummary {
  readonly lake: string;
  readonly lake_exists: boolean;
  readonly as_of: string;
  readonly targets: number;
  readonly readable: number;
  readonly expected_requests: number;
  readonly expected_minutes: number;
  /** Folders below the tables that are no partitions of them. */
  readonly foreign_objects: readonly string[];
  readonly plan: readonly PlannedTarget[];
  readonly exit_code: ExitCode;
}

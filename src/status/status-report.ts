/** What `status` reports: one plain structure, printed as JSON and drawn as text and as a page. All times are ISO 8601. */
import type { UnreadObject } from '../query/unread-objects.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import type { DrainedTable } from '../tables/table.ts';

/**
 * `proven`: everything up to the last run is proven, and that run is not too old. `gap`: something is unproven, and AWS still keeps it. `at_risk`: a gap,
 * and AWS begins to delete it within --warn-within, or does already. `region_disabled`: AWS says so, and nothing is
 * unproven. `planned_no_more`: later runs leave it out, and nothing is unproven.
 */
export type DrainState = 'proven' | 'gap' | 'at_risk' | 'region_disabled' | 'planned_no_more';

/** An interval of creation time; `to` is not included. */
export interface Stretch {
  readonly from: string;
  readonly to: string;
  readonly hours: number;
}

/** Unproven, and AWS still keeps it. */
export interface Gap extends Stretch {
  /** When AWS begins to delete it. */
  readonly first_loss_at: string;
}

/** Deleted by AWS before it was read. */
export interface Loss extends Stretch {
  /** The first run that found a part of it deleted; null: no run has come since. */
  readonly noticed_at: string | null;
  /** Neither acknowledged, nor lost before --lost-since. */
  readonly is_new: boolean;
}

/** One table of one account and region. */
export interface DrainStatus {
  readonly table: DrainedTable;
  readonly account_id: string;
  readonly account_name: string | null;
  readonly region: string;
  readonly state: DrainState;
  readonly proven: readonly Stretch[];
  readonly gaps: readonly Gap[];
  readonly lost: readonly Loss[];
  readonly first_asked: string;
  readonly last_asked: string;
  /** As-of of the last run that read it well. */
  readonly last_good_drain: string | null;
  /** Of the last attempt. UNFINISHED: the run died before it wrote a status. */
  readonly last_status: string;
  readonly error: string | null;
  /** The first failed run since the last good one. */
  readonly failing_since: string | null;
  /** Why there is a gap, as in `causes`; null: there is none. */
  readonly cause: string | null;
  readonly remedy: string | null;
  readonly needs_person: boolean;
  /** The data-loss clock: when AWS begins to delete what is unproven, and the hours until then; 0: it deletes it now. */
  readonly first_loss_at: string | null;
  readonly hours_to_loss: number | null;
  /** Copy jobs that have not ended and that AWS still keeps; null for counts. */
  readonly open_jobs: number | null;
  /**
   * Copy jobs that had not ended when a run last read them, and that AWS has deleted since: how they ended is not known.
   * Null for counts.
   */
  readonly ends_unknown: number | null;
}

/** Drains whose gaps have the same cause. */
export interface Cause {
  /** A status of the coverage, UNFINISHED, NO_RUN or NOT_READ_AGAIN. */
  readonly cause: string;
  readonly error: string | null;
  readonly remedy: string;
  readonly needs_person: boolean;
  readonly since: string;
  readonly first_loss_at: string;
  readonly hours_to_loss: number;
  readonly drains: number;
  readonly targets: number;
  /** All of them, by number. */
  readonly accounts: readonly { readonly account_id: string; readonly account_name: string | null }[];
  readonly regions: readonly string[];
  readonly tables: readonly DrainedTable[];
}

/** The same interval, lost by the same table in one account and region. */
export interface LostInterval extends Loss {
  readonly table: DrainedTable;
  readonly account_id: string;
  readonly account_name: string | null;
  readonly region: string;
}

export interface CopiesOfDay {
  readonly day: string;
  readonly jobs: number;
  readonly completed: number;
  readonly failed: number;
  readonly partly_done: number;
  readonly still_open: number;
  /** Of those that have ended; null: none has. */
  readonly success_percent: number | null;
}

/** The copies of recent days, from copy_jobs. */
export interface Copies {
  readonly days: readonly CopiesOfDay[];
  /** One for each cause, the most frequent first. */
  readonly failures_by_category: readonly {
    /** AWS's, or else the one that its message shows; null: nobody documents the message. */
    readonly message_category: string | null;
    /** What went wrong and what a person can do, from the view known_failures. */
    readonly cause: string | null;
    readonly remedy: string | null;
    readonly failed: number;
    /** Those to which AWS itself gave the category. */
    readonly categorized_by_aws: number;
    readonly accounts: number;
  }[];
  readonly routes: readonly {
    readonly source_region: string | null;
    readonly destination_region: string | null;
    readonly jobs: number;
    readonly failed: number;
  }[];
}

/** AWS's own daily counts against the rows of copy_jobs, for the last 14 days. */
export interface RecordAgainstAws {
  /** Accounts, regions and days that a run could compare. */
  readonly compared: number;
  /** As-of of the newest comparison; null: there is none. */
  readonly last_compared_at: string | null;
  /** Jobs that AWS counted and the record lacks. */
  readonly missing_jobs: number;
  /** Jobs of the record that AWS did not count. */
  readonly surplus_jobs: number;
  /** The largest first. */
  readonly differences: readonly {
    readonly day: string;
    readonly account_id: string;
    readonly account_name: string | null;
    readonly region: string;
    readonly aws_count: number;
    readonly lake_count: number;
    readonly missing_jobs: number;
    readonly surplus_jobs: number;
    readonly compared_at: string;
  }[];
}

export interface StatusReport {
  readonly lake: string;
  /** The time that the report speaks of. */
  readonly now: string;
  readonly last_run: { readonly run_id: string; readonly as_of: string } | null;
  /** Runs without a manifest of the last 40 days that no later run has made up for, or that may still be running. */
  readonly unfinished_runs: readonly {
    readonly run_id: string;
    readonly as_of: string;
    readonly may_be_running: boolean;
  }[];
  /** How many days AWS keeps the records of a table, as the last run had it. */
  readonly memory_days: Readonly<Record<DrainedTable, number>>;
  /** Null: the lake had no checkpoint by `now`, or none that can be read. */
  readonly checkpoints: {
    readonly newest: { readonly number: number; readonly as_of: string; readonly is_signed: boolean };
    /** Runs begun by `now` that ended and that this checkpoint does not count, the oldest first. */
    readonly uncounted_runs: readonly { readonly run_id: string; readonly as_of: string }[];
  } | null;
  readonly warn_within_hours: number;
  readonly stale_after_hours: number;
  /** In words: the worst that holds. `incomplete`: `unread_objects` is not empty, and no certain loss is worse. */
  readonly verdict: 'nothing_read' | 'lost' | 'incomplete' | 'at_risk' | 'gaps' | 'proven';
  /** What could not be read, so that the report had to do without; a key that ends in `/` is a folder. */
  readonly unread_objects: readonly UnreadObject[];
  readonly totals: {
    readonly accounts: number;
    /** Account and region. */
    readonly targets: number;
    readonly drains: number;
    readonly proven: number;
    readonly with_gaps: number;
    readonly at_risk: number;
    readonly region_disabled: number;
    readonly planned_no_more: number;
    readonly need_person: number;
    readonly lost_intervals: number;
    readonly new_losses: number;
    readonly open_jobs: number;
    readonly ends_unknown: number;
  };
  /** The copy jobs of `ends_unknown`: when the oldest was created (null: there is none), and the first day looked at. */
  readonly ends_unknown: { readonly oldest: string | null; readonly created_since: string };
  /** Of all drains; null: nothing is unproven. */
  readonly first_loss_at: string | null;
  readonly hours_to_loss: number | null;
  /** The most urgent first. */
  readonly causes: readonly Cause[];
  /** The newest first. */
  readonly lost: readonly LostInterval[];
  readonly last_acknowledged: { readonly at: string; readonly by: string } | null;
  /** Every table of every target that a run ever planned: exceptions first. */
  readonly drains: readonly DrainStatus[];
  readonly copies: Copies;
  readonly record_against_aws: RecordAgainstAws;
  readonly exit_code: ExitCode;
}

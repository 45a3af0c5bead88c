/** What a run plans to read, and the results. */
import type { DrainReport, Window } from '../source/source.ts';
import type { DrainedTable } from '../tables/table.ts';
import { type Target, targetName } from '../targets/target.ts';
import type { OpenJobsRead } from './open-jobs.ts';
import type { Watermark } from './watermarks.ts';

/** One table and target that a run plans to read. */
export interface Planned {
  readonly table: DrainedTable;
  readonly target: Target;
  /** Null for a table without a window. */
  readonly window: Window | null;
  /** Jobs created before the window are read if they ended since this time; null or absent: they are not asked for. */
  readonly endedSince?: number | null;
  /** How far earlier runs have read, in milliseconds since the epoch; null: not at all, or unknown. */
  readonly coveredTo: number | null;
  /** What earlier runs have read; absent: nothing, or unknown. */
  readonly watermark?: Watermark;
  /** Since when AWS has called the region disabled, after earlier runs had read it; absent: it has not. */
  readonly disabledAt?: number;
}

/** `copy_jobs/111122223333/eu-west-1`: what staged rows are traced back to, and what a person reads. */
export function drainName({ table, target }: Pick<Planned, 'table' | 'target'>): string {
  return `${table}/${targetName(target)}`;
}

/** The result. `report.status` OK means that everything was read, not that it was published. */
export interface Drained extends Planned {
  readonly report: DrainReport;
  /** Records that became rows, including duplicates. */
  readonly rows: number;
  readonly rejected: number;
  /** Records with a text that had to be changed for the row. */
  readonly altered: number;
  /** Why the first rejected record was rejected. */
  readonly rejectedFor: string | null;
  /** Fields of the records that have no column. */
  readonly unknownFields: ReadonlySet<string>;
  /** UTC days of creation of the jobs that have not ended. */
  readonly openDays: ReadonlySet<string>;
  /** Of copy_jobs. */
  readonly openJobs?: OpenJobsRead;
  /** Of copy_job_summaries: the UTC days that AWS's daily counts contained. */
  readonly countedDays: ReadonlySet<string>;
}

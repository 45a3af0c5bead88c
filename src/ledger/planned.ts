/** What a run plans to read, and what came of it. */
import type { DrainReport, Window } from '../source/source.ts';
import type { DrainedTable } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';

/** What a run sets out to read. */
export interface Planned {
  readonly table: DrainedTable;
  readonly target: Target;
  /** Null for a table without a window. */
  readonly window: Window | null;
  /** Up to when earlier runs have read this, in milliseconds since the epoch; null: never, or nobody knows. */
  readonly coveredTo: number | null;
  /** Since when AWS has called the region disabled, where earlier runs had read it; absent: it has not. */
  readonly disabledAt?: number;
}

/** What came of it. `report.status` OK says that all was read; nothing here says that it was published. */
export interface Drained extends Planned {
  readonly report: DrainReport;
  /** Records that became rows, repeated ones included. */
  readonly rows: number;
  readonly rejected: number;
  /** Records whose rows are not letter by letter what came. */
  readonly altered: number;
  /** Why the first of the rejected was. */
  readonly rejectedFor: string | null;
  /** Fields of the records that no column takes. */
  readonly unknownFields: ReadonlySet<string>;
  /** UTC days of creation of the jobs seen that have not ended. */
  readonly openDays: ReadonlySet<string>;
}

/** Tables as plain data. Parquet schemas, staging types, DDL and docs are derived from them. */

/** A column's type. `timestamp` is UTC in milliseconds; `bigint` is exact to 2^53 − 1. */
export type ColumnType = 'text' | 'bigint' | 'boolean' | 'timestamp';

/** A value in a row. A timestamp is a number: milliseconds since 1970-01-01T00:00:00Z, possibly negative. */
export type Value = string | number | boolean | null;

/** One normalized record: the value of every column by name, including partition columns. */
export type Row = Readonly<Record<string, Value>>;

/**
 * Where a column's values come from.
 * - `api`: from the record. A row has changed only if one of these columns or a `target` column differs.
 * - `target`: from the target that was queried, because the record does not contain it.
 * - `derived`: computed from the other columns of the row whenever a part is written. The rule exists in TypeScript
 *   (`from`) and in DuckDB's SQL (`sql`); a test compares the two.
 * - `computed`: computed from other columns (`of`) when a record is read, in TypeScript only, and stored. A difference is no
 *   change, so a part keeps what it has until the row changes.
 * - `provenance`: the observation that the row comes from. A difference here is no change.
 * - `run`: facts about a run, in tables whose rows are never merged.
 */
export type ColumnOrigin =
  | { readonly kind: 'api'; readonly field: string }
  | { readonly kind: 'target' }
  | { readonly kind: 'derived'; readonly from: (row: Row) => Value; readonly sql: string }
  | { readonly kind: 'computed'; readonly of: readonly string[] }
  | { readonly kind: 'provenance' }
  | { readonly kind: 'run' };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  readonly unit?: string;
  readonly example: string;
  readonly origin: ColumnOrigin;
  /** True if values may contain more than ASCII (names, messages): some writers compute wrong min/max for them. */
  readonly freeText?: boolean;
}

/** A partition column: always a string. It is in the object's key, not in the file. */
export interface PartitionColumn {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  /** Its possible values: the UTC day of one of the row's timestamps, or one of a few texts. */
  readonly values:
    | { readonly kind: 'day'; readonly of: string }
    | { readonly kind: 'one-of'; readonly texts: readonly string[] };
}

/**
 * How newly read rows are merged with the published ones.
 * - `upsert`: one row per `key`; src/lake/engines/merge.ts says which one wins.
 * - `replace-slice`: a new, complete drain replaces all rows with the same `slice` values.
 * - `append`: every run writes its own object; nothing is merged.
 */
export type MergeRule =
  | { readonly kind: 'upsert'; readonly key: readonly string[] }
  | { readonly kind: 'replace-slice'; readonly slice: readonly string[]; readonly key: readonly string[] }
  | { readonly kind: 'append' };

export interface Table {
  readonly name: DrainedTable | 'export_coverage' | 'export_reconciliation';
  readonly description: string;
  /** Increased whenever a column is added. A program refuses a lake with a newer version than its own. */
  readonly schemaVersion: number;
  readonly columns: readonly Column[];
  readonly partitions: readonly PartitionColumn[];
  readonly merge: MergeRule;
  /** Column names. The order is ascending, with nulls first and text by its UTF-8 bytes. */
  readonly sortBy: readonly string[];
}

/** When, where and by which run a record was read. */
export interface Observation {
  /** The account and region of the target that was queried. */
  readonly accountId: string;
  readonly region: string;
  /** The response's `Date` header, in milliseconds since the epoch. */
  readonly observedAt: number;
  readonly runId: string;
  /** When an earlier run has read all of the target's jobs that were open, in milliseconds since the epoch. */
  readonly openReadAt?: number;
}

/** The row made from a record, or why there is none. */
export type Normalized =
  | {
      readonly row: Row;
      readonly unknownFields: readonly string[];
      /** Fields whose text was changed for the row, because no Parquet file can hold the original. */
      readonly alteredFields: readonly string[];
    }
  | { readonly rejected: string };

/** The columns whose values decide whether a row changed. */
export function comparedColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ origin }) => origin.kind === 'api' || origin.kind === 'target');
}

/** The same row with its derived columns recomputed. */
export function withDerived(table: Table, row: Row): Row {
  const complete: Record<string, Value> = { ...row };
  for (const column of table.columns) {
    if (column.origin.kind === 'derived') complete[column.name] = column.origin.from(complete);
  }
  return complete;
}

/** The UTC day of an instant, `yyyy-MM-dd`. The year must be between 1 and 9999. */
export function utcDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The tables that a run reads from AWS. The others are the run's own. */
export type DrainedTable = 'copy_jobs' | 'copy_job_summaries';

/**
 * What a table is: plain data. Parquet schemas, staging types, DDL and docs are derived from it.
 */

/** A column's type. `timestamp` is UTC in milliseconds; `bigint` is exact to 2^53 − 1. */
export type ColumnType = 'text' | 'bigint' | 'boolean' | 'timestamp';

/** A value of a row. A timestamp is a number: milliseconds since 1970-01-01T00:00:00Z, may be negative. */
export type Value = string | number | boolean | null;

/** One normalized record: every column of its table by name, partition columns included. */
export type Row = Readonly<Record<string, Value>>;

/**
 * Where a column's values come from.
 * - `api`: the record; these columns, and only these and `target`, decide whether a row changed.
 * - `target`: what was asked of whom, where the record does not say it.
 * - `derived`: computed from the other columns of the row, anew whenever a part is written: once in
 *   TypeScript (`from`) and once in DuckDB's SQL (`sql`); a test holds the two against each other.
 * - `provenance`: which observation the row comes from. Never makes a change.
 * - `run`: what a run says about itself (tables whose rows are never merged).
 */
export type ColumnOrigin =
  | { readonly kind: 'api'; readonly field: string }
  | { readonly kind: 'target' }
  | { readonly kind: 'derived'; readonly from: (row: Row) => Value; readonly sql: string }
  | { readonly kind: 'provenance' }
  | { readonly kind: 'run' };

export interface Column {
  readonly name: string;
  readonly type: ColumnType;
  readonly description: string;
  readonly unit?: string;
  readonly example: string;
  readonly origin: ColumnOrigin;
  /** True where values may hold text beyond ASCII (names, messages): some writers get their min/max wrong. */
  readonly freeText?: boolean;
}

/** A partition column: always a string, in the object's path and not in the file. */
export interface PartitionColumn {
  readonly name: string;
  readonly description: string;
  readonly example: string;
  /** What its values can be: the UTC day of one of the row's timestamps, or one of a few texts. */
  readonly values:
    | { readonly kind: 'day'; readonly of: string }
    | { readonly kind: 'one-of'; readonly texts: readonly string[] };
}

/**
 * How a freshly observed row meets the rows already published.
 * - `upsert`: one row per `key`; see src/lake/engines/merge.ts for who wins.
 * - `replace-slice`: a fresh, complete drain replaces all rows with the same `slice` values.
 * - `append`: every run writes its own object; nothing is ever merged.
 */
export type MergeRule =
  | { readonly kind: 'upsert'; readonly key: readonly string[] }
  | { readonly kind: 'replace-slice'; readonly slice: readonly string[]; readonly key: readonly string[] }
  | { readonly kind: 'append' };

export interface Table {
  readonly name: 'copy_jobs' | 'copy_job_summaries' | 'export_coverage';
  readonly description: string;
  /** Raised whenever a column is added; a program refuses a lake whose version is newer than its own. */
  readonly schemaVersion: number;
  readonly columns: readonly Column[];
  readonly partitions: readonly PartitionColumn[];
  readonly merge: MergeRule;
  /** Column names; ascending, nulls first, text by its UTF-8 bytes. */
  readonly sortBy: readonly string[];
}

/** The observation a record was part of. */
export interface Observation {
  /** The account and region of the target that was asked. */
  readonly accountId: string;
  readonly region: string;
  /** AWS's time of the answer (its `Date` header), in milliseconds since the epoch. */
  readonly observedAt: number;
  readonly runId: string;
}

/** A record that became a row, or why it cannot become one. */
export type Normalized =
  | {
      readonly row: Row;
      readonly unknownFields: readonly string[];
      /** Fields whose text is not in the row as it came, because no Parquet file could hold it. */
      readonly alteredFields: readonly string[];
    }
  | { readonly rejected: string };

/** The columns whose values decide whether a row changed. */
export function comparedColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ origin }) => origin.kind === 'api' || origin.kind === 'target');
}

/** The same row with its derived columns computed anew. */
export function withDerived(table: Table, row: Row): Row {
  const complete: Record<string, Value> = { ...row };
  for (const column of table.columns) {
    if (column.origin.kind === 'derived') complete[column.name] = column.origin.from(complete);
  }
  return complete;
}

/** The UTC day of an instant, `yyyy-MM-dd`; the instant must lie in the years 0001 to 9999. */
export function utcDay(epochMs: number): string {
  return new Date(epochMs).toISOString().slice(0, 10);
}

/** The tables that a run reads from AWS; it writes `export_coverage` itself. */
export type DrainedTable = 'copy_jobs' | 'copy_job_summaries';

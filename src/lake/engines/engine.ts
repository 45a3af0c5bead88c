import type { Table } from '../../tables/table.ts';
import type { Cut } from '../part-placement.ts';

/** One merge: the part as it is now, and what was staged for it, into a new part. All paths are local files. */
export interface MergeRequest {
  readonly table: Table;
  /** The partition columns' values, by name. Not in the files. */
  readonly partition: Readonly<Record<string, string>>;
  /** The published part, or null when there is none. May be written by either engine, and hold fewer columns. */
  readonly existing: string | null;
  /** Where the published part lies among those of its partition: its rows are looked at. Absent: they are not. */
  readonly cut?: Cut;
  /** No published row was observed later than this, whatever it says; milliseconds since the epoch. Default: no bound. */
  readonly latest?: number;
  /** Staged rows: newline-delimited JSON, one row an object of the table's columns that are not derived. */
  readonly staged: readonly string[];
  /** How many, where it is known: whether rows are wide is seen by it. */
  readonly stagedRows?: number;
  /** Where the new part is written. Only exists afterwards when the outcome says `changed`. */
  readonly output: string;
  /** Kept as key-value metadata in the Parquet file's footer. ASCII only. */
  readonly metadata: Readonly<Record<string, string>>;
}

export interface MergeOutcome {
  /** False when the staged rows change nothing: no file is written. */
  readonly changed: boolean;
  /** Rows in the merged part. */
  readonly rows: number;
  /** Of the staged rows' keys: not there before; there, but different; there and the same. */
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows that a replaced slice no longer has (`replace-slice` only; 0 for `upsert`). */
  readonly removed: number;
}

/**
 * Writes parts. One of the two is chosen per run; both follow the reference in merge.ts.
 * `merge` throws an EngineError (src/shared/errors.ts) when a file cannot be read or the memory limit does not do, its kind
 * MisplacedRows when the published part's rows do not belong where it lies, a ScratchError when what does not fit into memory does not fit into scratch either.
 * It may be called concurrently; an engine bounds its own memory by doing one merge at a time.
 */
export interface Engine {
  readonly name: 'duckdb' | 'parquetjs-lite';
  merge(request: MergeRequest): Promise<MergeOutcome>;
  close(): Promise<void>;
}

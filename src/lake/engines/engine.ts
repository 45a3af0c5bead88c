import { stat } from 'node:fs/promises';
import type { Table, Value } from '../../tables/table.ts';
import type { Placement } from '../part-placement.ts';

/** One merge: combines the published part and the staged rows into a new part. All paths are local files. */
export interface MergeRequest {
  readonly table: Table;
  /** The values of the partition columns, by name. The files do not contain them. */
  readonly partition: Readonly<Record<string, string>>;
  /** The published part; null: none. Either engine may have written it, and it may have fewer columns. */
  readonly existing: string | null;
  /** The bucket of the published part. If given, the merge checks that the part's rows belong there. */
  readonly placement?: Placement;
  /** Published rows that claim a later observation are wrong about that; milliseconds since the epoch. Default: no limit. */
  readonly latest?: number;
  /** Staged rows: files as in staged-files.ts, with the table's columns that are not derived. */
  readonly staged: readonly string[];
  /** The number of staged rows, if known. It shows whether rows are wide. */
  readonly stagedRows?: number;
  /** The size of the staged rows, unpacked. Default: the size of their files. */
  readonly stagedBytes?: number;
  /**
   * Whether it is known that no two staged rows have the same key, and that each slice comes from one drain. Then a new part takes half of
   * the time.
   */
  readonly distinctKeys?: boolean;
  /** True: the file is written even if nothing changed, without rows if there are none. Default: false. */
  readonly always?: boolean;
  /** Where the new part is written. Unless `always`, it exists afterwards only if the outcome says `changed`. */
  readonly output: string;
  /** Key-value metadata for the footer of the Parquet file. ASCII only. */
  readonly metadata: Readonly<Record<string, string>>;
  /** Whether the outcome has to say what became of the staged rows. */
  readonly wantsFate?: boolean;
}

/** The bytes of the staged rows, unpacked. */
export async function stagedBytesOf({
  staged,
  stagedBytes,
}: Pick<MergeRequest, 'staged' | 'stagedBytes'>): Promise<number> {
  if (stagedBytes !== undefined) return stagedBytes;
  const sizes = await Promise.all(staged.map(async (file) => (await stat(file)).size));
  return sizes.reduce((sum, size) => sum + size, 0);
}

/** How the rows that were staged relate to the merged part. */
export interface StagedFate {
  /**
   * The keys of an upsert, or the slices, whose rows in the part differ from a staged one in a column that decides about
   * changes, or have no observation time. May name others too. Null: too many to name.
   */
  readonly unlike: readonly (readonly Value[])[] | null;
  /** The latest time of an observation in the part before; null: none. Milliseconds since the epoch. */
  readonly latestPublished: number | null;
}

/** An outcome names at most so many keys or slices. */
export const mostUnlike = 10_000;

export interface MergeOutcome {
  /** False if the staged rows change nothing. Then no file is written. */
  readonly changed: boolean;
  /** Rows in the merged part. */
  readonly rows: number;
  /** Counts of the staged keys: new; published, but different; published and the same. */
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  /** Rows that a replaced slice no longer contains (only for `replace-slice`; 0 for `upsert`). */
  readonly removed: number;
  /** Only if the request wants it. */
  readonly fate?: StagedFate;
}

/** Staged lines that become a file of typed rows. */
export interface TypedRequest {
  readonly table: Table;
  /** A plain file of staged lines. */
  readonly lines: string;
  /** About how many. */
  readonly rows: number;
  readonly bytes: number;
  /** Where the rows are written; ends in `typedEnding` (staged-files.ts). */
  readonly output: string;
  /** Whether space counts for more than time. */
  readonly compact: boolean;
}

/**
 * Writes parts. A run uses one of the two engines; both follow the reference in merge.ts. `merge` may be called
 * concurrently; an engine bounds its memory by running one merge at a time.
 * `merge` throws an EngineError (src/shared/errors.ts) when a file cannot be read or the memory limit is too low;
 * MisplacedRows when rows of the published part belong to another part; a ScratchError when data fits neither into memory
 * nor into scratch.
 */
export interface Engine {
  readonly name: 'duckdb' | 'parquetjs-lite';
  merge(request: MergeRequest): Promise<MergeOutcome>;
  /**
   * Writes staged lines as typed rows, which a merge takes like lines, in less time. False: nothing was written, and the
   * lines are better left as they are. Absent: the engine takes only lines. If it throws, there may be a file.
   */
  readonly typed?: (request: TypedRequest) => Promise<boolean>;
  close(): Promise<void>;
}

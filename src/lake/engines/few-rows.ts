/**
 * Merges of few rows. To plan its statements over all columns, DuckDB takes many times longer than to run them on few rows.
 * So the reference (merge.ts) merges such rows in memory, and DuckDB only writes the part, with one statement.
 */
import { rm } from 'node:fs/promises';
import { EngineError } from '../../shared/errors.ts';
import type { Row } from '../../tables/table.ts';
import { typedEnding } from '../staged-files.ts';
import type { Database } from './duckdb-database.ts';
import { type MergeOutcome, type MergeRequest, stagedBytesOf } from './engine.ts';
import { writeExactLines } from './exact-lines.ts';
import { mergeInMemory, openPublished } from './merge-in-memory.ts';
import { copySql, fewRowsSql } from './merge-sql.ts';
import type { OpenPart } from './part-reader.ts';

/** The bytes of the rows, at most: of the staged ones as lines, and of the published ones without compression. */
const mostBytes = 8 * 2 ** 20;

/**
 * @param mostRows of the published part and staged ones together
 * @returns null: the rows are too many, or there is something about them that DuckDB's SQL has to look at. Then nothing was written.
 * @throws MisplacedRows; ScratchError; what DuckDB throws
 */
export async function mergeFewRows(
  request: MergeRequest,
  mostRows: number,
  database: Database,
  memoryBytes: number,
): Promise<MergeOutcome | null> {
  const { existing, staged, stagedRows = Number.POSITIVE_INFINITY, always } = request;
  if (stagedRows > mostRows || (always === true && existing !== null) || isOnlyStaged(request)) return null;
  if (staged.some((file) => file.endsWith(typedEnding))) return null;
  await rm(request.output, { force: true });
  const stagedBytes = await stagedBytesOf(request);
  if (stagedBytes > mostBytes) return null;
  try {
    const part = await openPublished(request);
    if (part !== null && (part.rows + stagedRows > mostRows || bytesIn(part) + stagedBytes > mostBytes)) {
      return null;
    }
    return await mergeInMemory(request, part, (rows) => write(request, rows, database, memoryBytes));
  } catch (error) {
    // What JavaScript cannot read or represent exactly.
    if (error instanceof EngineError) return null;
    throw error;
  }
}

/** Whether each staged row becomes a row of the part, and there are no others: then DuckDB needs only one statement. */
export function isOnlyStaged({ table, existing, distinctKeys, stagedRows = 0 }: MergeRequest): boolean {
  if (existing !== null || stagedRows === 0) return false;
  return table.merge.kind === 'append' || distinctKeys === true;
}

function bytesIn({ metadata }: OpenPart): number {
  return metadata.row_groups.reduce((sum, group) => sum + Number(group.total_byte_size), 0);
}

async function write(
  { table, output, metadata }: MergeRequest,
  rows: readonly Row[],
  database: Database,
  memoryBytes: number,
): Promise<void> {
  const file = `${output}.ndjson`;
  try {
    await writeExactLines(file, table, rows);
    await database.run(
      copySql(fewRowsSql(table, rows.length === 0 ? null : file), output, metadata),
      memoryBytes,
    );
  } catch (error) {
    await rm(output, { force: true });
    throw error;
  } finally {
    await rm(file, { force: true });
  }
}

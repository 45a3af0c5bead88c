/**
 * Merges few staged rows into a part of many rows. The reference (merge.ts) merges the staged rows with the published rows of the
 * same keys or slices. All other rows stay with DuckDB, which puts both together in one statement.
 */
import { rm } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { EngineError } from '../../shared/errors.ts';
import type { Row, Table } from '../../tables/table.ts';
import { typedEnding } from '../staged-files.ts';
import { rowsOf } from './duckdb-rows.ts';
import { type MergeOutcome, type MergeRequest, stagedBytesOf } from './engine.ts';
import { writeExactLines } from './exact-lines.ts';
import { mergeRows } from './merge.ts';
import { copySql, exchangedSql, touchedSql, unitsSql } from './merge-sql.ts';
import { openPart, readPart } from './part-reader.ts';
import { quoteText } from './sql-text.ts';
import { stagedRows } from './staged-rows.ts';

/** Above this, DuckDB's SQL takes less time per row than is saved in planning it. */
const mostStaged = 1_000;
const mostBytes = 8 * 2 ** 20;

/** Whether the request is one for `mergeFewStaged`. */
export async function hasFewStaged(request: MergeRequest): Promise<boolean> {
  const { table, existing, staged, stagedRows: rows = Number.POSITIVE_INFINITY, always } = request;
  if (existing === null || always === true || table.merge.kind === 'append' || rows > mostStaged)
    return false;
  if (staged.length === 0 || staged.some((file) => file.endsWith(typedEnding))) return false;
  return (await stagedBytesOf(request)) <= mostBytes;
}

/**
 * Reads `existing`, the stored columns of the published part.
 * @returns without `fate.latestPublished`, which takes all rows of the part. Null: JavaScript cannot hold a value of these rows
 *   exactly. Then nothing was written
 * @throws ScratchError; what DuckDB throws
 */
export async function mergeFewStaged(
  connection: DuckDBConnection,
  request: MergeRequest,
): Promise<MergeOutcome | null> {
  const { table, partition, existing, staged, latest, output, metadata } = request;
  const unit = unitOf(table);
  if (existing === null) return null;
  const touchedFile = `${output}.touched.parquet`;
  const mergedFile = `${output}.merged.ndjson`;
  try {
    await connection.run(unitsSql(table, unit, staged));
    await connection.run(
      `COPY (${touchedSql(unit, existing)}) TO ${quoteText(touchedFile)} (FORMAT parquet, COMPRESSION snappy)`,
    );
    const touched = await rowsIn(touchedFile, table);
    const fresh: Row[] = [];
    for (const file of staged) for await (const row of stagedRows(table, file)) fresh.push(row);
    const merged = mergeRows(table, touched, fresh, partition, latest);
    const [[all] = []] = await rowsOf(connection, 'SELECT count(*) FROM existing');
    const rows = Number(all) - touched.length + merged.rows.length;
    const fate = request.wantsFate === true ? { fate: merged.fate } : {};
    if (merged.outcome.changed) {
      await writeExactLines(mergedFile, table, merged.rows);
      const select = exchangedSql(table, partition, unit, merged.rows.length === 0 ? null : mergedFile);
      await connection.run(copySql(select, output, metadata));
    }
    return { ...merged.outcome, rows, ...fate };
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    await connection.run('DROP TABLE units');
    return null;
  } finally {
    await Promise.all([touchedFile, mergedFile].map((file) => rm(file, { force: true })));
  }
}

/** The columns of what is merged as one. */
function unitOf({ merge }: Table): readonly string[] {
  switch (merge.kind) {
    case 'upsert':
      return merge.key;
    case 'replace-slice':
      return merge.slice;
    case 'append':
      return [];
  }
}

async function rowsIn(file: string, table: Table): Promise<readonly Row[]> {
  const found: Row[] = [];
  for await (const rows of readPart(await openPart(file), table)) for (const row of rows) found.push(row);
  return found;
}

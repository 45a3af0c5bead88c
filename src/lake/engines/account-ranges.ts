/**
 * Writes a new part of many rows in little memory. DuckDB's sort needs memory for all rows, and what does not fit makes it fail
 * sooner than it goes to disk. A part is sorted by account first. So the rows of some accounts at a time are sorted into a file of
 * their own, and the part is these files, one after the other.
 */
import { rm, stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '../../tables/table.ts';
import { packedEnding, typedEnding } from '../staged-files.ts';
import { rowsOf } from './duckdb-rows.ts';
import { type MergeRequest, stagedBytesOf } from './engine.ts';
import { copySql, oneAfterAnotherSql, onlyStagedSql, readTypedSql, typedSql } from './merge-sql.ts';
import { quoteName, quoteText } from './sql-text.ts';

/** About so many rows are sorted at once, or fewer if they have more bytes as staged lines. */
const rowsAtOnce = 16_384;
const bytesAtOnce = 32 * 2 ** 20;

/** So many times the rows that are sorted at once are worth the files. */
const leastRanges = 2.5;

/** Whether the rows are so many that they are better written in ranges. */
export async function isManyRows(request: MergeRequest): Promise<boolean> {
  const { table, staged, stagedRows = 0 } = request;
  if (accountOf(table) === null || staged.some((file) => file.endsWith(packedEnding))) return false;
  return stagedRows >= leastRanges * (await rowsOfRange(request));
}

/**
 * Writes the part of a request whose staged rows are the part.
 * @param roomBytes how much of scratch it may use: half for its files, and half for what DuckDB moves there; undefined: all
 * @returns the number of rows; null: there is not enough room, and nothing was written
 */
export async function writeInRanges(
  connection: DuckDBConnection,
  request: MergeRequest,
  roomBytes: number | undefined,
): Promise<number | null> {
  const { table, partition, staged, output, metadata } = request;
  const made: string[] = [];
  let bytes = 0;
  const mostBytes = roomBytes === undefined ? Number.POSITIVE_INFINITY : Math.floor(roomBytes / 2);
  /** False: there is no room for it. */
  const make = async (sqlFor: (file: string) => string): Promise<boolean> => {
    const file = `${output}.${made.length}${typedEnding}`;
    made.push(file);
    await connection.run(sqlFor(file));
    bytes += (await stat(file)).size;
    return bytes <= mostBytes;
  };
  const spillAtMost = async (room: number) => {
    if (roomBytes !== undefined) await connection.run(`SET max_temp_directory_size = '${room}B'`);
  };
  try {
    await spillAtMost(mostBytes);
    const typed = staged.filter((file) => file.endsWith(typedEnding));
    // Lines would be parsed again for each range.
    for (const lines of staged.filter((file) => !file.endsWith(typedEnding))) {
      if (!(await make((file) => typedSql(table, lines, file, false)))) return null;
    }
    typed.push(...made);
    const ranges = await rangesIn(connection, table, typed, await rowsOfRange(request));
    const sorted = made.length;
    for (const where of ranges) {
      const sql = onlyStagedSql(table, partition, typed, where);
      if (!(await make((file) => sortedCopySql(sql, file)))) return null;
    }
    await connection.run('SET preserve_insertion_order = true');
    const part = copySql(oneAfterAnotherSql(table, made.slice(sorted)), output, metadata);
    const rows = Number((await rowsOf(connection, part))[0]?.[0]);
    const [[all] = []] = await rowsOf(connection, `SELECT count(*) FROM ${readTypedSql(typed)}`);
    if (rows !== Number(all)) throw new Error(`${String(all)} staged rows became ${rows}`);
    return rows;
  } finally {
    await connection.run('SET preserve_insertion_order = false').catch(() => undefined);
    await spillAtMost(roomBytes ?? 0).catch(() => undefined);
    await Promise.all(made.map((file) => rm(file, { force: true })));
  }
}

/** The column of accounts, if parts are sorted by it first. */
function accountOf({ sortBy, columns }: Table): string | null {
  const [first] = sortBy;
  const column = columns.find(({ name }) => name === first);
  return column?.name === 'account_id' && column.type === 'text' && column.origin.kind !== 'derived'
    ? quoteName(column.name)
    : null;
}

async function rowsOfRange(request: MergeRequest): Promise<number> {
  const { stagedRows = 1 } = request;
  const bytesOfRow = (await stagedBytesOf(request)) / Math.max(stagedRows, 1);
  return Math.min(rowsAtOnce, Math.max(1, Math.floor(bytesAtOnce / Math.max(bytesOfRow, 1))));
}

/** Conditions that divide the rows, in the order of accounts. An account is never divided. */
async function rangesIn(
  connection: DuckDBConnection,
  table: Table,
  typed: readonly string[],
  rowsOfOne: number,
): Promise<readonly string[]> {
  const account = accountOf(table);
  if (account === null) throw new TypeError(`${table.name} is not sorted by account`);
  const accounts = await rowsOf(
    connection,
    `SELECT ${account}, count(*) FROM ${readTypedSql(typed)} GROUP BY ${account} ORDER BY ${account} ASC NULLS FIRST`,
  );
  const lasts: string[] = [];
  let rows = 0;
  for (const [name, count] of accounts) {
    rows += Number(count);
    if (rows < rowsOfOne || typeof name !== 'string') continue;
    lasts.push(quoteText(name));
    rows = 0;
  }
  const [first] = lasts;
  if (first === undefined) return ['true'];
  return [
    `(${account} <= ${first} OR ${account} IS NULL)`,
    ...lasts.slice(1).map((last, at) => `${account} > ${lasts[at]} AND ${account} <= ${last}`),
    `${account} > ${lasts.at(-1)}`,
  ];
}

/** Files of a range are read once, right away. */
function sortedCopySql(select: string, file: string): string {
  return `COPY (${select}) TO ${quoteText(file)} (FORMAT parquet, COMPRESSION snappy, ROW_GROUP_SIZE 10240)`;
}

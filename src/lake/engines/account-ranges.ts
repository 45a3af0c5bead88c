/**
 * Writes a new part of many rows in little memory. DuckDB's sort needs memory for all rows, and what does not fit makes it fail
 * sooner than it goes to disk. A part is sorted by account first. So the rows of some accounts at a time are sorted into a file of
 * their own, and the part is these files, joined.
 */
import { rm, stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '../../tables/table.ts';
import { packedEnding, typedEnding } from '../staged-files.ts';
import { rowsOf } from './duckdb-rows.ts';
import { type MergeRequest, stagedBytesOf } from './engine.ts';
import { joinParquet } from './join-parquet.ts';
import { copySql, groupRows, onlyStagedSql, readTypedSql, typedSql, vectorRows } from './merge-sql.ts';
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
 * @returns the number of rows; null: there is not enough room, or the files cannot be joined, and nothing was written
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
    let wanted = 0;
    for (const range of ranges) {
      const select = onlyStagedSql(table, partition, range.files, range.where);
      wanted += range.rows;
      if (!(await make((file) => copySql(select, file, metadata, { rows: groupOf(range.rows) }))))
        return null;
    }
    if (made.length === sorted) return 0;
    const rows = await joinParquet(made.slice(sorted), output);
    if (rows !== null && rows !== wanted) throw new Error(`${wanted} staged rows became ${rows}`);
    return rows;
  } finally {
    await spillAtMost(roomBytes ?? 0).catch(() => undefined);
    await Promise.all(made.map((file) => rm(file, { force: true })));
  }
}

/** Rows of a row group, so that those of one range are about equal and as large as others. */
function groupOf(rows: number): number {
  const groups = Math.max(1, Math.round(rows / groupRows));
  return Math.ceil(rows / groups / vectorRows) * vectorRows;
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

interface Range {
  /** The condition of its rows. */
  readonly where: string;
  readonly rows: number;
  /** Those that may have rows of it. */
  readonly files: readonly string[];
}

/** SQL's text has no place for U+0000. */
function canBeQuoted(account: unknown): boolean {
  return typeof account === 'string' && !account.includes('\0');
}

/**
 * Divides the rows, in the order of accounts. An account is never divided. The drains of an account are close to each other, and
 * so are the files that have its rows: a range need not open the others.
 */
async function rangesIn(
  connection: DuckDBConnection,
  table: Table,
  typed: readonly string[],
  rowsOfOne: number,
): Promise<Iterable<Range>> {
  const account = accountOf(table);
  if (account === null) throw new TypeError(`${table.name} is not sorted by account`);
  // `file_index` is the file's place in the list (github.com/duckdb/duckdb/pull/17144).
  const accounts = await rowsOf(
    connection,
    `SELECT ${account}, count(*), min(file_index), max(file_index) FROM ${readTypedSql(typed)}
      GROUP BY ${account} ORDER BY ${account} ASC NULLS FIRST`,
  );
  return divided(
    account,
    accounts.map(([name, rows, first, last]) => ({
      name,
      rows: Number(rows),
      files: [Number(first), Number(last)],
    })),
    typed,
    rowsOfOne,
  );
}

interface AccountRows {
  readonly name: unknown;
  readonly rows: number;
  /** The places of the first and the last file that have some of them. */
  readonly files: readonly [number, number];
}

function* divided(
  account: string,
  accounts: readonly AccountRows[],
  typed: readonly string[],
  rowsOfOne: number,
): Generator<Range> {
  let rest = accounts.reduce((sum, one) => sum + one.rows, 0);
  let after: string | null = null;
  let rows = 0;
  const places = new Set<number>();
  for (const { name, rows: count, files } of accounts) {
    for (let place = files[0]; place <= files[1]; place += 1) places.add(place);
    rows += count;
    rest -= count;
    const isLast = rest === 0;
    // Few rows at the end belong to the range before them.
    if (!isLast && (rows < rowsOfOne || rest < rowsOfOne / 2 || !canBeQuoted(name))) continue;
    const from: string = after === null ? '' : `${account} > ${after}`;
    const last: string | null = isLast ? null : quoteText(String(name));
    const to = last === null ? '' : `${account} <= ${last}`;
    const where = [from, to].filter((one) => one !== '').join(' AND ') || 'true';
    // Rows without an account come first.
    yield {
      where: after === null && to !== '' ? `(${to} OR ${account} IS NULL)` : where,
      rows,
      files: typed.filter((_, place) => places.has(place)),
    };
    after = last;
    rows = 0;
    places.clear();
  }
}

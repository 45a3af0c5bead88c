/**
 * Merges of long texts in little memory. DuckDB works on 2,048 rows at once, however wide they are, and holds them
 * in memory several times while it joins, sorts and writes Parquet. So a long text is put aside while rows are
 * merged: in its place stands a beginning of it with its SHA-256. When the part is written, the texts come back, for
 * a few megabytes of rows at a time, and each of these pieces is a row group.
 *
 * The merge goes by equality of texts, which their hashes keep. Where it goes by order (two observations of one instant),
 * texts that begin with the same 256 characters are in the order of their hashes.
 */
import { stat } from 'node:fs/promises';
import type { DuckDBConnection } from '@duckdb/node-api';
import { comparedColumns, type Table } from '../../tables/table.ts';
import { storedColumns, targetColumns } from './column-roles.ts';
import type { MergeRequest } from './engine.ts';
import { copySql, type InPlace, readPartSql, readStagedSql } from './merge-sql.ts';
import { quoteFile, quoteName, quoteText } from './sql-text.ts';

/** Bytes of UTF-8; what is longer is put aside. */
const longText = 1024;

/** Rows of more bytes than this, on average, are merged with their texts aside. */
const wideRow = 4096;

/** A row group of whole texts has about so many bytes before compression. */
const pieceBytes = 8 * 2 ** 20;

/** Texts that are aside are cut into rows of so many characters: DuckDB keeps up to 4,096 bytes with the row. */
const sliceLength = 4000;

/** Stands between the beginning of a text and its hash; no text of AWS has it. */
const mark = '\u{f8ff}sha256:';

/** Columns whose texts can be put aside: only compared, and read by nothing else. */
function contentTexts(table: Table): readonly string[] {
  const { merge, sortBy, columns } = table;
  const readElsewhere = new Set<string>([
    ...sortBy,
    ...(merge.kind === 'append' ? [] : merge.key),
    ...(merge.kind === 'replace-slice' ? merge.slice : []),
    ...targetColumns(table).map(({ name }) => name),
    'state',
  ]);
  const derived = columns.flatMap(({ origin }) => (origin.kind === 'derived' ? [origin.sql] : []));
  return comparedColumns(table)
    .filter(({ name, type }) => type === 'text' && !readElsewhere.has(name))
    .filter(({ name }) => !derived.some((sql) => sql.includes(name)))
    .map(({ name }) => name);
}

/** The short text that stands for a long one. */
export function aside(table: Table): InPlace {
  const names = new Set(contentTexts(table));
  return (name, text) =>
    names.has(name) ? `CASE WHEN strlen(${text}) > ${longText} THEN ${tokenOf(text)} ELSE ${text} END` : text;
}

function tokenOf(text: string): string {
  return `(left(${text}, 256) || ${quoteText(mark)} || sha256(${text}))`;
}

/** The hash in a short text that stands for a long one; null where a text stands for itself. */
function keyOf(text: string): string {
  return `CASE WHEN contains(${text}, ${quoteText(mark)}) THEN right(${text}, 64) END`;
}

/** Whether rows are wide, as far as can be seen without reading them; the dictionary of a part may hide it. */
export async function isWide(
  connection: DuckDBConnection,
  { existing, staged, stagedRows }: MergeRequest,
): Promise<boolean> {
  if (stagedRows !== undefined && stagedRows > 0) {
    const sizes = await Promise.all(staged.map(async (file) => (await stat(file)).size));
    if (sizes.reduce((sum, size) => sum + size, 0) / stagedRows > wideRow) return true;
  }
  if (existing === null) return false;
  const [sums] = await rowsOf(
    connection,
    `SELECT sum(total_uncompressed_size), (SELECT sum(num_rows) FROM parquet_file_metadata([${quoteFile(existing)}]))
     FROM parquet_metadata([${quoteFile(existing)}])`,
  );
  const [bytes, rows] = (sums ?? []).map(Number);
  return Number(bytes) / Math.max(Number(rows), 1) > wideRow;
}

/**
 * Writes a part whose rows have short texts in place of long ones; says how many rows it has.
 * @param select its rows, in order
 * @param present the columns of the published part
 */
export async function writeWithTexts(
  connection: DuckDBConnection,
  { table, existing, staged, output, metadata }: MergeRequest,
  select: string,
  present: ReadonlySet<string>,
): Promise<number> {
  const run = (sql: string) => connection.run(sql);
  await run(`CREATE TEMP TABLE part AS ${select}`);
  const names: string[] = [];
  for (const name of contentTexts(table)) {
    const [found] = await rowsOf(connection, `SELECT count(${keyOf(quoteName(name))}) FROM part`);
    if (Number(found?.[0]) > 0) names.push(name);
  }
  const keysWhere = (rows: string) =>
    names
      .map((name) => `SELECT ${keyOf(quoteName(name))} AS key FROM part WHERE ${rows}`)
      .join(' UNION ALL ') || "SELECT '' AS key WHERE false";
  await run(
    `CREATE TEMP TABLE missing AS SELECT DISTINCT key FROM (${keysWhere('true')}) WHERE key IS NOT NULL`,
  );
  await run('CREATE TEMP TABLE texts (key VARCHAR, slice BIGINT, text VARCHAR, bytes BIGINT)');
  const keep = async (name: string, source: string) => {
    const [left] = await rowsOf(connection, 'SELECT count(*) FROM missing');
    if (Number(left?.[0]) === 0) return;
    const text = quoteName(name);
    await run(`INSERT INTO texts
      SELECT key, slice, substr(text, slice * ${sliceLength} + 1, ${sliceLength}), strlen(text) FROM (
        SELECT key, text, unnest(range((length(text) + ${sliceLength - 1}) // ${sliceLength})) AS slice FROM (
          SELECT sha256(${text}) AS key, ${text} AS text FROM ${source} WHERE strlen(${text}) > ${longText})
        SEMI JOIN missing USING (key))`);
    await run('DELETE FROM missing WHERE key IN (SELECT key FROM texts WHERE slice = 0)');
  };
  const stored = storedColumns(table);
  for (const name of names) {
    const column = stored.filter((one) => one.name === name);
    if (staged.length > 0) await keep(name, readStagedSql(column, staged));
    if (existing !== null && present.has(name)) await keep(name, readPartSql(existing));
  }

  const own = table.columns.filter(({ type }) => type === 'text').map(({ name }) => quoteName(name));
  const bytes = [
    '256',
    ...own.map((name) => `coalesce(strlen(p.${name}), 0)`),
    ...names.map((_, at) => `coalesce(s${at}.bytes, 0)`),
  ];
  const joined = (tables: string, alias: string) =>
    names
      .map(
        (name, at) =>
          `LEFT JOIN ${tables} ${alias}${at} ON ${keyOf(`p.${quoteName(name)}`)} = ${alias}${at}.key`,
      )
      .join(' ');
  await run(
    'CREATE TEMP TABLE sizes AS SELECT key, any_value(bytes) AS bytes FROM texts WHERE slice = 0 GROUP BY key',
  );
  const pieces = await rowsOf(
    connection,
    `SELECT min(_row), max(_row) FROM (
       SELECT p.rowid AS _row, sum(${bytes.join(' + ')}) OVER (ORDER BY p.rowid) // ${pieceBytes} AS piece
       FROM part p ${joined('sizes', 's')})
     GROUP BY piece ORDER BY piece`,
  );
  // What is neither staged nor published as a long text was a short one that looks like this.
  const values = table.columns.map(({ name }) => {
    const at = names.indexOf(name);
    return at < 0
      ? `p.${quoteName(name)}`
      : `coalesce(t${at}.text, p.${quoteName(name)}) AS ${quoteName(name)}`;
  });
  const branches: string[] = [];
  for (const [first, last] of pieces) {
    const rows = `rowid BETWEEN ${first} AND ${last}`;
    // A text that several rows have may have been put aside several times.
    await run(`CREATE OR REPLACE TEMP TABLE here AS SELECT key, string_agg(text, '' ORDER BY slice) AS text FROM (
      SELECT key, slice, any_value(text) AS text FROM texts SEMI JOIN (${keysWhere(rows)}) USING (key)
      GROUP BY key, slice) GROUP BY key`);
    const piece = `piece_${branches.length}`;
    // A table for each: of a longer one, 2,048 rows would be in memory at once.
    await run(`CREATE TEMP TABLE ${piece} AS SELECT ${values} FROM part p ${joined('here', 't')}
      WHERE p.${rows} ORDER BY p.rowid`);
    branches.push(`FROM ${piece}`);
  }
  // The writer is never given more rows at once than those of a piece.
  const [written] = await rowsOf(
    connection,
    copySql(branches.join(' UNION ALL ') || 'FROM part', output, metadata, pieceBytes),
  );
  return Number(written?.[0]);
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await connection.runAndReadAll(sql)).getRows();
}

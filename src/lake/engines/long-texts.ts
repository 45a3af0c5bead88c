/**
 * Merges rows with long texts in little memory. DuckDB processes 2,048 rows at once, however wide they are, and holds them
 * in memory several times while it joins, sorts and writes Parquet. So long texts are set aside during the merge: a short
 * text takes the place of each, made of its beginning and its SHA-256. When the part is written, the long texts come back
 * for a few megabytes of rows at a time. Each of these pieces becomes a row group.
 *
 * The merge compares texts for equality, and equal texts have equal hashes. Where it compares by order (two observations of
 * the same instant), texts with the same first 256 characters are ordered by their hashes.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { comparedColumns, type Table } from '../../tables/table.ts';
import { targetColumns } from './column-roles.ts';
import { rowsOf } from './duckdb-rows.ts';
import { type MergeRequest, stagedBytesOf } from './engine.ts';
import { copySql, type InPlace, readPartSql, stagedTextSql } from './merge-sql.ts';
import { quoteFile, quoteName, quoteText } from './sql-text.ts';

/** In bytes of UTF-8. Longer texts are set aside. */
const longText = 1024;

/** If rows have more bytes than this on average, their long texts are set aside. */
const wideRow = 4096;

/** The approximate size of a row group with long texts, before compression. */
const pieceBytes = 8 * 2 ** 20;

/** Texts that are set aside are stored in slices of so many characters: DuckDB keeps up to 4,096 bytes with the row. */
const sliceLength = 4000;

/** Separates the beginning of a text from its hash. AWS's texts do not contain it. */
const mark = '\u{f8ff}sha256:';

/** Columns whose texts can be set aside: they are only compared, and nothing else reads them. */
function contentTexts(table: Table): readonly string[] {
  const { merge, sortBy, columns } = table;
  const readElsewhere = new Set<string>([
    ...sortBy,
    ...(merge.kind === 'append' ? [] : merge.key),
    ...(merge.kind === 'replace-slice' ? merge.slice : []),
    ...targetColumns(table).map(({ name }) => name),
    // The history of a job's states is made of them.
    'state',
    'message_category',
  ]);
  const derived = columns.flatMap(({ origin }) => (origin.kind === 'derived' ? [origin.sql] : []));
  return comparedColumns(table)
    .filter(({ name, type }) => type === 'text' && !readElsewhere.has(name))
    .filter(({ name }) => !derived.some((sql) => sql.includes(name)))
    .map(({ name }) => name);
}

/** Replaces long texts by short ones. */
export function aside(table: Table): InPlace {
  const names = new Set(contentTexts(table));
  return (name, text) =>
    names.has(name) ? `CASE WHEN strlen(${text}) > ${longText} THEN ${tokenOf(text)} ELSE ${text} END` : text;
}

function tokenOf(text: string): string {
  return `(left(${text}, 256) || ${quoteText(mark)} || sha256(${text}))`;
}

/** The hash in a short text that replaces a long one; null for a text that was not replaced. */
function keyOf(text: string): string {
  return `CASE WHEN contains(${text}, ${quoteText(mark)}) THEN right(${text}, 64) END`;
}

/** Whether staged rows are wide. @param bytes of their lines */
export function isWideStaged(bytes: number, rows: number): boolean {
  return rows > 0 && bytes / rows > wideRow;
}

/** Whether rows are wide, as far as sizes show that. The dictionary encoding of a part may hide it. */
export async function isWide(connection: DuckDBConnection, request: MergeRequest): Promise<boolean> {
  const { existing, stagedRows } = request;
  if (stagedRows !== undefined && isWideStaged(await stagedBytesOf(request), stagedRows)) return true;
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
 * Writes a part whose rows have short texts in place of long ones. Returns the number of rows.
 * @param select the SQL for its rows, in order
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
  for (const name of names) {
    if (staged.length > 0) await keep(name, stagedTextSql(table, name, staged));
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
  // A text without a match was always short, and only looks like a replacement.
  const values = table.columns.map(({ name }) => {
    const at = names.indexOf(name);
    return at < 0
      ? `p.${quoteName(name)}`
      : `coalesce(t${at}.text, p.${quoteName(name)}) AS ${quoteName(name)}`;
  });
  const branches: string[] = [];
  for (const [first, last] of pieces) {
    const rows = `rowid BETWEEN ${first} AND ${last}`;
    // A text that occurs in several rows may have been set aside several times.
    await run(`CREATE OR REPLACE TEMP TABLE here AS SELECT key, string_agg(text, '' ORDER BY slice) AS text FROM (
      SELECT key, slice, any_value(text) AS text FROM texts SEMI JOIN (${keysWhere(rows)}) USING (key)
      GROUP BY key, slice) GROUP BY key`);
    const piece = `piece_${branches.length}`;
    // One table per piece: of a larger table, 2,048 rows would be in memory at once.
    await run(`CREATE TEMP TABLE ${piece} AS SELECT ${values} FROM part p ${joined('here', 't')}
      WHERE p.${rows} ORDER BY p.rowid`);
    branches.push(`FROM ${piece}`);
  }
  // The writer never gets more rows at once than one piece has.
  const [written] = await rowsOf(
    connection,
    copySql(branches.join(' UNION ALL ') || 'FROM part', output, metadata, { bytes: pieceBytes }),
  );
  return Number(written?.[0]);
}

/**
 * Makes a table of the lake a view in the engine: every declared column has its declared type, whichever engine wrote a
 * part, and is null if a part is older than the column.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteFile, quoteName, quoteText } from '../lake/engines/sql-text.ts';
import { LakeError, PartChangedError } from '../shared/errors.ts';
import type { ColumnType, Table } from '../tables/table.ts';
import type { Part } from './lake-parts.ts';

/** Types for reading. Times are `TIMESTAMP`, for which the engine has more functions. */
const readTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP',
};

const storedAs: Readonly<Record<ColumnType, RegExp>> = {
  text: /^VARCHAR$/,
  bigint: /^(BIGINT|INTEGER|SMALLINT|TINYINT|U?(INTEGER|SMALLINT|TINYINT))$/,
  boolean: /^BOOLEAN$/,
  timestamp: /^TIMESTAMP/,
};

/** @throws like tableSql */
export async function createTableView(
  connection: DuckDBConnection,
  table: Table,
  parts: readonly Part[],
): Promise<void> {
  const sql = await tableSql(connection, table, parts);
  await connection.run(`CREATE VIEW ${quoteName(table.name)} AS ${sql}`);
}

/** @throws LakeError for a part that is not Parquet, or whose columns have other types */
export async function tableSql(
  connection: DuckDBConnection,
  table: Table,
  parts: readonly Part[],
): Promise<string> {
  const selects: string[] = [];
  for (const alike of await partsBySchema(connection, parts)) {
    const [first] = alike;
    if (first === undefined) continue;
    selects.push(selectSql(table, alike, await columnsOf(connection, first)));
  }
  return selects.length === 0 ? noRowsSql(table) : selects.join('\nUNION ALL ');
}

/** Groups parts by schema, so that a query does not open the footers of parts whose day it excludes. */
async function partsBySchema(
  connection: DuckDBConnection,
  parts: readonly Part[],
): Promise<readonly (readonly Part[])[]> {
  if (parts.length === 0) return [];
  const byFile = new Map(parts.map((part) => [part.file, part]));
  const reader = await connection
    .runAndReadAll(
      `SELECT list(file_name ORDER BY file_name) FROM (
         SELECT file_name, string_agg(concat_ws(' ', name, type, converted_type, logical_type), ',' ORDER BY name) AS form
         FROM parquet_schema([${parts.map(({ file }) => quoteFile(file))}]) GROUP BY file_name)
       GROUP BY form ORDER BY min(file_name)`,
    )
    .catch((error: unknown) => {
      throw unreadable(error, parts);
    });
  return reader
    .getRowsJS()
    .map(([files]) => (Array.isArray(files) ? files : []).flatMap((file) => byFile.get(String(file)) ?? []));
}

async function columnsOf(connection: DuckDBConnection, part: Part): Promise<ReadonlyMap<string, string>> {
  const reader = await connection.runAndReadAll(
    `DESCRIBE SELECT * FROM read_parquet([${quoteFile(part.file)}], hive_partitioning = false)`,
  );
  return new Map(reader.getRowsJS().map(([name, type]) => [String(name), String(type)]));
}

function selectSql(table: Table, parts: readonly Part[], present: ReadonlyMap<string, string>): string {
  const [first] = parts;
  const values = table.columns.map(({ name, type }) => {
    const stored = present.get(name);
    if (stored === undefined) return `NULL::${readTypes[type]} AS ${quoteName(name)}`;
    if (!storedAs[type].test(stored)) {
      throw new LakeError(
        `In the part ${first?.key} of ${table.name}, the column ${name} has the type ${stored}, not ${type}`,
        'Restore the part’s earlier version, or use the program version that wrote it.',
      );
    }
    // A plain cast from a timestamp with time zone would use the session's zone.
    const value = stored.endsWith('WITH TIME ZONE')
      ? `make_timestamp_ms(epoch_ms(${quoteName(name)}))`
      : quoteName(name);
    return `${value}::${readTypes[type]} AS ${quoteName(name)}`;
  });
  const partitions = table.partitions.map(({ name }) => quoteName(name));
  const types = table.partitions.map(({ name }) => `${quoteText(name)}: 'VARCHAR'`);
  return `SELECT ${[...values, ...partitions]} FROM read_parquet([${parts.map(({ file }) => quoteFile(file))}],
    hive_partitioning = true, hive_types = {${types}})`;
}

function noRowsSql(table: Table): string {
  const values = table.columns.map(({ name, type }) => `NULL::${readTypes[type]} AS ${quoteName(name)}`);
  const partitions = table.partitions.map(({ name }) => `NULL::VARCHAR AS ${quoteName(name)}`);
  return `SELECT ${[...values, ...partitions]} WHERE false`;
}

function unreadable(error: unknown, parts: readonly Part[]): PartChangedError {
  const message = error instanceof Error ? error.message : String(error);
  const named = parts.find(({ file }) => message.includes(file));
  return new PartChangedError(
    `${named === undefined ? 'A part of the lake' : `The part ${named.key}`} cannot be read: ${message}`,
    'If an export just replaced it, run the query again; otherwise restore its earlier version.',
    { cause: error },
  );
}

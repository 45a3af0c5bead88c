/**
 * Writes parts with parquetjs-lite 0.8.7, with the only settings whose files are correct in every reader. With its defaults
 * it writes a page index that Java readers reject, and statistics that make filters lose rows.
 */
import { createWriteStream } from 'node:fs';
import { PassThrough } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import parquet from 'parquetjs-lite';
import { EngineError } from '../../shared/errors.ts';
import type { Column, ColumnType, Row, Table } from '../../tables/table.ts';
import { markTimestamps } from './part-footer.ts';
import { openPart, readPart } from './part-reader.ts';
import { isExact } from './part-schema.ts';

/** How many rows the writer holds in memory before it encodes them. */
export const rowGroupSize = 20_000;

/** `pageSize` counts rows. A row group with more than one page would have wrong statistics. */
const profile = { useDataPageV2: false, pageIndex: false, rowGroupSize, pageSize: rowGroupSize };

const fieldTypes = {
  text: 'UTF8',
  bigint: 'INT64',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_MILLIS',
} as const satisfies Record<ColumnType, string>;

/**
 * Writes all rows and reads them back with another reader.
 * @throws EngineError when a value is not of its column's type, or the file does not hold what was written
 */
export async function writePart(
  table: Table,
  rows: readonly Row[],
  file: string,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const fields = Object.fromEntries(
    table.columns.map((column) => [
      column.name,
      {
        type: fieldTypes[column.type],
        optional: true,
        compression: 'GZIP' as const,
        ...(hasWrongOrder(column, rows) ? { statistics: false as const } : {}),
      },
    ]),
  );
  const body = new PassThrough();
  await Promise.all([
    pipeline(body, createWriteStream(file)),
    writeRows(table, rows, new parquet.ParquetSchema(fields), body, metadata).catch((error: unknown) => {
      body.destroy(error instanceof Error ? error : new Error(String(error)));
      throw error;
    }),
  ]);
  await markTimestamps(file);
  await verify(table, rows, file);
}

async function writeRows(
  table: Table,
  rows: readonly Row[],
  schema: InstanceType<typeof parquet.ParquetSchema>,
  body: PassThrough,
  metadata: Readonly<Record<string, string>>,
): Promise<void> {
  const writer = await parquet.ParquetWriter.openStream(schema, body, profile);
  for (const [name, value] of Object.entries(metadata)) writer.setMetadata(name, value);
  const dates = new Map<number, Date>();
  for (const row of rows) await writer.appendRow(strictRow(table, row, dates));
  await writer.close();
}

/** The writer computes minimum and maximum in UTF-16 order, which is correct only for ASCII. */
function hasWrongOrder(column: Column, rows: readonly Row[]): boolean {
  if (column.type !== 'text') return false;
  return column.freeText === true || rows.some((row) => !isAscii(row[column.name]));
}

function isAscii(value: unknown): boolean {
  return typeof value !== 'string' || /^\p{ASCII}*$/u.test(value);
}

/** The writer would silently convert or truncate a value that does not fit its column. Here that is an error. */
function strictRow(
  table: Table,
  row: Row,
  dates: Map<number, Date>,
): Record<string, string | number | boolean | Date> {
  const strict: Record<string, string | number | boolean | Date> = {};
  for (const { name, type } of table.columns) {
    const value = row[name];
    if (value === null || value === undefined) continue;
    if (!isExact(type, value)) {
      throw new EngineError(
        `A row of ${table.name} cannot be written: column ${name}: not an exact ${type}: ${String(value)}`,
        'This is a bug in the program: please report it with the record.',
      );
    }
    strict[name] = type === 'timestamp' ? dateOf(Number(value), dates) : value;
  }
  return strict;
}

/** The same Date object for the same instant: the writer counts distinct values by identity. */
function dateOf(epochMs: number, dates: Map<number, Date>): Date {
  const known = dates.get(epochMs);
  if (known !== undefined) return known;
  const date = new Date(epochMs);
  dates.set(epochMs, date);
  return date;
}

async function verify(table: Table, rows: readonly Row[], file: string): Promise<void> {
  const part = await openPart(file);
  const instant = part.metadata.schema.find(
    ({ logical_type: logical }) => logical?.type === 'TIMESTAMP' && logical.isAdjustedToUTC,
  );
  if (instant !== undefined) throw differs(table, file, `${instant.name} is marked as adjusted to UTC`);
  let at = 0;
  for await (const group of readPart(part, table)) {
    for (const read of group) {
      const row = rows[at];
      const wrong = table.columns.find(({ name }) => (row?.[name] ?? null) !== (read[name] ?? null));
      if (row === undefined || wrong !== undefined) throw differs(table, file, `row ${at}, ${wrong?.name}`);
      at += 1;
    }
  }
  if (at !== rows.length) throw differs(table, file, `${at} rows instead of ${rows.length}`);
}

function differs(table: Table, file: string, where: string): EngineError {
  return new EngineError(
    `The newly written part ${file} of ${table.name} reads back differently: ${where}`,
    'Nothing was published. Use --engine duckdb, and please report this.',
  );
}

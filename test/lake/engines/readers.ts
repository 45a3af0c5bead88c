/** Readers of parts that nobody here wrote, each giving plain rows with times in epoch milliseconds. */
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import type { Row, Table, Value } from '../../../src/tables/table.ts';
import { connectToRead } from '../../support/reading-database.ts';

/** With hyparquet as it comes, but for its text decoder, which drops a byte order mark. */
export async function readWithHyparquet(file: string): Promise<Row[]> {
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  const objects = await parquetReadObjects({
    file: await asyncBufferFromFile(file),
    compressors,
    parsers: { stringFromBytes: (bytes: Uint8Array) => bytes && decoder.decode(bytes) },
  });
  return objects.map((object) =>
    Object.fromEntries(Object.entries(object).map(([name, value]) => [name, plain(value)])),
  );
}

export async function keyValueMetadata(file: string): Promise<Record<string, string | undefined>> {
  const { key_value_metadata: pairs } = await parquetMetadataAsync(await asyncBufferFromFile(file));
  return Object.fromEntries((pairs ?? []).map(({ key, value }) => [key, value]));
}

export async function queryWithDuckDb(sql: string): Promise<unknown[][]> {
  const connection = await connectToRead();
  try {
    return (await connection.runAndReadAll(sql)).getRows();
  } finally {
    connection.closeSync();
  }
}

export async function readWithDuckDb(table: Table, file: string): Promise<Row[]> {
  // A text's first character is kept from DuckDB's client, whose decoder drops a byte order mark.
  const columns = table.columns.map(({ name, type }) => {
    if (type === 'timestamp') return `epoch_ms("${name}")`;
    return type === 'text' ? `'|' || "${name}"` : `"${name}"`;
  });
  const rows = await queryWithDuckDb(
    `SELECT ${columns} FROM read_parquet('${file.replaceAll('[', '[[]')}', hive_partitioning = false, file_row_number = true)
     ORDER BY file_row_number`,
  );
  return rows.map((row) =>
    Object.fromEntries(
      table.columns.map(({ name, type }, at) => {
        const value = plain(row[at]);
        return [name, type === 'text' && value !== null ? String(value).slice(1) : value];
      }),
    ),
  );
}

function plain(value: unknown): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'bigint') {
    if (BigInt(Number(value)) !== value) throw new RangeError(`${value} is not exact`);
    return Number(value);
  }
  if (value instanceof Date) return value.getTime();
  if (typeof value === 'string' || typeof value === 'boolean' || typeof value === 'number') return value;
  throw new TypeError(`unexpected ${String(value)}`);
}

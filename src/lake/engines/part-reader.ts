/** Reads parts with hyparquet, in plain JavaScript, whichever engine wrote them. Nothing is rounded. */
import { readFile, stat } from 'node:fs/promises';
import type { AsyncBuffer, FileMetaData, SchemaElement } from 'hyparquet';
import { asyncBufferFromFile, parquetMetadataAsync, parquetReadObjects, parquetScan } from 'hyparquet';
import { compressors } from 'hyparquet-compressors';
import { EngineError } from '../../shared/errors.ts';
import type { Column, ColumnType, Row, Table, Value } from '../../tables/table.ts';

export interface OpenPart {
  readonly path: string;
  readonly file: AsyncBuffer;
  readonly metadata: FileMetaData;
  readonly rows: number;
  /** The columns with their types; null: a type that no table uses. */
  readonly columns: ReadonlyMap<string, ColumnType | null>;
}

/** Reads only the footer. @throws EngineError */
export async function openPart(path: string): Promise<OpenPart> {
  try {
    const file = await bufferOf(path);
    const metadata = await parquetMetadataAsync(file, { parsers: footerParsers });
    return {
      path,
      file,
      metadata,
      rows: Number(metadata.num_rows),
      columns: new Map(metadata.schema.slice(1).map((element) => [element.name, columnType(element)])),
    };
  } catch (error) {
    throw unreadable(path, error);
  }
}

/**
 * The rows, one row group after the other. Columns that the part does not have are missing.
 * @throws EngineError when the part cannot be read, or has a number that JavaScript cannot represent exactly
 */
export async function* readPart(part: OpenPart, table: Table): AsyncGenerator<readonly Row[]> {
  const columns = table.columns.filter(({ name }) => part.columns.has(name));
  let rowStart = 0;
  for (const group of part.metadata.row_groups) {
    const rowEnd = rowStart + Number(group.num_rows);
    let objects: readonly Record<string, unknown>[];
    try {
      objects = await parquetReadObjects({
        file: part.file,
        metadata: part.metadata,
        columns: columns.map(({ name }) => name),
        rowStart,
        rowEnd,
        compressors,
        parsers,
      });
    } catch (error) {
      throw unreadable(part.path, error);
    }
    yield objects.map((object) => exactRow(object, columns, part.path));
    rowStart = rowEnd;
  }
}

/** Up to this size a part is read at once: otherwise each column of each row group is a read of its own. */
const readAtOnceBytes = 4 * 2 ** 20;

async function bufferOf(path: string): Promise<AsyncBuffer> {
  const { size } = await stat(path);
  if (size > readAtOnceBytes) return await asyncBufferFromFile(path);
  const { buffer, byteOffset, byteLength } = await readFile(path);
  return {
    byteLength,
    slice: (start, end = byteLength) => buffer.slice(byteOffset + start, byteOffset + end),
  };
}

/** The key-value metadata in the footer. */
export function footerOf({ metadata }: Pick<OpenPart, 'metadata'>): ReadonlyMap<string, string> {
  return new Map((metadata.key_value_metadata ?? []).map(({ key, value }) => [key, value ?? '']));
}

/**
 * The values of one column in the rows `[from, to)`, which lie in one row group.
 * @throws EngineError like readPart
 */
export async function readValues(
  part: OpenPart,
  column: string,
  from: number,
  to: number,
): Promise<readonly Value[]> {
  let raw: ArrayLike<unknown>;
  try {
    const { file, metadata } = part;
    const scan = await parquetScan({
      file,
      metadata,
      columns: [column],
      compressors,
      parsers,
      useOffsetIndex: false,
    });
    raw = await scan.readColumn({ column, rowStart: from, rowEnd: to });
  } catch (error) {
    throw unreadable(part.path, error);
  }
  return Array.from(raw, (value) => exactValue(value, column, part.path));
}

/** hyparquet's own text decoder drops a leading byte order mark, and its dates drop microseconds. */
const decoder = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });
const parsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && decoder.decode(bytes),
  timestampFromMilliseconds: (value: bigint) => value,
  timestampFromMicroseconds: (value: bigint) => value / 1000n,
};

/** Texts in the footer, such as minima, may be cut in the middle of a character. */
const footerDecoder = new TextDecoder('utf-8', { ignoreBOM: true });
const footerParsers = {
  stringFromBytes: (bytes: Uint8Array | undefined) => bytes && footerDecoder.decode(bytes),
  timestampFromMilliseconds: parsers.timestampFromMilliseconds,
  timestampFromMicroseconds: parsers.timestampFromMicroseconds,
};

function exactRow(object: Readonly<Record<string, unknown>>, columns: readonly Column[], path: string): Row {
  const row: Record<string, Value> = {};
  for (const { name } of columns) row[name] = exactValue(object[name], name, path);
  return row;
}

function exactValue(value: unknown, name: string, path: string): Value {
  if (value === null || value === undefined) return null;
  if (typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'bigint' && Number.isSafeInteger(Number(value))) return Number(value);
  throw unreadable(path, new RangeError(`column ${name} contains ${String(value)}`));
}

function columnType({
  type,
  converted_type: converted,
  logical_type: logical,
}: SchemaElement): ColumnType | null {
  if (type === 'BOOLEAN') return 'boolean';
  if (type === 'BYTE_ARRAY') return converted === 'UTF8' || logical?.type === 'STRING' ? 'text' : null;
  if (type !== 'INT64') return null;
  if (logical?.type === 'TIMESTAMP') return logical.unit === 'NANOS' ? null : 'timestamp';
  if (converted === 'TIMESTAMP_MILLIS' || converted === 'TIMESTAMP_MICROS') return 'timestamp';
  return converted === undefined || converted === 'INT_64' ? 'bigint' : null;
}

function unreadable(path: string, error: unknown): EngineError {
  const reason = error instanceof Error ? error.message : String(error);
  return new EngineError(
    `The part ${path} cannot be read: ${reason}`,
    'It is damaged, or not a part of this lake. Restore its earlier version.',
    { cause: error },
  );
}

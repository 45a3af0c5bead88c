/** Edits the footer of a part that parquetjs-lite has written, so that its timestamps have the same type as DuckDB's. */
import { open } from 'node:fs/promises';
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import { decodeThrift, serializeThrift } from 'parquetjs-lite/lib/util.js';
import { EngineError } from '../../shared/errors.ts';

/** The footer's length, little-endian, and `PAR1` (github.com/apache/parquet-format, README.md, File format). */
const tailLength = 8;

/**
 * parquetjs-lite only supports the older type `TIMESTAMP_MILLIS`, which readers interpret as an instant in UTC
 * (github.com/apache/parquet-format, LogicalTypes.md). This adds the newer type, as in DuckDB's files: a timestamp in
 * milliseconds that is not adjusted to UTC.
 * @throws EngineError when the file has no such footer
 */
export async function markTimestamps(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { size } = await file.stat();
    const tail = await read(file, size - tailLength, tailLength);
    const length = tail.readUInt32LE(0);
    const start = size - tailLength - length;
    const footer = new thrift.FileMetaData();
    decodeThrift(footer, await read(file, start, length));
    for (const element of footer.schema) {
      if (element.converted_type === thrift.ConvertedType.TIMESTAMP_MILLIS) element.logicalType = local();
    }
    const marked = serializeThrift(footer);
    tail.writeUInt32LE(marked.length, 0);
    await file.write(Buffer.concat([marked, tail]), 0, marked.length + tailLength, start);
  } catch (error) {
    throw new EngineError(
      `The footer of the newly written ${path} cannot be read: ${error instanceof Error ? error.message : String(error)}`,
      'Nothing was published. Use --engine duckdb, and please report this.',
      { cause: error },
    );
  } finally {
    await file.close();
  }
}

function local() {
  const unit = new thrift.TimeUnit({ MILLIS: new thrift.MilliSeconds() });
  return new thrift.LogicalType({ TIMESTAMP: new thrift.TimestampType({ isAdjustedToUTC: false, unit }) });
}

async function read(
  file: Awaited<ReturnType<typeof open>>,
  position: number,
  length: number,
): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new RangeError(`${bytesRead} of ${length} bytes at ${position}`);
  return buffer;
}

/** Edits the footer of a part that parquetjs-lite has written, so that its timestamps have the same type as DuckDB's. */
import { open } from 'node:fs/promises';
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import { decodeThrift, serializeThrift } from 'parquetjs-lite/lib/util.js';
import { EngineError } from '../../shared/errors.ts';
import { endingWith, readFooter } from './footer-bytes.ts';

/**
 * parquetjs-lite only supports the older type `TIMESTAMP_MILLIS`, which readers interpret as an instant in UTC
 * (github.com/apache/parquet-format, LogicalTypes.md). This adds the newer type, as in DuckDB's files: a timestamp in
 * milliseconds that is not adjusted to UTC.
 * @throws EngineError when the file has no such footer
 */
export async function markTimestamps(path: string): Promise<void> {
  const file = await open(path, 'r+');
  try {
    const { start, bytes } = await readFooter(file);
    const footer = new thrift.FileMetaData();
    decodeThrift(footer, bytes);
    for (const element of footer.schema) {
      if (element.converted_type === thrift.ConvertedType.TIMESTAMP_MILLIS) element.logicalType = local();
    }
    const ending = endingWith(serializeThrift(footer));
    await file.write(ending, 0, ending.length, start);
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

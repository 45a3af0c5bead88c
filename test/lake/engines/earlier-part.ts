/** Parts as earlier versions of this program wrote them. */
import { readFile, writeFile } from 'node:fs/promises';
import thrift from 'parquetjs-lite/gen-nodejs/parquet_types.js';
import { decodeThrift, serializeThrift } from 'parquetjs-lite/lib/util.js';

/** Up to 0.1.0, parts of parquetjs-lite had times of the older type alone, which readers take for instants in UTC. */
export async function withEarlierTimes(file: string): Promise<void> {
  const bytes = await readFile(file);
  const length = bytes.readUInt32LE(bytes.length - 8);
  const start = bytes.length - 8 - length;
  const footer = new thrift.FileMetaData();
  decodeThrift(footer, bytes.subarray(start, bytes.length - 8));
  for (const element of footer.schema) element.logicalType = null;
  const earlier = serializeThrift(footer);
  const tail = Buffer.from(bytes.subarray(bytes.length - 8));
  tail.writeUInt32LE(earlier.length, 0);
  await writeFile(file, Buffer.concat([bytes.subarray(0, start), earlier, tail]));
}

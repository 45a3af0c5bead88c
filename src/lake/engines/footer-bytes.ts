/** Where a Parquet file has its footer (github.com/apache/parquet-format, README.md, File format). */
import type { FileHandle } from 'node:fs/promises';

/** At both ends of a file. */
export const magic = Buffer.from('PAR1');

/** The footer's length, little-endian, and the magic number. */
const tailLength = 8;

/** @throws RangeError when the file ends before its footer does */
export async function readFooter(
  file: FileHandle,
): Promise<{ readonly start: number; readonly bytes: Buffer }> {
  const { size } = await file.stat();
  const length = (await read(file, size - tailLength, tailLength)).readUInt32LE(0);
  const start = size - tailLength - length;
  return { start, bytes: await read(file, start, length) };
}

/** What stands at the end of a file with this footer. */
export function endingWith(footer: Buffer): Buffer {
  const length = Buffer.alloc(tailLength - magic.length);
  length.writeUInt32LE(footer.length);
  return Buffer.concat([footer, length, magic]);
}

async function read(file: FileHandle, position: number, length: number): Promise<Buffer> {
  const { buffer, bytesRead } = await file.read(Buffer.alloc(length), 0, length, position);
  if (bytesRead !== length) throw new RangeError(`${bytesRead} of ${length} bytes at ${position}`);
  return buffer;
}

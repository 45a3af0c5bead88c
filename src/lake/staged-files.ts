/**
 * Files of staged rows: lines as in staged-line.ts, plain (`.csv`) or in frames of zstd (`.csv.zst`), or typed rows (`.parquet`),
 * for engines that write such files. Before each frame stands a skippable frame with its length, because Node
 * 24 cannot tell where a frame ends and stops at the second. Other readers skip it (RFC 8878, section 3.1.2).
 */
import { createReadStream } from 'node:fs';
import { open } from 'node:fs/promises';
import { promisify } from 'node:util';
import { constants, zstdCompress, zstdDecompress } from 'node:zlib';
import { scratchError } from './stores/file-errors.ts';

export const packedEnding = '.zst';

export const typedEnding = '.parquet';

const compress = promisify(zstdCompress);
const decompress = promisify(zstdDecompress);
const skippableMagic = 0x184d2a50;
const headBytes = 12;

/** Whole lines as one frame, to append to a packed file. Takes place off the main thread. */
export async function frameOf(lines: readonly Uint8Array[]): Promise<readonly Uint8Array[]> {
  const frame = await compress(Buffer.concat(lines), { params: { [constants.ZSTD_c_compressionLevel]: 1 } });
  const head = Buffer.alloc(headBytes);
  head.writeUInt32LE(skippableMagic, 0);
  head.writeUInt32LE(headBytes - 8, 4);
  head.writeUInt32LE(frame.length, 8);
  return [head, frame];
}

/**
 * Appends the pieces with one write for all of them: there are many short ones, and writeFile takes a round trip to another
 * thread for each. If it fails, some of the bytes may be in the file.
 */
export async function appendPieces(file: string, pieces: readonly Uint8Array[]): Promise<void> {
  const handle = await open(file, 'a', 0o600);
  try {
    for (let rest = pieces; rest.length > 0; ) {
      const { bytesWritten } = await handle.writev(rest);
      rest = piecesAfter(rest, bytesWritten);
    }
  } finally {
    await handle.close();
  }
}

/** What is left after so many bytes: a nearly full disk takes less than it is given, and refuses only the next write. */
export function piecesAfter(pieces: readonly Uint8Array[], bytes: number): readonly Uint8Array[] {
  let left = bytes;
  for (const [at, piece] of pieces.entries()) {
    if (left < piece.length) return [piece.subarray(left), ...pieces.slice(at + 1)];
    left -= piece.length;
  }
  return [];
}

/** The bytes of the file, unpacked, some at a time. @throws ScratchError */
export async function* bytesIn(file: string): AsyncGenerator<Buffer> {
  try {
    if (file.endsWith(packedEnding)) yield* framesIn(file);
    else yield* createReadStream(file, { highWaterMark: 256 * 1024 });
  } catch (error) {
    throw scratchError('read', file, error);
  }
}

async function* framesIn(file: string): AsyncGenerator<Buffer> {
  const handle = await open(file, 'r');
  try {
    const head = Buffer.alloc(headBytes);
    for (let at = 0; ; ) {
      const { bytesRead } = await handle.read(head, 0, headBytes, at);
      if (bytesRead === 0) return;
      const length = head.readUInt32LE(8);
      const frame = Buffer.alloc(length);
      const { bytesRead: found } = await handle.read(frame, 0, length, at + headBytes);
      if (bytesRead < headBytes || found < length) throw new RangeError('the file ends within a frame');
      yield await decompress(frame);
      at += headBytes + length;
    }
  } finally {
    await handle.close();
  }
}

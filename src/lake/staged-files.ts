/** Reads files of staged rows again. */
import { createReadStream } from 'node:fs';
import { scratchError } from './stores/file-errors.ts';

/**
 * The lines of the files, some at a time, without line feeds. Each character is one byte of UTF-8, which is a quarter of the
 * work of decoding.
 * @throws ScratchError
 */
export async function* linesIn(files: readonly string[]): AsyncGenerator<readonly string[]> {
  for (const file of files) {
    let rest = '';
    try {
      for await (const chunk of createReadStream(file, { encoding: 'latin1', highWaterMark: 256 * 1024 })) {
        const lines = `${rest}${chunk}`.split('\n');
        rest = lines.pop() ?? '';
        yield lines;
      }
    } catch (error) {
      throw scratchError('read', file, error);
    }
    if (rest !== '') yield [rest];
  }
}

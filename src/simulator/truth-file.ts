/** The truth as a file. It is replaced as a whole, so it is always complete. */

import { once } from 'node:events';
import { constants, createWriteStream, type WriteStream } from 'node:fs';
import { copyFile, mkdir, rename, rm, stat, truncate } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Truth } from './truth.ts';

export class TruthFile {
  readonly #path: string;
  readonly #truth: Truth;
  /** The first day that may still change, and where its block begins in the last written file. */
  #final: { day: number; bytes: number } | null = null;

  constructor(path: string, truth: Truth) {
    this.#path = path;
    this.#truth = truth;
  }

  /** Copies the blocks of final days from the existing file and writes the others again. */
  async write(): Promise<void> {
    await mkdir(dirname(this.#path), { recursive: true });
    const temporary = `${this.#path}.${process.pid}.tmp`;
    try {
      const whole = { day: this.#truth.days.first, bytes: 0 };
      const final = (await this.#holdsFinalDays()) ? (this.#final ?? whole) : whole;
      if (final.bytes > 0) {
        // The kernel copies the file, or shares its blocks on file systems that can.
        await copyFile(this.#path, temporary, constants.COPYFILE_FICLONE);
        await truncate(temporary, final.bytes);
      }
      const stream = createWriteStream(temporary, { flags: final.bytes > 0 ? 'a' : 'w' });
      const next = await this.#append(stream, final);
      stream.end();
      await once(stream, 'close');
      await rename(temporary, this.#path);
      this.#final = next;
    } finally {
      await rm(temporary, { force: true });
    }
  }

  /** False if somebody has removed or truncated the file. */
  async #holdsFinalDays(): Promise<boolean> {
    const found = await stat(this.#path).catch(() => null);
    return found !== null && found.size >= (this.#final?.bytes ?? 0);
  }

  async #append(
    stream: WriteStream,
    from: { readonly day: number; readonly bytes: number },
  ): Promise<{ day: number; bytes: number }> {
    let bytes = from.bytes;
    let next = from;
    for (let day = from.day; day < this.#truth.days.end; day++) {
      for (const site of this.#truth.sites) {
        let text = '';
        for (const line of this.#truth.block(day, site)) {
          text += `${JSON.stringify(line)}\n`;
          if (text.length < 1 << 20) continue;
          bytes += await written(stream, text);
          text = '';
        }
        bytes += await written(stream, text);
      }
      if (next.day === day && this.#truth.isFinal(day)) next = { day: day + 1, bytes };
    }
    return next;
  }
}

/** Writes text; resolves with its number of bytes when the stream can take more. */
async function written(stream: WriteStream, text: string): Promise<number> {
  if (text === '') return 0;
  const bytes = Buffer.from(text);
  if (!stream.write(bytes)) await once(stream, 'drain');
  return bytes.length;
}

/**
 * Files of staged lines, cut into short ones. DuckDB's reader of CSV holds the bytes of 2,048 rows of a file in memory, however
 * long they are, so rows with long texts stay within its memory limit only if their file is short.
 */
import { type FileHandle, open, rm } from 'node:fs/promises';
import { bytesIn, typedEnding } from '../staged-files.ts';
import { scratchError } from '../stores/file-errors.ts';

const quote = 0x22;
const lineFeed = 0x0a;

export class ShortFiles {
  /** Those of typed rows are as they were. */
  readonly files: string[] = [];
  /** On disk, of those that were made. */
  bytes = 0;
  readonly #made: string[] = [];
  readonly #path: string;
  readonly #shortBytes: number;
  #handle: FileHandle | null = null;
  #written = 0;

  /**
   * @param path the files that are made have it, a number and an ending
   * @param shortBytes a file ends with the first line that ends after so many bytes
   */
  constructor(path: string, shortBytes = 4 * 2 ** 20) {
    this.#path = path;
    this.#shortBytes = shortBytes;
  }

  /** @throws ScratchError; an error that names DuckDB's setting, if they need more than `mostBytes` */
  async cut(staged: readonly string[], mostBytes = Number.POSITIVE_INFINITY): Promise<void> {
    for (const file of staged) {
      if (file.endsWith(typedEnding)) this.files.push(file);
      else await this.#cut(file, mostBytes);
    }
  }

  async remove(): Promise<void> {
    await this.#end();
    await Promise.all(this.#made.map((file) => rm(file, { force: true })));
  }

  async #cut(file: string, mostBytes: number): Promise<void> {
    let isInText = false;
    for await (const bytes of bytesIn(file)) {
      let from = 0;
      for (let at = 0; at < bytes.length; at += 1) {
        const byte = bytes[at];
        if (byte === quote) isInText = !isInText;
        if (byte !== lineFeed || isInText || this.#written + at - from < this.#shortBytes) continue;
        await this.#write(bytes.subarray(from, at + 1));
        await this.#end();
        from = at + 1;
      }
      await this.#write(bytes.subarray(from));
      if (this.bytes > mostBytes) throw new Error(`cut lines exceed max_temp_directory_size: ${mostBytes}`);
    }
    await this.#end();
  }

  async #write(bytes: Uint8Array): Promise<void> {
    if (bytes.length === 0) return;
    if (this.#handle === null) this.#made.push(`${this.#path}.${this.#made.length}.csv`);
    const path = this.#made.at(-1) ?? '';
    try {
      if (this.#handle === null) {
        this.#handle = await open(path, 'w', 0o600);
        this.files.push(path);
      }
      await this.#handle.writeFile(bytes);
    } catch (error) {
      throw scratchError('written', path, error);
    }
    this.#written += bytes.length;
    this.bytes += bytes.length;
  }

  async #end(): Promise<void> {
    const handle = this.#handle;
    this.#handle = null;
    this.#written = 0;
    await handle?.close();
  }
}

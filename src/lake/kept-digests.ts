/** The digests of a part's staged lines until the part is published: in memory, and in a file once that has to be free. */
import { open, rm, writeFile } from 'node:fs/promises';
import { type LineDigests, later } from './line-digests.ts';
import { scratchError } from './stores/file-errors.ts';

/** In numbers of 8 bytes. */
const smallest = 64;
const readAtOnce = 32_768;

/** Digests of staged lines, in the order of `LineDigests`. */
export interface StagedLineDigests {
  /** Null: they could not be kept. */
  pieces(): AsyncIterable<Float64Array> | null;
  readonly latest: number | null;
}

export class KeptDigests implements StagedLineDigests {
  readonly #file: string;
  #held = new Float64Array(0);
  #count = 0;
  #bytesInFile = 0;
  readonly #releases: (() => void)[] = [];
  #isLost = false;
  #latest: number | null = null;

  /** @param file where they are written; nobody else uses it */
  constructor(file: string) {
    this.#file = file;
  }

  get latest(): number | null {
    return this.#latest;
  }

  get bytesHeld(): number {
    return this.#held.byteLength;
  }

  add({ entries, latest }: LineDigests): void {
    if (this.#isLost) return;
    this.#latest = later(this.#latest, latest);
    const needed = this.#count + entries.length;
    if (needed > this.#held.length) {
      const larger = new Float64Array(Math.max(needed, this.#held.length * 2, smallest));
      larger.set(this.#held.subarray(0, this.#count));
      this.#held = larger;
    }
    this.#held.set(entries, this.#count);
    this.#count = needed;
  }

  /**
   * Moves them to the file. Never fails: if they cannot be written, they are dropped, and the part is merged as if nothing were
   * known of its rows.
   * @param reserve reserves disk space
   * @returns how many bytes the file has more
   */
  async spill(reserve: (bytes: number) => () => void): Promise<number> {
    const held = this.#held.subarray(0, this.#count);
    // More may be added while these are being written.
    this.#held = new Float64Array(0);
    this.#count = 0;
    try {
      this.#releases.push(reserve(held.byteLength));
      const bytes = new Uint8Array(held.buffer, 0, held.byteLength);
      await writeFile(this.#file, bytes, { flag: 'a', mode: 0o600 });
      this.#bytesInFile += held.byteLength;
      return held.byteLength;
    } catch {
      this.#isLost = true;
      this.#held = new Float64Array(0);
      await rm(this.#file, { force: true }).catch(() => undefined);
      this.release();
      return 0;
    }
  }

  /** Gives the disk space back. */
  release(): void {
    for (const release of this.#releases.splice(0)) release();
  }

  pieces(): AsyncIterable<Float64Array> | null {
    return this.#isLost ? null : this.#pieces();
  }

  /** @throws ScratchError */
  async *#pieces(): AsyncGenerator<Float64Array> {
    if (this.#bytesInFile > 0) yield* this.#fromFile();
    yield this.#held.subarray(0, this.#count);
  }

  async *#fromFile(): AsyncGenerator<Float64Array> {
    try {
      const handle = await open(this.#file, 'r');
      try {
        for (let at = 0; at < this.#bytesInFile; ) {
          const piece = new Float64Array(Math.min(readAtOnce, (this.#bytesInFile - at) / 8));
          const { bytesRead } = await handle.read(piece, 0, piece.byteLength, at);
          if (bytesRead < piece.byteLength) throw new RangeError('the file ends too early');
          at += bytesRead;
          yield piece;
        }
      } finally {
        await handle.close();
      }
    } catch (error) {
      throw scratchError('read', this.#file, error);
    }
  }
}

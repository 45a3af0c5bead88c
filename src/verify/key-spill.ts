/**
 * Finds keys that occur in more than one part. Their hashes go to files in scratch, divided by their first byte, and one
 * file at a time comes back: memory grows with a sixty-fourth of the rows, 28 bytes each.
 */
import { hash } from 'node:crypto';
import { appendFile, readFile, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Scratch } from '../lake/scratch.ts';
import { scratchError } from '../lake/stores/file-errors.ts';

const files = 64;
/** 96 bits: among ten million keys, the chance of a collision is 1 in 10^15. */
const hashBytes = 12;
const entryBytes = hashBytes + 4;
const flushBytes = 64 * 1024;

export interface SharedKeys {
  readonly part: string;
  /** The part that was read before it. */
  readonly other: string;
  /** How many keys both have. */
  readonly keys: number;
}

export class KeySpill {
  readonly #folder: string;
  readonly #scratch: Pick<Scratch, 'reserve'>;
  readonly #parts: string[] = [];
  readonly #buffers = Array.from({ length: files }, () => ({ bytes: Buffer.alloc(flushBytes), used: 0 }));
  readonly #written = new Set<number>();
  readonly #reserved: (() => void)[] = [];

  /** @param folder an existing folder in scratch */
  constructor(folder: string, scratch: Pick<Scratch, 'reserve'>) {
    this.#folder = folder;
    this.#scratch = scratch;
  }

  /** @param keys of rows of this part, each of them once @throws ScratchError */
  async add(part: string, keys: readonly string[]): Promise<void> {
    if (this.#parts.at(-1) !== part) this.#parts.push(part);
    for (const key of keys) {
      const digest = hash('sha256', key, 'buffer');
      const file = (digest[0] ?? 0) % files;
      const buffer = this.#buffers[file];
      if (buffer === undefined) continue;
      if (buffer.used + entryBytes > flushBytes) await this.#flush(file);
      digest.copy(buffer.bytes, buffer.used, 0, hashBytes);
      buffer.bytes.writeUInt32BE(this.#parts.length - 1, buffer.used + hashBytes);
      buffer.used += entryBytes;
    }
  }

  /** Keys that two parts have. @throws ScratchError */
  async shared(): Promise<readonly SharedKeys[]> {
    const found = new Map<string, { part: string; other: string; keys: number }>();
    for (let file = 0; file < files; file += 1) {
      const firstPart = new Map<string, number>();
      const bytes = await this.#content(file);
      for (let at = 0; at + entryBytes <= bytes.length; at += entryBytes) {
        const key = bytes.toString('latin1', at, at + hashBytes);
        const part = bytes.readUInt32BE(at + hashBytes);
        const first = firstPart.get(key);
        if (first === undefined) firstPart.set(key, part);
        else if (first !== part) this.#count(found, part, first);
      }
    }
    return [...found.values()];
  }

  /** Gives the space back. */
  async remove(): Promise<void> {
    await Promise.all([...this.#written].map((file) => rm(this.#pathOf(file), { force: true })));
    for (const giveBack of this.#reserved) giveBack();
  }

  #count(
    found: Map<string, { part: string; other: string; keys: number }>,
    at: number,
    before: number,
  ): void {
    const [part = '', other = ''] = [this.#parts[at], this.#parts[before]];
    const name = `${at} ${before}`;
    const shared = found.get(name) ?? { part, other, keys: 0 };
    shared.keys += 1;
    found.set(name, shared);
  }

  async #flush(file: number): Promise<void> {
    const buffer = this.#buffers[file];
    if (buffer === undefined || buffer.used === 0) return;
    this.#reserved.push(this.#scratch.reserve(buffer.used));
    this.#written.add(file);
    await appendFile(this.#pathOf(file), buffer.bytes.subarray(0, buffer.used)).catch((error) => {
      throw scratchError('written', this.#pathOf(file), error);
    });
    buffer.used = 0;
  }

  async #content(file: number): Promise<Buffer> {
    const { bytes, used } = this.#buffers[file] ?? { bytes: Buffer.alloc(0), used: 0 };
    if (!this.#written.has(file)) return bytes.subarray(0, used);
    const before = await readFile(this.#pathOf(file)).catch((error) => {
      throw scratchError('read', this.#pathOf(file), error);
    });
    return Buffer.concat([before, bytes.subarray(0, used)]);
  }

  #pathOf(file: number): string {
    return join(this.#folder, `keys-${file}`);
  }
}

/**
 * Numbered pairs of a key and an instant, 20 bytes each. Half a million stay in memory; if there is a place on scratch, all but
 * the last of more go there. Reading one back takes about as long as hashing an id, and its neighbors come with it: the jobs of
 * a page were noted one after the other, and come again like that.
 *
 * Files are read and written synchronously: an entry is looked up in the middle of a page.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { freeBytes } from '../shared/free-bytes.ts';
import { scratchError } from './stores/file-errors.ts';

/** 96 bits of an id's SHA-256: among ten million ids, the chance of a collision is 1 in 10^15. */
export interface TimeKey {
  readonly high: number;
  readonly middle: number;
  readonly low: number;
}

export interface EntriesScratch {
  /** Does not exist yet. */
  readonly file: string;
  readonly reserve: (bytes: number) => () => void;
  /** So many full blocks of 65,536 entries stay in memory if there are no more, and so does their index; default 8. */
  readonly blocksInMemory?: number;
  /** Called if the index has to stay in memory, because it cannot be written to scratch. */
  readonly onIndexInMemory?: (error: Error) => void;
}

const keyBytes = 12;
export const entryBytes = keyBytes + 8;
const smallest = 1024;
export const blockEntries = 65_536;
/** By default. */
export const blocksInMemory = 8;
const blockBytes = blockEntries * entryBytes;

/** What is read of the file at once, and how many such pieces are kept. */
const pieceEntries = 128;
const pieceBytes = pieceEntries * entryBytes;
const piecesKept = 1024;

export class TimeEntries {
  readonly #scratch: EntriesScratch | null;
  #size = 0;
  /** The entries from this one on are in blocks; those before it are in the file. */
  #firstInMemory = 0;
  /** All but the last are full. Only the first one grows. */
  #blocks: Buffer[] = [];
  /** A block that was moved, to be used again. */
  #spare: Buffer | null = null;
  #file: { readonly fd: number; readonly releases: (() => void)[] } | null = null;
  #pieces: { readonly bytes: Buffer; readonly numbers: Int32Array } | null = null;
  /** Where the entry that was looked for last is. */
  #found: Buffer = Buffer.alloc(0);

  constructor(scratch: EntriesScratch | null) {
    this.#scratch = scratch;
  }

  get size(): number {
    return this.#size;
  }

  /** How many entries are in the file: always the first ones. */
  get inFile(): number {
    return this.#firstInMemory;
  }

  /** @throws ScratchError */
  add({ high, middle, low }: TimeKey, instant: number): number {
    const number = this.#size;
    const place = number - this.#firstInMemory;
    const full = place / blockEntries;
    // Before the entry is added: if scratch cannot take the blocks, everything is as it was.
    if (this.#scratch !== null && place > 0 && Number.isInteger(full)) this.#moveBlocks(this.#scratch, full);
    const { block, at } = this.#roomFor(number - this.#firstInMemory);
    setWord(block, at, high);
    setWord(block, at + 4, middle);
    setWord(block, at + 8, low);
    block.writeDoubleBE(instant, at + keyBytes);
    this.#size += 1;
    return number;
  }

  /** @throws ScratchError */
  has(number: number, { high, middle, low }: TimeKey): boolean {
    const at = this.#find(number);
    const bytes = this.#found;
    return wordAt(bytes, at) === high && wordAt(bytes, at + 4) === middle && wordAt(bytes, at + 8) === low;
  }

  /** @throws ScratchError */
  keyOf(number: number): TimeKey {
    const at = this.#find(number);
    return keyAt(this.#found, at);
  }

  /** @throws ScratchError */
  instantOf(number: number): number {
    const at = this.#find(number);
    return instantAt(this.#found, at);
  }

  /** @throws ScratchError */
  change(number: number, instant: number): void {
    const at = this.#find(number);
    this.#found.writeDoubleBE(instant, at + keyBytes);
    if (number >= this.#firstInMemory) return;
    this.#write(this.#found, at, entryBytes, number * entryBytes);
  }

  /**
   * The first `count` entries that are not older than `oldest`, in order, in pieces. Each piece is overwritten by the next.
   * @throws ScratchError
   */
  *since(oldest: number, count: number): Generator<Buffer> {
    // Millions of entries have hundreds of pieces, and V8 would find out late that they are garbage.
    let read: Buffer | null = null;
    const kept = Buffer.allocUnsafeSlow(Math.min(count, blockEntries) * entryBytes);
    for (let first = 0; first < count; first += blockEntries) {
      const entries = Math.min(blockEntries, count - first);
      let block = this.#blocks[(first - this.#firstInMemory) / blockEntries];
      // Asked for each piece: blocks may move to the file while somebody writes one.
      if (first < this.#firstInMemory) {
        read ??= Buffer.allocUnsafeSlow(blockBytes);
        this.#read(read, 0, blockBytes, first * entryBytes);
        block = read;
      }
      if (block === undefined) throw new RangeError(`there is no entry ${first}`);
      let bytes = 0;
      for (let at = 0; at < entries * entryBytes; at += entryBytes) {
        if (block.readDoubleBE(at + keyBytes) < oldest) continue;
        bytes += block.copy(kept, bytes, at, at + entryBytes);
      }
      yield kept.subarray(0, bytes);
    }
  }

  /** The first 32 bits of the keys of `count` entries in the file. @throws ScratchError */
  highsInFile(first: number, count: number): Uint32Array {
    const highs = new Uint32Array(count);
    const some = Buffer.allocUnsafeSlow(Math.min(count, blockEntries) * entryBytes);
    for (let done = 0; done < count; done += blockEntries) {
      const entries = Math.min(blockEntries, count - done);
      this.#read(some, 0, entries * entryBytes, (first + done) * entryBytes);
      for (let at = 0; at < entries; at += 1) highs[done + at] = wordAt(some, at * entryBytes);
    }
    freeBytes(some);
    return highs;
  }

  /** Removes the file. */
  close(): void {
    const file = this.#file;
    if (file === null || this.#scratch === null) return;
    this.#file = null;
    closeSync(file.fd);
    rmSync(this.#scratch.file, { force: true });
    for (const release of file.releases) release();
  }

  /** A small map has a small block, which grows. */
  #roomFor(place: number): { readonly block: Buffer; readonly at: number } {
    const which = Math.floor(place / blockEntries);
    const at = (place % blockEntries) * entryBytes;
    const block = this.#blocks[which];
    if (block !== undefined && at < block.length) return { block, at };
    const grows = which === 0 && this.#firstInMemory === 0;
    const length = grows
      ? Math.min(blockBytes, Math.max(smallest * entryBytes, (block?.length ?? 0) * 2))
      : blockBytes;
    const made = this.#spare ?? Buffer.allocUnsafeSlow(length);
    this.#spare = null;
    block?.copy(made);
    this.#blocks[which] = made;
    return { block: made, at };
  }

  /** Returns where the entry is in `#found`. */
  #find(number: number): number {
    if (number >= this.#firstInMemory) {
      const place = number - this.#firstInMemory;
      const block = this.#blocks[Math.floor(place / blockEntries)];
      if (block === undefined || number >= this.#size) throw new RangeError(`there is no entry ${number}`);
      this.#found = block;
      return (place % blockEntries) * entryBytes;
    }
    this.#pieces ??= {
      bytes: Buffer.allocUnsafeSlow(piecesKept * pieceBytes),
      numbers: new Int32Array(piecesKept).fill(-1),
    };
    const { bytes, numbers } = this.#pieces;
    const piece = Math.floor(number / pieceEntries);
    const place = piece % piecesKept;
    if (numbers[place] !== piece) {
      numbers[place] = -1;
      this.#read(bytes, place * pieceBytes, pieceBytes, piece * pieceBytes);
      numbers[place] = piece;
    }
    this.#found = bytes;
    return place * pieceBytes + (number % pieceEntries) * entryBytes;
  }

  #moveBlocks(scratch: EntriesScratch, full: number): void {
    if (this.#file === null && full < (scratch.blocksInMemory ?? blocksInMemory)) return;
    const release = scratch.reserve(full * blockBytes);
    try {
      this.#file ??= { fd: openSync(scratch.file, 'wx+', 0o600), releases: [] };
      for (const [which, block] of this.#blocks.entries()) {
        this.#write(block, 0, blockBytes, (this.#firstInMemory + which * blockEntries) * entryBytes);
      }
    } catch (error) {
      release();
      throw scratchError('written', scratch.file, error);
    }
    this.#file.releases.push(release);
    this.#firstInMemory += full * blockEntries;
    this.#spare = this.#blocks[0] ?? null;
    this.#blocks = [];
  }

  #write(bytes: Buffer, from: number, length: number, at: number): void {
    this.#transfer(
      'written',
      (fd, done) => writeSync(fd, bytes, from + done, length - done, at + done),
      length,
    );
  }

  #read(bytes: Buffer, from: number, length: number, at: number): void {
    this.#transfer('read', (fd, done) => readSync(fd, bytes, from + done, length - done, at + done), length);
  }

  #transfer(what: 'written' | 'read', some: (fd: number, done: number) => number, length: number): void {
    const file = this.#scratch?.file ?? '';
    if (this.#file === null) throw new TypeError('these entries are closed');
    try {
      for (let done = 0; done < length; ) {
        const more = some(this.#file.fd, done);
        if (more === 0) throw new Error('the file ends too early');
        done += more;
      }
    } catch (error) {
      throw scratchError(what, file, error);
    }
  }
}

/** The key of the entry that begins here. */
export function keyAt(bytes: Buffer, at: number): TimeKey {
  return { high: wordAt(bytes, at), middle: wordAt(bytes, at + 4), low: wordAt(bytes, at + 8) };
}

export function instantAt(bytes: Buffer, at: number): number {
  return bytes.readDoubleBE(at + keyBytes);
}

/** Without the checks of `writeUInt32BE`, which take longer than the rest. */
function setWord(bytes: Buffer, at: number, word: number): void {
  bytes[at] = word >>> 24;
  bytes[at + 1] = word >>> 16;
  bytes[at + 2] = word >>> 8;
  bytes[at + 3] = word;
}

/** The same for `readUInt32BE`. */
function wordAt(bytes: Buffer, at: number): number {
  const high = ((bytes[at] ?? 0) << 8) | (bytes[at + 1] ?? 0);
  return ((high << 16) | ((bytes[at + 2] ?? 0) << 8) | (bytes[at + 3] ?? 0)) >>> 0;
}

/**
 * Finds the numbers of entries by their keys, in a file on scratch that is sorted by the keys. It takes 8 bytes of disk for each
 * entry, and 1.4 bytes of memory: a filter, which answers for nearly all keys that are not there, and each 64th key, which
 * says where to read in the file. Then a number is found with one short read.
 *
 * The file holds the first 32 bits of each key; whether an entry is the one that is meant, its own key says. To add entries is to
 * write a new file, alone or merged with older ones (key-lists.ts). Files are read and written synchronously, as in time-entries.ts.
 */
import { closeSync, openSync, readSync, rmSync, writeSync } from 'node:fs';
import { freeBytes } from '../shared/free-bytes.ts';
import { KeyFilter } from './key-filter.ts';
import { systemCode } from './stores/durable-files.ts';
import { scratchError } from './stores/file-errors.ts';
import type { EntriesScratch, TimeKey } from './time-entries.ts';

/** A pair: the first 32 bits of a key, and the number of its entry. */
const pairNumbers = 2;
const pairBytes = 4 * pairNumbers;

/** What is read at once to find an entry, and to write a new file. */
const pairsOfPiece = 64;
const pairsOfChunk = 8192;

/** So many keys can be added at once: 32 bits of a key and the place among them make a whole number that a double holds. */
const mostAdded = 2 ** 21;

/** How many bytes were read or written. */
type Transfer = (fd: number, bytes: Buffer, from: number, length: number, at: number) => number;
const read: Transfer = (fd, bytes, ...place) => readSync(fd, bytes, ...place);
const write: Transfer = (fd, bytes, ...place) => writeSync(fd, bytes, ...place);

/** Pairs on their way from one file to another, or to be searched. */
const pairsIn = (pairs: number) => new Uint32Array(pairs * pairNumbers);

export class SortedKeys {
  readonly size: number;
  readonly #path: string;
  readonly #fd: number;
  readonly #release: () => void;
  readonly #filter: KeyFilter;
  /** The key that each piece begins with. */
  readonly #firsts: Uint32Array;
  readonly #piece = pairsIn(pairsOfPiece);
  #pieceRead = -1;

  private constructor(path: string, fd: number, release: () => void, size: number) {
    this.#path = path;
    this.#fd = fd;
    this.#release = release;
    this.size = size;
    this.#filter = new KeyFilter(size);
    this.#firsts = new Uint32Array(Math.ceil(size / pairsOfPiece));
  }

  /**
   * Writes a file with the entries of older ones, which stay, and with others.
   * @param highs the first 32 bits of their keys, at most `mostAdded`
   * @param firstNumber of the first of them; the others have the numbers after it. It must be larger than every number in `older`
   * @throws ScratchError
   */
  static with(
    older: readonly SortedKeys[],
    highs: Uint32Array,
    firstNumber: number,
    { file, reserve }: EntriesScratch,
  ): SortedKeys {
    if (highs.length > mostAdded) throw new RangeError(`${highs.length} keys cannot be added at once`);
    const size = older.reduce((sum, one) => sum + one.size, highs.length);
    const path = `${file}.keys-${firstNumber + highs.length}`;
    const release = reserve(size * pairBytes);
    let fd: number | null = null;
    try {
      fd = openSync(path, 'wx+', 0o600);
      const made = new SortedKeys(path, fd, release, size);
      const added = sorted(highs);
      made.#write(older, added, firstNumber);
      freeBytes(added);
      return made;
    } catch (error) {
      if (fd !== null) {
        closeSync(fd);
        rmSync(path, { force: true });
      }
      release();
      // What is no error of the system is one of the program.
      throw systemCode(error) === null ? error : scratchError('written', path, error);
    }
  }

  /**
   * The number of the entry with this key; -1: there is none.
   * @param isIt whether the entry with this number has the key
   * @throws ScratchError
   */
  find(key: TimeKey, isIt: (number: number, key: TimeKey) => boolean): number {
    const { high } = key;
    if (!this.#filter.mayHave(high)) return -1;
    for (let piece = this.#pieceOf(high); piece < this.#firsts.length; piece += 1) {
      if ((this.#firsts[piece] ?? 0) > high) return -1;
      const length = this.#read(piece) * pairNumbers;
      for (let at = 0; at < length; at += pairNumbers) {
        const number = this.#piece[at + 1] ?? 0;
        if (this.#piece[at] === high && isIt(number, key)) return number;
      }
    }
    return -1;
  }

  /** Removes the file. */
  close(): void {
    this.#release();
    this.#filter.close();
    freeBytes(this.#firsts);
    closeSync(this.#fd);
    rmSync(this.#path, { force: true });
  }

  /** Where to look first: equal keys may begin at the end of a piece that begins with a smaller one. */
  #pieceOf(high: number): number {
    let [low, end] = [0, this.#firsts.length];
    while (low < end) {
      const middle = (low + end) >>> 1;
      if ((this.#firsts[middle] ?? 0) < high) low = middle + 1;
      else end = middle;
    }
    return Math.max(0, low - 1);
  }

  /** Returns how many pairs are in `#piece` then. */
  #read(piece: number): number {
    const first = piece * pairsOfPiece;
    const pairs = Math.min(pairsOfPiece, this.size - first);
    if (piece === this.#pieceRead) return pairs;
    this.#pieceRead = -1;
    try {
      this.#transfer(read, this.#piece, first, pairs);
    } catch (error) {
      throw scratchError('read', this.#path, error);
    }
    this.#pieceRead = piece;
    return pairs;
  }

  /** Merges sorted lists. @param added as `sorted` returns them */
  #write(older: readonly SortedKeys[], added: Float64Array, firstNumber: number): void {
    const sources = older.map((one) => one.#pairs());
    const last = addedPairs(added, firstNumber);
    const to = pairsIn(pairsOfChunk);
    let toAt = 0;
    for (let place = 0; place < this.size; place += 1) {
      let next = last;
      for (const source of sources) if (source.high < next.high) next = source;
      const { high } = next;
      to[toAt] = high;
      to[toAt + 1] = next.take();
      this.#filter.add(high);
      if (place % pairsOfPiece === 0) this.#firsts[place / pairsOfPiece] = high;
      toAt += pairNumbers;
      if (toAt < to.length && place + 1 < this.size) continue;
      const pairs = toAt / pairNumbers;
      this.#transfer(write, to, place + 1 - pairs, pairs);
      toAt = 0;
    }
  }

  /** All of the file. */
  #pairs(): SortedPairs {
    let taken = 0;
    return new SortedPairs((into) => {
      const pairs = Math.min(pairsOfChunk, this.size - taken);
      this.#transfer(read, into, taken, pairs);
      taken += pairs;
      return pairs;
    });
  }

  #transfer(some: Transfer, pairs: Uint32Array, first: number, count: number): void {
    const bytes = Buffer.from(pairs.buffer, 0, count * pairBytes);
    for (let done = 0; done < bytes.length; ) {
      const more = some(this.#fd, bytes, done, bytes.length - done, first * pairBytes + done);
      if (more === 0) throw Object.assign(new Error('the file ends too early'), { code: 'EIO' });
      done += more;
    }
  }
}

/** Greater than the first 32 bits of any key. */
const afterAll = 2 ** 32;

/** Pairs in ascending order, some of them in memory. */
class SortedPairs {
  readonly #more: (into: Uint32Array) => number;
  readonly #chunk = pairsIn(pairsOfChunk);
  #at = 0;
  #end: number;
  /** Of the next pair; `afterAll`: there is none. */
  high: number;

  /** @param more fills the array from its beginning, and returns the number of pairs; 0: there are no more */
  constructor(more: (into: Uint32Array) => number) {
    this.#more = more;
    this.#end = more(this.#chunk) * pairNumbers;
    this.high = this.#end === 0 ? afterAll : (this.#chunk[0] ?? 0);
  }

  /** Returns the number of the next pair, and goes on to the one after it. */
  take(): number {
    const number = this.#chunk[this.#at + 1] ?? 0;
    this.#at += pairNumbers;
    if (this.#at === this.#end) {
      this.#end = this.#more(this.#chunk) * pairNumbers;
      this.#at = 0;
    }
    this.high = this.#end === 0 ? afterAll : (this.#chunk[this.#at] ?? 0);
    return number;
  }
}

function addedPairs(added: Float64Array, firstNumber: number): SortedPairs {
  let taken = 0;
  return new SortedPairs((into) => {
    const pairs = Math.min(pairsOfChunk, added.length - taken);
    for (let at = 0; at < pairs; at += 1) {
      const key = added[taken + at] ?? 0;
      into[at * pairNumbers] = Math.floor(key / mostAdded);
      into[at * pairNumbers + 1] = firstNumber + (key % mostAdded);
    }
    taken += pairs;
    return pairs;
  });
}

/** Each key with its place among them, as one number, ascending. */
function sorted(highs: Uint32Array): Float64Array {
  const keys = new Float64Array(highs.length);
  for (let place = 0; place < keys.length; place += 1) keys[place] = (highs[place] ?? 0) * mostAdded + place;
  return keys.sort();
}

/**
 * A map from ids to times. Half a million entries take 28 bytes each; of more, if there is a place on scratch, 1.4 bytes each
 * stay in memory. A Map of strings would need twenty times as much, and a lake has millions of ids.
 */
import { hash } from 'node:crypto';
import { ScratchError } from '../shared/errors.ts';
import { freeBytes } from '../shared/free-bytes.ts';
import { KeyLists } from './key-lists.ts';
import {
  blockEntries,
  blocksInMemory,
  type EntriesScratch,
  entryBytes,
  instantAt,
  keyAt,
  TimeEntries,
  type TimeKey,
} from './time-entries.ts';
import { TimeIndex } from './time-index.ts';

/** The key of an id. Whoever looks an id up in several maps makes it once. */
export function timeKey(id: string): TimeKey {
  // As text with one character for each byte: in Node 24 this takes half the time of a Buffer.
  const bytes = hash('sha256', id, 'binary');
  return { high: wordAt(bytes, 0), middle: wordAt(bytes, 4), low: wordAt(bytes, 8) };
}

/** Four bytes, big-endian, unsigned. */
function wordAt(bytes: string, at: number): number {
  const high = (bytes.charCodeAt(at) << 8) | bytes.charCodeAt(at + 1);
  return ((high << 16) | (bytes.charCodeAt(at + 2) << 8) | bytes.charCodeAt(at + 3)) >>> 0;
}

/** So many entries have their index in memory. */
function entriesInMemory(scratch: EntriesScratch): number {
  return (scratch.blocksInMemory ?? blocksInMemory) * blockEntries;
}

export class CompactTimeMap {
  readonly #entries: TimeEntries;
  /** Finds the entries that `#keys` does not have. */
  readonly #index: TimeIndex;
  /** Finds the first entries, once there are many. */
  readonly #keys = new KeyLists();
  /** An entry of `#keys`. Jobs mostly come in the order in which they were noted, so the entry after it is tried first. */
  #lastFound = -1;
  /** Null: the index stays in memory. */
  #scratch: EntriesScratch | null;
  readonly #has = (number: number, key: TimeKey) => this.#entries.has(number, key);

  /**
   * @param scratch null: all entries stay in memory. Otherwise every method may throw a ScratchError
   * @param expected about how many entries there will be
   */
  constructor(entries: Buffer = Buffer.alloc(0), scratch: EntriesScratch | null = null, expected = 0) {
    const count = Math.max(expected, entries.length / entryBytes);
    this.#index = new TimeIndex(scratch === null ? count : Math.min(count, entriesInMemory(scratch)));
    this.#scratch = scratch;
    this.#entries = new TimeEntries(scratch);
    this.addAll(entries);
  }

  get size(): number {
    return this.#entries.size;
  }

  /** Milliseconds since the epoch. */
  get(id: string | TimeKey): number | undefined {
    const number = this.#find(typeof id === 'string' ? timeKey(id) : id);
    return number < 0 ? undefined : this.#entries.instantOf(number);
  }

  set(id: string | TimeKey, instant: number): void {
    const key = typeof id === 'string' ? timeKey(id) : id;
    const number = this.#find(key);
    if (number < 0) this.#add(key, instant);
    else this.#entries.change(number, instant);
  }

  /** The instant that is known; if none is, this one is noted. */
  getOrSet(key: TimeKey, instant: number): number {
    const number = this.#find(key);
    if (number >= 0) return this.#entries.instantOf(number);
    this.#add(key, instant);
    return instant;
  }

  /** @param entries as `since` returns them; of two with the same key the first counts */
  addAll(entries: Buffer): void {
    for (let at = 0; at + entryBytes <= entries.length; at += entryBytes) {
      this.getOrSet(keyAt(entries, at), instantAt(entries, at));
    }
  }

  /** All entries that are not older than this, in insertion order. */
  since(oldest: number): Buffer {
    return Buffer.concat(Array.from(this.pieces(oldest, this.size), (piece) => Buffer.from(piece)));
  }

  /** The same of the first `count` entries, in pieces. Each piece is overwritten by the next. */
  pieces(oldest: number, count: number): Generator<Buffer> {
    return this.#entries.since(oldest, count);
  }

  /** Adds the entries of `others`, from the one with number `from`, whose ids it lacks. For the rest `onBoth` gets both times. */
  addMissing(
    others: CompactTimeMap,
    from: number,
    onBoth: (own: number, theirs: number) => void = () => undefined,
  ): void {
    for (let other = from; other < others.size; other += 1) {
      const key = others.#entries.keyOf(other);
      const theirs = others.#entries.instantOf(other);
      const number = this.#find(key);
      if (number < 0) this.#add(key, theirs);
      else onBoth(this.#entries.instantOf(number), theirs);
    }
  }

  /** Nothing is looked up or added any more: frees the memory for that. All entries can still be read in order. */
  endLookups(): void {
    this.#index.close();
    this.#scratch = null;
    this.#keys.close();
  }

  /** Removes what is on scratch. The map is of no use then. */
  close(): void {
    this.endLookups();
    this.#entries.close();
  }

  /** -1: there is none. */
  #find(key: TimeKey): number {
    if (this.#keys.size === 0) return this.#index.find(key, this.#has);
    const next = this.#lastFound + 1;
    if (next < this.#keys.size && this.#has(next, key)) {
      this.#lastFound = next;
      return next;
    }
    const number = this.#index.find(key, this.#has);
    if (number >= 0) return number;
    const inFile = this.#keys.find(key, this.#has);
    if (inFile >= 0) this.#lastFound = inFile;
    return inFile;
  }

  #add(key: TimeKey, instant: number): void {
    this.#index.add(key, this.#entries.add(key, instant));
    const first = this.#keys.size;
    const count = this.#entries.inFile - first;
    if (this.#scratch === null || count < entriesInMemory(this.#scratch)) return;
    const highs = this.#entries.highsInFile(first, count);
    try {
      this.#keys.add(highs, this.#scratch);
    } catch (error) {
      if (!(error instanceof ScratchError)) throw error;
      // The entries are there, and so is their index.
      this.#scratch.onIndexInMemory?.(error);
      this.#scratch = null;
      return;
    }
    freeBytes(highs);
    this.#index.clear();
    // The one that was just added, and others that are not in a file yet.
    for (let number = this.#keys.size; number < this.size; number += 1) {
      this.#index.add(this.#entries.keyOf(number), number);
    }
  }
}

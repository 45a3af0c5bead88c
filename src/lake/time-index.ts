/**
 * Finds the number of an entry by its key, in about 8 bytes for each entry. It holds 16 bits of the key; whether an entry is the
 * one that is meant, its own key says.
 *
 * The index is made of small tables that grow one by one, by a half: it never holds itself twice. Larger steps leave more
 * room unused, and smaller ones take more time. Bits of the key choose the table, and the 16 bits choose the place in it. So a table grows without a look at the
 * entries, which may be on disk. Of many entries, key-lists.ts finds the first ones instead.
 */
import { freeBytes } from '../shared/free-bytes.ts';
import type { TimeKey } from './time-entries.ts';

const tables = 1024;
const tagValues = 2 ** 16;
const smallest = 32;
/** Beyond this share, searches grow long. */
const fullest = 0.8;

/** For each slot: 16 bits of the key, and the number of the entry plus one, low half first. Open addressing; 0 is free. */
interface Slots {
  cells: Uint16Array;
  used: number;
}

const cellsOfSlot = 3;

export class TimeIndex {
  /** Null: it was closed. */
  #tables: (Slots | undefined)[] | null = Array.from({ length: tables });
  readonly #firstSlots: number;

  /** @param expected about how many entries there will be */
  constructor(expected = 0) {
    this.#firstSlots = Math.max(smallest, Math.ceil((expected / tables / fullest) * 1.1));
  }

  /**
   * The number of the entry with this key; -1: there is none.
   * @param isIt whether the entry with this number has the key
   */
  find(key: TimeKey, isIt: (number: number, key: TimeKey) => boolean): number {
    const table = this.#open[tableOf(key)];
    if (table === undefined) return -1;
    const { cells } = table;
    const tag = tagOf(key);
    for (let at = homeOf(tag, cells); ; at = at + cellsOfSlot === cells.length ? 0 : at + cellsOfSlot) {
      const number = (cells[at + 1] ?? 0) + (cells[at + 2] ?? 0) * tagValues;
      if (number === 0) return -1;
      if (cells[at] === tag && isIt(number - 1, key)) return number - 1;
    }
  }

  /** Frees the memory. Whoever looks for an entry then gets a TypeError. */
  close(): void {
    for (const table of this.#tables ?? []) if (table !== undefined) freeBytes(table.cells);
    this.#tables = null;
  }

  /** Forgets all entries, and keeps the memory for others. */
  clear(): void {
    for (const table of this.#open) {
      table?.cells.fill(0);
      if (table !== undefined) table.used = 0;
    }
  }

  get #open(): (Slots | undefined)[] {
    if (this.#tables === null) throw new TypeError('this index is closed');
    return this.#tables;
  }

  /** Adds an entry whose key is not there. */
  add(key: TimeKey, number: number): void {
    const which = tableOf(key);
    let table = this.#open[which];
    if (table === undefined) {
      table = { cells: new Uint16Array(this.#firstSlots * cellsOfSlot), used: 0 };
      this.#open[which] = table;
    }
    const slots = table.cells.length / cellsOfSlot;
    if (table.used + 1 > slots * fullest) {
      const { cells } = table;
      const larger = new Uint16Array(Math.ceil(slots * 1.5) * cellsOfSlot);
      for (let at = 0; at < cells.length; at += cellsOfSlot) {
        const [low, high] = [cells[at + 1] ?? 0, cells[at + 2] ?? 0];
        if (low !== 0 || high !== 0) put(larger, cells[at] ?? 0, low, high);
      }
      table.cells = larger;
      // Tables of one index grow at about the same time.
      freeBytes(cells);
    }
    put(table.cells, tagOf(key), (number + 1) % tagValues, Math.floor((number + 1) / tagValues));
    table.used += 1;
  }
}

function put(cells: Uint16Array, tag: number, low: number, high: number): void {
  let at = homeOf(tag, cells);
  while (cells[at + 1] !== 0 || cells[at + 2] !== 0) {
    at += cellsOfSlot;
    if (at === cells.length) at = 0;
  }
  cells[at] = tag;
  cells[at + 1] = low;
  cells[at + 2] = high;
}

function tableOf({ high }: TimeKey): number {
  return high % tables;
}

function tagOf({ middle }: TimeKey): number {
  return middle % tagValues;
}

/** Equal shares of the tags have equal shares of the places. */
function homeOf(tag: number, cells: Uint16Array): number {
  return Math.floor((tag * (cells.length / cellsOfSlot)) / tagValues) * cellsOfSlot;
}

/**
 * Finds the numbers of many entries by their keys, in several files of sorted-keys.ts. To add keys, the newest file is taken
 * as long as it is not larger than what was taken already, and one file of all is written. So a key is written again when the number
 * of keys has doubled, not each time that others are added, and there are few files.
 */
import { SortedKeys } from './sorted-keys.ts';
import type { EntriesScratch, TimeKey } from './time-entries.ts';

export class KeyLists {
  /** The entries of each follow those of the one before, which is larger. */
  #lists: readonly SortedKeys[] = [];
  #size = 0;

  /** How many entries were added. */
  get size(): number {
    return this.#size;
  }

  /**
   * Adds the entries that follow those that are there. If that fails, everything is as it was.
   * @param highs the first 32 bits of their keys, as many as `SortedKeys.with` takes
   * @throws ScratchError
   */
  add(highs: Uint32Array, scratch: EntriesScratch): void {
    const first = this.#firstToMerge(highs.length);
    const merged = this.#lists.slice(first);
    const made = SortedKeys.with(merged, highs, this.#size, scratch);
    for (const one of merged) one.close();
    this.#lists = [...this.#lists.slice(0, first), made];
    this.#size += highs.length;
  }

  /**
   * The number of the entry with this key; -1: there is none.
   * @param isIt whether the entry with this number has the key
   * @throws ScratchError
   */
  find(key: TimeKey, isIt: (number: number, key: TimeKey) => boolean): number {
    for (const list of this.#lists) {
      const number = list.find(key, isIt);
      if (number >= 0) return number;
    }
    return -1;
  }

  /** Removes the files, and forgets the entries. */
  close(): void {
    const lists = this.#lists;
    [this.#lists, this.#size] = [[], 0];
    for (const one of lists) one.close();
  }

  #firstToMerge(added: number): number {
    let [first, size] = [this.#lists.length, added];
    for (const { size: older } of this.#lists.toReversed()) {
      if (older > size) break;
      first -= 1;
      size += older;
    }
    return first;
  }
}

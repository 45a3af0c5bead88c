/**
 * A map from numbers to numbers of up to 53 bits, in 16 bytes per entry and as much again for finding it: a part has a few
 * million rows at most, and a Map would need several times as much.
 */
export class DigestTable {
  /** Keys and values alternate, in insertion order. */
  #entries: Float64Array;
  #size = 0;
  /** Open addressing: the entry's number plus one; 0 is free. At most half of the slots are used. */
  #slots: Uint32Array;

  /** @param expected about how many entries there will be */
  constructor(expected = 0) {
    const room = Math.max(expected, 32);
    this.#entries = new Float64Array(room * 2);
    this.#slots = new Uint32Array(2 ** Math.ceil(Math.log2(room * 2)));
  }

  get size(): number {
    return this.#size;
  }

  get(key: number): number | undefined {
    const found = this.#slots[this.#slotOf(key)] ?? 0;
    return found === 0 ? undefined : this.#entries[found * 2 - 1];
  }

  set(key: number, value: number): void {
    const slot = this.#slotOf(key);
    const found = this.#slots[slot] ?? 0;
    if (found !== 0) {
      this.#entries[found * 2 - 1] = value;
      return;
    }
    if (this.#size * 2 === this.#entries.length) {
      const larger = new Float64Array(this.#entries.length * 2);
      larger.set(this.#entries);
      this.#entries = larger;
    }
    this.#entries[this.#size * 2] = key;
    this.#entries[this.#size * 2 + 1] = value;
    this.#size += 1;
    this.#slots[slot] = this.#size;
    if (this.#size * 2 > this.#slots.length) this.#grow();
  }

  /** Sets the entries of another table for which `isWanted` returns true. */
  setAll(other: DigestTable, isWanted: (key: number, value: number) => boolean): void {
    const entries = other.#entries;
    for (let at = 0; at < other.#size * 2; at += 2) {
      const [key, value] = [entries[at] ?? 0, entries[at + 1] ?? 0];
      if (isWanted(key, value)) this.set(key, value);
    }
  }

  /** Whether each entry is in the other table too, with the same value. NaN is the same as nothing. */
  isWithin(other: DigestTable): boolean {
    for (let at = 0; at < this.#size * 2; at += 2) {
      if (other.get(this.#entries[at] ?? 0) !== this.#entries[at + 1]) return false;
    }
    return true;
  }

  /** The entries, in the form that `fromBytes` takes. A view: it changes with the table. */
  bytes(): Uint8Array {
    return new Uint8Array(this.#entries.buffer, 0, this.#size * 16);
  }

  /** @param bytes what `bytes` returned on a machine of the same byte order; all that Node runs on are little-endian */
  static fromBytes(bytes: Uint8Array): DigestTable {
    const entries = new Float64Array(Uint8Array.from(bytes).buffer);
    const table = new DigestTable(entries.length / 2);
    for (let at = 0; at + 1 < entries.length; at += 2) table.set(entries[at] ?? 0, entries[at + 1] ?? 0);
    return table;
  }

  #grow(): void {
    this.#slots = new Uint32Array(this.#slots.length * 2);
    for (let number = 1; number <= this.#size; number += 1) {
      this.#slots[this.#slotOf(this.#entries[number * 2 - 2] ?? 0)] = number;
    }
  }

  /** The slot where the key is, or would be. */
  #slotOf(key: number): number {
    const mask = this.#slots.length - 1;
    for (let slot = (key >>> 0) & mask; ; slot = (slot + 1) & mask) {
      const found = this.#slots[slot] ?? 0;
      if (found === 0 || this.#entries[found * 2 - 2] === key) return slot;
    }
  }
}

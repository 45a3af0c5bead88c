/**
 * A set of ids. AWS's are UUIDs in capitals, which take 16 bytes each here until somebody asks for one, and about 34 from then on,
 * outside of V8's heap. As strings they would take 77, and V8 would move those of many open lists from heap to heap. Most lists
 * add ids and never ask.
 */
import { freeBytes } from '../shared/free-bytes.ts';
import type { TextBytes } from '../tables/listed-record.ts';

const words = 4;
const fullest = 0.7;

/** Ids in a piece of `#added`: the first ones are small, because most lists are short. */
const smallestPiece = 64;
const largestPiece = 1024;

/** The value of a digit; -1: it is none. A small letter is none: the id would be another one in capitals. */
const digitValues = new Int8Array(256).fill(-1);
for (const [value, digit] of [...'0123456789ABCDEF'].entries()) digitValues[digit.charCodeAt(0)] = value;

const uuidLength = 36;
const hyphen = 0x2d;
/** Where digits begin and end. */
const fields = [0, 8, 9, 13, 14, 18, 19, 23, 24, 36];

export class IdSet {
  /** Four words for each slot. Open addressing; all zero is free. The number of slots is a power of two. */
  #slots = new Uint32Array(smallestPiece * words);
  #used = 0;
  /** The words of ids that have no slot yet, in pieces that are full, but for the last one. */
  #added: Uint32Array[] = [];
  /** Words of the last piece. */
  #filled = 0;
  /** The ids that are not such UUIDs. */
  readonly #others = new Set<string>();
  /** Of the id that was asked for, or added, last. */
  readonly #key = new Uint32Array(words);

  has(id: string | TextBytes): boolean {
    this.#placeAdded();
    return this.#isUuid(bytesOf(id)) ? this.#isAt(this.#placeOf()) : this.#others.has(textOf(id));
  }

  add(id: string | TextBytes): void {
    if (!this.#isUuid(bytesOf(id))) {
      this.#others.add(textOf(id));
      return;
    }
    let piece = this.#added.at(-1);
    if (piece === undefined || this.#filled === piece.length) {
      const length = piece === undefined ? smallestPiece * words : piece.length * 2;
      piece = new Uint32Array(Math.min(length, largestPiece * words));
      this.#added.push(piece);
      this.#filled = 0;
    }
    for (let word = 0; word < words; word += 1) piece[this.#filled + word] = this.#key[word] ?? 0;
    this.#filled += words;
  }

  /** Gives each id that was added a slot. */
  #placeAdded(): void {
    const last = this.#added.at(-1);
    if (last === undefined || (this.#added.length === 1 && this.#filled === 0)) return;
    for (const piece of this.#added) {
      const end = piece === last ? this.#filled : piece.length;
      for (let at = 0; at < end; at += words) this.#placeOne(piece, at);
      if (piece !== last) freeBytes(piece);
    }
    // Kept, for somebody who adds and asks in turn.
    this.#added = [last];
    this.#filled = 0;
  }

  #placeOne(piece: Uint32Array, at: number): void {
    for (let word = 0; word < words; word += 1) this.#key[word] = piece[at + word] ?? 0;
    const place = this.#placeOf();
    if (this.#isAt(place)) return;
    this.#put(place);
    this.#used += 1;
    if (this.#used * words > this.#slots.length * fullest) this.#grow();
  }

  /** Reads it into `#key`. */
  #isUuid({ bytes, begin, end: idEnd }: TextBytes): boolean {
    if (idEnd - begin !== uuidLength) return false;
    const key = this.#key;
    let digits = 0;
    for (let at = 0; at < fields.length; at += 2) {
      const end = fields[at + 1] ?? 0;
      if (end < uuidLength && bytes[begin + end] !== hyphen) return false;
      for (let next = fields[at] ?? 0; next < end; next += 1) {
        const value = digitValues[bytes[begin + next] ?? 0] ?? -1;
        if (value < 0) return false;
        const word = digits >>> 3;
        key[word] = ((key[word] ?? 0) << 4) | value;
        digits += 1;
      }
    }
    return key[0] !== 0 || key[1] !== 0 || key[2] !== 0 || key[3] !== 0;
  }

  /** Where `#key` stands, or would. */
  #placeOf(): number {
    const slots = this.#slots;
    let place = homeOf(this.#key, slots);
    while (!isFree(slots, place) && !this.#isAt(place))
      place = place + words === slots.length ? 0 : place + words;
    return place;
  }

  #isAt(place: number): boolean {
    const [slots, key] = [this.#slots, this.#key];
    for (let word = 0; word < words; word += 1) if (slots[place + word] !== key[word]) return false;
    return true;
  }

  // Word by word: `set` and `subarray` of so few take longer than all the rest.
  #put(place: number): void {
    const [slots, key] = [this.#slots, this.#key];
    for (let word = 0; word < words; word += 1) slots[place + word] = key[word] ?? 0;
  }

  #grow(): void {
    const smaller = this.#slots;
    this.#slots = new Uint32Array(smaller.length * 2);
    for (let at = 0; at < smaller.length; at += words) {
      if (isFree(smaller, at)) continue;
      for (let word = 0; word < words; word += 1) this.#key[word] = smaller[at + word] ?? 0;
      this.#put(this.#placeOf());
    }
    freeBytes(smaller);
  }
}

function bytesOf(id: string | TextBytes): TextBytes {
  if (typeof id !== 'string') return id;
  const bytes = Buffer.from(id, 'utf8');
  return { bytes, begin: 0, end: bytes.length };
}

function textOf(id: string | TextBytes): string {
  return typeof id === 'string' ? id : Buffer.from(id.bytes.subarray(id.begin, id.end)).toString();
}

function isFree(slots: Uint32Array, place: number): boolean {
  for (let word = 0; word < words; word += 1) if (slots[place + word] !== 0) return false;
  return true;
}

/** Ids of AWS are random. Mixed all the same: an id in another list may differ in few digits. */
function homeOf(key: Uint32Array, slots: Uint32Array): number {
  let mixed = 0;
  for (let word = 0; word < words; word += 1) {
    mixed = Math.imul((mixed ^ (key[word] ?? 0)) >>> 0, 0x9e3779b1);
    mixed ^= mixed >>> 15;
  }
  return (mixed & (slots.length / words - 1)) * words;
}

/**
 * A copy job as it stands in the bytes of a response. Most records are plain: every field has a column and a value of its
 * type, and no name comes twice. Of such a record it is known where its values stand, and no object or text is made of
 * them. Any other record is parsed when somebody asks for it.
 */
import { parseExactJson } from '../shared/exact-json.ts';
import { freeBytes, ownsMemory } from '../shared/free-bytes.ts';
import { numberIn, textIn } from '../shared/json-bytes.ts';
import { drainFields, jobFields } from './job-fields.ts';
import { type ListedRecord, type ListedRecords, parsedRecord, type TextBytes } from './listed-record.ts';

/** What a page is read from; see ScannedPage. */
export interface PageContent {
  readonly bytes: Uint8Array;
  readonly values: Int32Array;
}

/** The bytes of a response, and the values of its plain records, until they are dropped. */
export class ScannedPage {
  #bytes: Buffer | null;
  #values: Int32Array | null;
  /** By where they begin. */
  readonly #parsed = new Map<number, ListedRecord>();

  /** @param values see the property */
  constructor(bytes: Buffer, values: Int32Array) {
    this.#bytes = bytes;
    this.#values = values;
  }

  get bytes(): Buffer {
    if (this.#bytes === null)
      throw new TypeError('the bytes of this page were freed, or are in another thread');
    return this.#bytes;
  }

  /**
   * For each value that is not null, in the order of the bytes: the number of its field, where it begins, and where it ends.
   * The end of a text with escapes is negative.
   */
  get values(): Int32Array {
    if (this.#values === null)
      throw new TypeError('the values of this page were freed, or are in another thread');
    return this.#values;
  }

  /** Bytes and values, for another thread, until `moveBack`. Null: they share their memory with others, and stay. */
  moveOut(): PageContent | null {
    const [bytes, values] = [this.#bytes, this.#values];
    if (bytes === null || values === null || !ownsMemory(bytes) || !ownsMemory(values)) return null;
    this.#bytes = null;
    this.#values = null;
    return { bytes, values };
  }

  moveBack({ bytes, values }: PageContent): void {
    this.#bytes = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength);
    this.#values = values;
  }

  /** The record that stands there. It is parsed once. */
  parsed(begin: number, end: number): ListedRecord {
    const record =
      this.#parsed.get(begin) ?? parsedRecord(parseExactJson(this.bytes.toString('utf8', begin, end)));
    this.#parsed.set(begin, record);
    return record;
  }

  /** From now on, a record of the page that is read throws a TypeError. What was read of it before stays. */
  drop(): void {
    if (this.#bytes !== null) freeBytes(this.#bytes);
    if (this.#values !== null) freeBytes(this.#values);
    this.#bytes = null;
    this.#values = null;
    this.#parsed.clear();
  }
}

/** How many numbers `values` has for each value. */
export const numbersPerValue = 3;

/** How many numbers `places` has for each record. */
const numbersPerPlace = 4 + drainFields.length;

export class ScannedJob implements ListedRecord {
  readonly page: ScannedPage;
  readonly #places: Int32Array;
  readonly #at: number;

  /** @param at where its numbers begin in `places` of ScannedJobs */
  constructor(page: ScannedPage, places: Int32Array, at: number) {
    this.page = page;
    this.#places = places;
    this.#at = at;
  }

  /** Its values are in the page's `values` from here… */
  get from(): number {
    return this.#places[this.#at + 2] ?? 0;
  }

  /** … to here. It is not plain if that is the same. */
  get to(): number {
    return this.#places[this.#at + 3] ?? 0;
  }

  get isPlain(): boolean {
    return this.to > this.from;
  }

  get value(): unknown {
    return this.#whole().value;
  }

  field(name: string): unknown {
    const number = numbersOf.get(name);
    if (number === undefined || !this.isPlain) return this.#whole().field(name);
    const { values, bytes } = this.page;
    const at = this.#find(number);
    return at < 0 ? undefined : valueIn(bytes, values[at + 1] ?? 0, values[at + 2] ?? 0);
  }

  textBytes(name: string): TextBytes | null {
    const number = numbersOf.get(name);
    const at = number === undefined || !this.isPlain ? -1 : this.#find(number);
    if (at < 0) return null;
    const { values, bytes } = this.page;
    const [begin, end] = [(values[at + 1] ?? 0) + 1, (values[at + 2] ?? 0) - 1];
    return bytes[begin - 1] === quote && begin < end ? { bytes, begin, end } : null;
  }

  /** Where the value stands in the page's `values`; -1: it has none. */
  #find(number: number): number {
    if (number < drainFields.length) return this.#places[this.#at + 4 + number] ?? -1;
    const { values } = this.page;
    const { from, to } = this;
    for (let at = from; at < to; at += numbersPerValue) if (values[at] === number) return at;
    return -1;
  }

  #whole(): ListedRecord {
    return this.page.parsed(this.#places[this.#at] ?? 0, this.#places[this.#at + 1] ?? 0);
  }
}

/**
 * The records of a scanned page. They are made when somebody looks at them, each time anew: a page may wait for long, and
 * V8 would move what waits to its old space.
 */
export class ScannedJobs implements ListedRecords {
  readonly page: ScannedPage;
  /**
   * For each record: where it begins and ends in the bytes, where its values begin and end in those of the page, and where the
   * value of each drain field stands there; -1: it has none.
   */
  readonly places: Int32Array;

  constructor(page: ScannedPage, places: Int32Array) {
    this.page = page;
    this.places = places;
  }

  get length(): number {
    return this.places.length / numbersPerPlace;
  }

  /** Whether any of them is plain. */
  get hasPlain(): boolean {
    const { places } = this;
    for (let at = 0; at < places.length; at += numbersPerPlace) {
      if ((places[at + 3] ?? 0) > (places[at + 2] ?? 0)) return true;
    }
    return false;
  }

  at(place: number): ScannedJob | undefined {
    return place >= 0 && place < this.length ? this.#made(place * numbersPerPlace) : undefined;
  }

  *[Symbol.iterator](): Generator<ScannedJob> {
    for (let at = 0; at < this.places.length; at += numbersPerPlace) yield this.#made(at);
  }

  filter(keep: (record: ListedRecord) => boolean): ScannedJobs {
    const { places } = this;
    const kept = new Int32Array(places.length);
    let length = 0;
    for (let at = 0; at < places.length; at += numbersPerPlace) {
      if (!keep(this.#made(at))) continue;
      for (let number = 0; number < numbersPerPlace; number += 1)
        kept[length + number] = places[at + number] ?? 0;
      length += numbersPerPlace;
    }
    return length === places.length ? this : new ScannedJobs(this.page, kept.slice(0, length));
  }

  map<Made>(make: (record: ListedRecord) => Made): Made[] {
    return Array.from(this, make);
  }

  #made(at: number): ScannedJob {
    return new ScannedJob(this.page, this.places, at);
  }
}

const numbersOf: ReadonlyMap<string, number> = new Map(jobFields.map(({ path }, number) => [path, number]));

const [quote, openBrace, letterT, letterF] = Buffer.from('"{tf');

function valueIn(bytes: Buffer, begin: number, end: number): unknown {
  switch (bytes[begin]) {
    case quote:
      return textIn(bytes, begin, end);
    case openBrace:
      return parseExactJson(bytes.toString('utf8', begin, end));
    case letterT:
      return true;
    case letterF:
      return false;
    default: {
      const number = numberIn(bytes, begin, end);
      return Math.abs(number) <= Number.MAX_SAFE_INTEGER
        ? number
        : parseExactJson(bytes.toString('latin1', begin, end));
    }
  }
}

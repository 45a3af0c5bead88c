/** Finds the copy jobs of a response in its bytes. */
import {
  afterSpace,
  numberEnd,
  startsWithWords,
  textEnd,
  textEndByWords,
  textIn,
  valueBegin,
  valueEnd,
  wordsOf,
} from '../shared/json-bytes.ts';
import { drainFields, type FieldGroup, jobRecord, type NamedField } from './job-fields.ts';
import type { ListedRecords } from './listed-record.ts';
import { numbersPerValue, ScannedJobs, ScannedPage } from './scanned-jobs.ts';

/** Where the jobs of a response stand in its bytes. */
export interface FoundJobs {
  /** As in ScannedPage. */
  readonly values: Int32Array;
  /** As in ScannedJobs. */
  readonly places: Int32Array;
  readonly nextToken: string | null;
}

export interface JobList {
  readonly records: ListedRecords;
  readonly nextToken: string | null;
  /** Frees the bytes. The records are of no use then. */
  readonly drop: () => void;
}

/** A response that was scanned, perhaps in another thread. */
export interface Scanned {
  /** Of the response. They may have moved: those that were scanned are of no use then. */
  readonly bytes: Buffer;
  readonly list: JobList | null;
}

/**
 * Null: this is not the JSON of a list of copy jobs, or one that nobody has seen yet, such as one with two lists. JSON.parse
 * tells.
 * @param bytes valid UTF-8
 */
export function findJobs(bytes: Buffer): FoundJobs | null {
  return new JobScan(bytes).list();
}

/** @param bytes those that the jobs were found in */
export function jobsFound(bytes: Buffer, { values, places, nextToken }: FoundJobs): JobList {
  const page = new ScannedPage(bytes, values);
  return { records: new ScannedJobs(page, places), nextToken, drop: () => page.drop() };
}

/** Null: as findJobs. */
export function scanJobs(bytes: Buffer): JobList | null {
  const found = findJobs(bytes);
  return found === null ? null : jobsFound(bytes, found);
}

const [quote, comma, openBrace, closeBrace, openBracket, closeBracket, letterN] = Buffer.from('",{}[]n');
const [listName, tokenName] = [wordsOf(Buffer.from('"CopyJobs"')), wordsOf(Buffer.from('"NextToken"'))];

/** Where values are noted while a page is scanned. Pages take turns, because nothing is awaited meanwhile. */
let noted = new Int32Array(2 ** 18);
const mostKept = 2 ** 20;

class JobScan {
  readonly #bytes: Buffer;
  /** The same. */
  readonly #view: DataView;
  readonly #places: number[] = [];
  /** Where the drain fields of the record stand in `noted`; -1: it has none. */
  readonly #drainPlaces = new Int32Array(drainFields.length);
  #noted = 0;
  /** Of the record that is being scanned. */
  #isPlain = true;

  constructor(bytes: Buffer) {
    this.#bytes = bytes;
    this.#view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }

  list(): FoundJobs | null {
    const bytes = this.#bytes;
    let at = afterSpace(bytes, 0);
    if (bytes[at] !== openBrace) return null;
    at = afterSpace(bytes, at + 1);
    let records = 0;
    let token: { readonly begin: number; readonly end: number } | null = null;
    for (;;) {
      // A name with escapes may be one of ours.
      const nameEnd = textEnd(bytes, at);
      if (nameEnd <= 0) return null;
      const begin = valueBegin(bytes, nameEnd);
      if (begin === 0) return null;
      let end: number;
      if (startsWithWords(this.#view, at, listName)) {
        records += 1;
        end = this.#list(begin);
      } else {
        end = valueEnd(bytes, begin);
        if (startsWithWords(this.#view, at, tokenName)) {
          if (token !== null) return null;
          token = { begin, end };
        }
      }
      if (end === 0) return null;
      at = afterSpace(bytes, end);
      if (bytes[at] !== comma) break;
      at = afterSpace(bytes, at + 1);
    }
    if (records !== 1 || bytes[at] !== closeBrace || afterSpace(bytes, at + 1) !== bytes.length) return null;
    const nextToken = token === null ? '' : this.#token(token.begin);
    if (nextToken === null) return null;
    return {
      values: this.#values(),
      places: Int32Array.from(this.#places),
      nextToken: nextToken || null,
    };
  }

  /** Null: it is neither text nor null. */
  #token(begin: number): string | null {
    const bytes = this.#bytes;
    if (bytes[begin] === letterN) return '';
    const end = textEnd(bytes, begin);
    return end === 0 ? null : textIn(bytes, begin, end);
  }

  /** Returns where the list ends; 0: it is none. */
  #list(begin: number): number {
    const bytes = this.#bytes;
    if (bytes[begin] !== openBracket) return 0;
    let at = afterSpace(bytes, begin + 1);
    if (bytes[at] === closeBracket) return at + 1;
    for (;;) {
      const end = this.#record(at);
      if (end === 0) return 0;
      at = afterSpace(bytes, end);
      if (bytes[at] === closeBracket) return at + 1;
      if (bytes[at] !== comma) return 0;
      at = afterSpace(bytes, at + 1);
    }
  }

  #record(begin: number): number {
    const bytes = this.#bytes;
    const from = this.#noted;
    this.#isPlain = bytes[begin] === openBrace;
    this.#drainPlaces.fill(-1);
    const end = this.#isPlain ? this.#fields(jobRecord, begin) : valueEnd(bytes, begin);
    if (end === 0) return 0;
    if (!this.#isPlain) this.#noted = from;
    this.#places.push(begin, end, from, this.#noted);
    for (const place of this.#drainPlaces) this.#places.push(place);
    return end;
  }

  /** Notes the values of an object. Returns where it ends; 0: it is no object. */
  #fields(group: FieldGroup, begin: number): number {
    const bytes = this.#bytes;
    const { fields, foundIn } = group;
    group.object += 1;
    let at = afterSpace(bytes, begin + 1);
    if (bytes[at] === closeBrace) return at + 1;
    let before = 0;
    for (;;) {
      let place = this.#expected(group, before, at);
      let field = fields[place];
      let value: number;
      if (field !== undefined) value = afterSpace(bytes, at + field.named.length);
      else {
        const nameEnd = textEnd(bytes, at);
        place = nameEnd > 0 ? (group.placeOf.get(textIn(bytes, at, nameEnd)) ?? -1) : -1;
        field = fields[place];
        if (field !== undefined) expectAfter(group, before, place);
        value = valueBegin(bytes, Math.abs(nameEnd));
      }
      if (value === 0) return 0;
      let end: number;
      if (field === undefined || foundIn[place] === group.object) {
        this.#isPlain = false;
        end = valueEnd(bytes, value);
      } else {
        foundIn[place] = group.object;
        before = place + 1;
        end = this.#value(field, value);
      }
      if (end === 0) return 0;
      at = afterSpace(bytes, end);
      if (bytes[at] === closeBrace) return at + 1;
      if (bytes[at] !== comma) return 0;
      at = afterSpace(bytes, at + 1);
    }
  }

  /** The place of the field whose name stands here, if it is one of the two that are expected after this place; otherwise -1. */
  #expected({ fields, placesAfter }: FieldGroup, before: number, at: number): number {
    const first = placesAfter[before * 2] ?? 0;
    const one = fields[first];
    if (one !== undefined && startsWithWords(this.#view, at, one.named)) return first;
    const second = placesAfter[before * 2 + 1] ?? 0;
    const other = fields[second];
    return other !== undefined && startsWithWords(this.#view, at, other.named) ? second : -1;
  }

  /** Notes a value. Returns where it ends; 0: it is none. */
  #value(field: NamedField, begin: number): number {
    const bytes = this.#bytes;
    const first = bytes[begin];
    switch (field.accepts) {
      case 'text': {
        if (first !== quote) break;
        const end = textEndByWords(bytes, this.#view, begin);
        this.#note(field.number, begin, end);
        return Math.abs(end);
      }
      case 'number': {
        const end = numberEnd(bytes, begin);
        if (end === 0) break;
        this.#note(field.number, begin, end);
        return end;
      }
      case 'group':
        if (first !== openBrace || field.group === null) break;
        return this.#fields(field.group, begin);
      case 'boolean':
      case 'counts': {
        const end = valueEnd(bytes, begin);
        const isOurs = field.accepts === 'counts' ? first === openBrace : isTrueOrFalse(first);
        if (!isOurs) break;
        this.#note(field.number, begin, end);
        return end;
      }
    }
    // A field or a group that is null has no value.
    if (first !== letterN) this.#isPlain = false;
    return valueEnd(bytes, begin);
  }

  #note(number: number, begin: number, end: number): void {
    const at = this.#noted;
    if (at + numbersPerValue > noted.length) {
      const larger = new Int32Array(noted.length * 2);
      larger.set(noted);
      noted = larger;
    }
    if (number < drainFields.length) this.#drainPlaces[number] = at;
    noted[at] = number;
    noted[at + 1] = begin;
    noted[at + 2] = end;
    this.#noted = at + numbersPerValue;
  }

  #values(): Int32Array {
    const values = noted.slice(0, this.#noted);
    if (noted.length > mostKept) noted = new Int32Array(2 ** 18);
    return values;
  }
}

function expectAfter({ placesAfter }: FieldGroup, before: number, place: number): void {
  placesAfter[before * 2 + 1] = placesAfter[before * 2] ?? 0;
  placesAfter[before * 2] = place;
}

const [letterT, letterF] = Buffer.from('tf');

function isTrueOrFalse(byte: number | undefined): boolean {
  return byte === letterT || byte === letterF;
}

/** One plain record of a copy job as a staged line (staged-line.ts): bytes to bytes, value by value. */
import { parseExactJson } from '../shared/exact-json.ts';
import { numberIn, textIn } from '../shared/json-bytes.ts';
import { arnField } from '../tables/arn.ts';
import { latestCreation, scheduleIntervalOf } from '../tables/copy-jobs.ts';
import { jobFields } from '../tables/job-fields.ts';
import { instantOf, isObject, sortedCountsOrNull } from '../tables/record-values.ts';
import { numbersPerValue, type ScannedJob, type ScannedPage } from '../tables/scanned-jobs.ts';
import type { Observation } from '../tables/table.ts';
import type { CreationDates } from './creation-dates.ts';
import { comparedInLine, fieldNumbers, type LineColumn, type StateEnd, stateEnd } from './job-line-fields.ts';
import { bucketOf } from './layout.ts';
import { digestOf, unitOf, unitOfBytes } from './line-digests.ts';
import { type LineWriter, viewOf } from './line-writer.ts';
import { RememberedTexts, type TextAt } from './remembered-texts.ts';

export interface JobLineOptions {
  /** The lake's bucket count. */
  readonly buckets: number;
  readonly creationDates: Pick<CreationDates, 'firstDate'>;
}

/** A longer line is not written here: its row may be too long to be staged. */
const longestLine = 2 ** 20;

/** Where a line belongs, and what it says: its unit and digest, see line-digests.ts. */
export interface JobLine {
  readonly bucket: number;
  readonly created: number;
  readonly first: number;
  readonly isOver: boolean;
  readonly unit: number;
  readonly digest: number;
}

/** Or why there is none. `missing`: a bucket whose creation dates have to be loaded first. */
export type WrittenLine = JobLine | { readonly missing: number } | null;

const none: TextAt = { begin: 0, end: 0 };

/** Writes the lines of one page. */
export class PageLineWriter {
  readonly #writer: LineWriter;
  readonly #options: JobLineOptions;
  readonly #observation: Observation;
  readonly #latestCreation: number;
  readonly #page: ScannedPage;
  /** The bytes of the page. */
  readonly #view: DataView;
  readonly #stateEnds: RememberedTexts<StateEnd>;
  readonly #rules: RememberedTexts<{ readonly cron: string; readonly timezone: string | null }>;
  readonly #accounts: RememberedTexts<{ readonly text: string; readonly bucket: number }>;
  /** Where the values of the record stand, by number: place in `values` plus 1. 0: it has none. */
  readonly #places = new Int32Array(jobFields.length);
  /** Of the record whose account was written last. */
  #bucket = 0;

  constructor(writer: LineWriter, options: JobLineOptions, observation: Observation, page: ScannedPage) {
    this.#writer = writer;
    this.#options = options;
    this.#observation = observation;
    this.#latestCreation = latestCreation(observation.observedAt);
    this.#page = page;
    this.#view = viewOf(page.bytes);
    this.#stateEnds = new RememberedTexts(page.bytes);
    this.#rules = new RememberedTexts(page.bytes);
    this.#accounts = new RememberedTexts(page.bytes);
  }

  write(record: ScannedJob): WrittenLine {
    const writer = this.#writer;
    const { bytes } = this.#page;
    this.#find(record);
    const id = this.#at(fieldNumbers.id);
    const createdAt = this.#at(fieldNumbers.created);
    if (id.end === 0 || id.end - id.begin === emptyText || createdAt.end === 0) return null;
    const created = instantOf(numberIn(bytes, createdAt.begin, createdAt.end));
    if (created === null || created > this.#latestCreation) return null;

    const begin = writer.length;
    for (const column of comparedInLine) {
      if (!this.#column(column)) return null;
      writer.separator();
    }
    if (writer.length - begin > longestLine) return null;
    const bucket = this.#bucket;
    const first = this.#options.creationDates.firstDate(bucket, textIn(bytes, id.begin, id.end), created);
    if (first === null) return { missing: bucket };
    writer.integer(first);
    const digest = digestOf(writer.view(begin, writer.length));
    writer.separator();
    this.#schedule(created);
    const { rest, isOver } = this.#stateEnd();
    writer.raw(rest);
    return { bucket, created, first, isOver, unit: this.#unit(id), digest };
  }

  #unit({ begin, end }: TextAt): number {
    const { bytes } = this.#page;
    return end < 0 ? unitOf([textIn(bytes, begin, end)]) : unitOfBytes(bytes, begin + 1, end - 1);
  }

  #find({ from, to }: ScannedJob): void {
    const { values } = this.#page;
    this.#places.fill(0);
    for (let at = from; at < to; at += numbersPerValue) this.#places[values[at] ?? 0] = at + 1;
  }

  #at(field: number): TextAt {
    const place = this.#places[field] ?? 0;
    if (place === 0) return none;
    const { values } = this.#page;
    return { begin: values[place] ?? 0, end: values[place + 1] ?? 0 };
  }

  #textAt({ begin, end }: TextAt): string | null {
    return end === 0 ? null : textIn(this.#page.bytes, begin, end);
  }

  /** False: it is not well-formed Unicode, or very long. */
  #text(begin: number, end: number): boolean {
    const { bytes } = this.#page;
    if (end < 0) return this.#writer.text(textIn(bytes, begin, end));
    this.#writer.span(this.#view, begin, end);
    return true;
  }

  /** False: the value is not one of its column. */
  #column(column: LineColumn): boolean {
    switch (column.writes) {
      case 'account':
        return this.#account();
      case 'region':
        return this.#writer.text(this.#observation.region);
      default: {
        const place = this.#places[column.field] ?? 0;
        if (place === 0) return true;
        const { values } = this.#page;
        return this.#value(column, values[place] ?? 0, values[place + 1] ?? 0);
      }
    }
  }

  #value({ writes, state }: LineColumn, begin: number, end: number): boolean {
    const writer = this.#writer;
    const { bytes } = this.#page;
    switch (writes) {
      case 'text':
        return this.#text(begin, end);
      case 'boolean':
        writer.span(this.#view, begin, end);
        return true;
      case 'bigint': {
        // As it stands in the record it is what `integer` would write.
        if (areDigits(bytes, begin, end)) {
          writer.span(this.#view, begin, end);
          return true;
        }
        const value = numberIn(bytes, begin, end);
        if (!Number.isSafeInteger(value)) return false;
        writer.integer(value);
        return true;
      }
      case 'timestamp': {
        const instant = instantOf(numberIn(bytes, begin, end));
        if (instant === null) return false;
        writer.integer(instant);
        return true;
      }
      case 'counts': {
        const counts = parseExactJson(bytes.toString('utf8', begin, end));
        const sorted = isObject(counts) ? sortedCountsOrNull(counts) : null;
        return sorted !== null && writer.text(sorted);
      }
      case 'count': {
        const counts = parseExactJson(bytes.toString('utf8', begin, end));
        const count = isObject(counts) && Object.hasOwn(counts, state) ? counts[state] : null;
        if (count === null) return true;
        if (typeof count !== 'number' || !Number.isSafeInteger(count)) return false;
        writer.integer(count);
        return true;
      }
      default:
        return false;
    }
  }

  /** Writes the account that owns the job. False: it cannot be written. */
  #account(): boolean {
    const named = this.#at(fieldNumbers.account);
    const at = named.end - named.begin === emptyText ? none : named;
    const vault = at.end === 0 ? this.#at(fieldNumbers.sourceVault) : none;
    let account = this.#accounts.get(at.begin, at.end, vault.begin, vault.end);
    if (account === undefined) {
      const text =
        this.#textAt(at) ?? arnField(this.#textAt(vault), 'account') ?? this.#observation.accountId;
      account = { text, bucket: bucketOf(text, this.#options.buckets) };
      this.#accounts.set(at, vault, account);
    }
    this.#bucket = account.bucket;
    return this.#writer.text(account.text);
  }

  #schedule(created: number): void {
    const cronAt = this.#at(fieldNumbers.cron);
    if (cronAt.end === 0) return;
    const zoneAt = this.#at(fieldNumbers.timezone);
    let rule = this.#rules.get(cronAt.begin, cronAt.end, zoneAt.begin, zoneAt.end);
    if (rule === undefined) {
      rule = { cron: this.#textAt(cronAt) ?? '', timezone: this.#textAt(zoneAt) };
      this.#rules.set(cronAt, zoneAt, rule);
    }
    const interval = scheduleIntervalOf(rule.cron, rule.timezone, created);
    if (interval === null) return;
    this.#writer.integer(interval);
  }

  #stateEnd(): StateEnd {
    const state = this.#at(fieldNumbers.state);
    const category = this.#at(fieldNumbers.category);
    let end = this.#stateEnds.get(state.begin, state.end, category.begin, category.end);
    if (end === undefined) {
      end = stateEnd(this.#textAt(state), this.#textAt(category), this.#observation);
      this.#stateEnds.set(state, category, end);
    }
    return end;
  }
}

/** Two quotation marks. */
const emptyText = 2;

/** Up to so many digits are a safe integer. */
const safeDigits = 15;

function areDigits(bytes: Buffer, begin: number, end: number): boolean {
  if (end - begin > safeDigits) return false;
  for (let at = begin; at < end; at += 1) {
    const byte = bytes[at] ?? 0;
    if (byte < 0x30 || byte > 0x39) return false;
  }
  return true;
}

/**
 * Records of copy jobs become staged lines without a row in between. This is for plain records, nearly all there are: every
 * field has a column and a value of its type. The others, `odd` here, go the way of copyJobRow (src/tables/copy-jobs.ts),
 * which says what a record means and why it is rejected. A test compares both ways.
 *
 * A line begins with the id and has the columns that decide about changes first, in the order of the record.
 */
import { dayMs } from '../shared/time.ts';
import { arnField } from '../tables/arn.ts';
import { copyJobs, isTerminal, scheduleIntervalOf } from '../tables/copy-jobs.ts';
import { type RecordField, recordFields } from '../tables/record-fields.ts';
import { instantOf, isObject, sortedCountsOrNull } from '../tables/record-values.ts';
import { firstSight } from '../tables/state-history.ts';
import { type ColumnType, type Observation, utcDay } from '../tables/table.ts';
import type { CreationDates } from './creation-dates.ts';
import { bucketOf } from './layout.ts';
import { LineWriter } from './line-writer.ts';

/** Staged lines of one part. */
export interface PartLines {
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  readonly rows: number;
  /** Whole lines, one after the other. */
  readonly bytes: readonly Buffer[];
}

export interface JobPageLines {
  readonly parts: readonly PartLines[];
  readonly rows: number;
  /** The days of jobs that are not over. */
  readonly openDays: ReadonlySet<string>;
  /** Records that have no line. */
  readonly odd: readonly unknown[];
}

export interface JobLinesOptions {
  /** The lake's bucket count. */
  readonly buckets: number;
  readonly creationDates: Pick<CreationDates, 'firstDate' | 'load'>;
}

/** A longer line is not written here: its row may be too long to be staged. */
const longestLine = 2 ** 20;

/** So many bytes are moved to their parts while a page is being written. */
const moveBytes = 4 * 2 ** 20;

export class JobLines {
  readonly #options: JobLinesOptions;
  readonly #writer = new LineWriter();

  constructor(options: JobLinesOptions) {
    this.#options = options;
  }

  async encode(records: readonly unknown[], observation: Observation): Promise<JobPageLines> {
    for (;;) {
      // Pages share the writer, so nothing is awaited while one is being written.
      const page = new PageEncoder(this.#writer, this.#options, observation);
      const missing = page.write(records);
      if (missing === null) return page.result();
      await this.#options.creationDates.load(missing);
    }
  }
}

interface PartRuns {
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  rows: number;
  /** Where its lines begin and end in the writer, in pairs. */
  runs: number[];
  readonly bytes: Buffer[];
}

class PageEncoder {
  readonly #writer: LineWriter;
  readonly #options: JobLinesOptions;
  readonly #observation: Observation;
  /** What every line of the page ends with, around the history of its job. */
  readonly #ends: PageEnds;
  readonly #parts = new Map<number, Map<number, PartRuns>>();
  readonly #openDays = new Set<number>();
  readonly #odd: unknown[] = [];
  readonly #histories = new Map<unknown, Map<unknown, Uint8Array>>();
  #rows = 0;
  #last: { readonly day: number; readonly part: PartRuns } | null = null;

  constructor(writer: LineWriter, options: JobLinesOptions, observation: Observation) {
    this.#writer = writer;
    this.#options = options;
    this.#observation = observation;
    this.#ends = pageEnds(observation);
    writer.truncate(0);
  }

  /** Returns a bucket whose creation dates have to be loaded first; null: all records were written. */
  write(records: readonly unknown[]): number | null {
    for (const record of records) {
      const begin = this.#writer.length;
      const outcome = this.#writeLine(record);
      if (outcome === 'written') continue;
      this.#writer.truncate(begin);
      if (outcome !== 'odd') return outcome.missing;
      this.#odd.push(record);
    }
    return null;
  }

  result(): JobPageLines {
    this.#move();
    const parts: PartLines[] = [];
    for (const ofDay of this.#parts.values()) {
      for (const { partition, bucket, rows, bytes } of ofDay.values())
        parts.push({ partition, bucket, rows, bytes });
    }
    const openDays = new Set([...this.#openDays].map((day) => utcDay(day * dayMs)));
    return { parts, rows: this.#rows, openDays, odd: this.#odd };
  }

  #writeLine(record: unknown): 'written' | 'odd' | { readonly missing: number } {
    const writer = this.#writer;
    if (!isObject(record)) return 'odd';
    const { CopyJobId: id, CreationDate: createdSeconds, State: state } = record;
    const created = instantOf(createdSeconds);
    if (typeof id !== 'string' || id === '' || created === null) return 'odd';
    const begin = writer.length;
    writer.raw(idHead);
    if (!writer.text(id) || !writeFields(writer, record)) return 'odd';
    if (writer.length - begin > longestLine) return 'odd';
    const account =
      (typeof record.AccountId === 'string' && record.AccountId) ||
      arnField(
        typeof record.SourceBackupVaultArn === 'string' ? record.SourceBackupVaultArn : null,
        'account',
      ) ||
      this.#observation.accountId;
    writer.raw(accountHead);
    if (!writer.text(account)) return 'odd';

    const { buckets, creationDates } = this.#options;
    const bucket = bucketOf(account, buckets);
    const first = creationDates.firstDate(bucket, id, created);
    if (first === null) return { missing: bucket };
    writer.raw(creationHead);
    writer.integer(first);
    writer.raw(this.#ends.compared);
    this.#writeSchedule(record.CreatedBy, created);
    writer.raw(this.#historyOf(state, record.MessageCategory));
    writer.raw(this.#ends.provenance);

    if (isTerminal(typeof state === 'string' ? state : null) !== true)
      this.#openDays.add(Math.floor(created / dayMs));
    this.#note(Math.floor(first / dayMs), bucket, begin);
    return 'written';
  }

  #writeSchedule(createdBy: unknown, created: number): void {
    if (!isObject(createdBy)) return;
    const { BackupRuleCron: cron, BackupRuleTimezone: timezone } = createdBy;
    const interval = scheduleIntervalOf(cron, timezone, created);
    if (interval === null) return;
    this.#writer.raw(scheduleHead);
    this.#writer.integer(interval);
  }

  /** Most jobs of a page have one of few states and categories. */
  #historyOf(state: unknown, category: unknown): Uint8Array {
    let ofState = this.#histories.get(state);
    if (ofState === undefined) {
      ofState = new Map();
      this.#histories.set(state, ofState);
    }
    let bytes = ofState.get(category);
    if (bytes === undefined) {
      const { observedAt, runId, openReadAt = null } = this.#observation;
      const seen = {
        state: typeof state === 'string' ? state : null,
        message_category: typeof category === 'string' ? category : null,
        observed_at: observedAt,
        run_id: runId,
      };
      bytes = Buffer.from(`,"state_history":${JSON.stringify(firstSight(seen, openReadAt))}`);
      ofState.set(category, bytes);
    }
    return bytes;
  }

  #note(day: number, bucket: number, begin: number): void {
    const end = this.#writer.length;
    let last = this.#last;
    if (last === null || last.day !== day || last.part.bucket !== bucket) {
      last = { day, part: this.#partOf(day, bucket) };
      this.#last = last;
    }
    const { part } = last;
    part.rows += 1;
    this.#rows += 1;
    if (part.runs.at(-1) === begin) part.runs[part.runs.length - 1] = end;
    else part.runs.push(begin, end);
    if (end > moveBytes) this.#move();
  }

  #partOf(day: number, bucket: number): PartRuns {
    const ofDay = this.#parts.get(day) ?? new Map<number, PartRuns>();
    this.#parts.set(day, ofDay);
    const part = ofDay.get(bucket) ?? {
      partition: { creation_date: utcDay(day * dayMs) },
      bucket,
      rows: 0,
      runs: [],
      bytes: [],
    };
    ofDay.set(bucket, part);
    return part;
  }

  /** Moves what was written to its parts. */
  #move(): void {
    for (const ofDay of this.#parts.values()) {
      for (const part of ofDay.values()) this.#moveTo(part);
    }
    this.#writer.truncate(0);
  }

  #moveTo(part: PartRuns): void {
    const { runs } = part;
    if (runs.length === 0) return;
    let length = 0;
    for (let at = 0; at < runs.length; at += 2) length += (runs[at + 1] ?? 0) - (runs[at] ?? 0);
    const bytes = Buffer.allocUnsafeSlow(length);
    let filled = 0;
    for (let at = 0; at < runs.length; at += 2) {
      const [from = 0, to = 0] = [runs[at], runs[at + 1]];
      this.#writer.copy(bytes, filled, from, to);
      filled += to - from;
    }
    part.bytes.push(bytes);
    part.runs = [];
  }
}

type LineField =
  | { readonly kind: 'written elsewhere' }
  | { readonly kind: 'value'; readonly head: Uint8Array; readonly type: ColumnType }
  | { readonly kind: 'group'; readonly fields: ReadonlyMap<string, LineValue> }
  | { readonly kind: 'counts'; readonly head: Uint8Array; readonly fields: ReadonlyMap<string, LineValue> };

interface LineValue {
  readonly head: Uint8Array;
  readonly type: ColumnType;
}

const headOf = (column: string): Uint8Array => Buffer.from(`,${JSON.stringify(column)}:`);

const idHead = Buffer.from('{"copy_job_id":');
const accountHead = headOf('account_id');
const creationHead = headOf('creation_time');
const scheduleHead = headOf('schedule_interval_ms');
const [yes, no] = [Buffer.from('true'), Buffer.from('false')];

/** These columns depend on more than their field. */
const elsewhere: ReadonlySet<string> = new Set(['copy_job_id', 'account_id', 'creation_time']);

const lineFields: ReadonlyMap<string, LineField> = new Map(
  [...recordFields(copyJobs.columns)].map(([name, field]) => [name, lineFieldOf(field)]),
);

function lineFieldOf(field: RecordField): LineField {
  const inner = field.kind === 'value' ? [] : [...field.fields];
  const fields = new Map(
    inner.map(([name, { name: column, type }]) => [name, { head: headOf(column), type }]),
  );
  switch (field.kind) {
    case 'value': {
      const { name, type } = field.column;
      return elsewhere.has(name)
        ? { kind: 'written elsewhere' }
        : { kind: 'value', head: headOf(name), type };
    }
    case 'group':
      return { kind: 'group', fields };
    case 'counts':
      return { kind: 'counts', head: headOf(field.column.name), fields };
  }
}

/** False: the record is odd. */
function writeFields(writer: LineWriter, record: Readonly<Record<string, unknown>>): boolean {
  // Every property of a parsed record is its own, and `for in` finds them without a list of names.
  for (const name in record) {
    const field = lineFields.get(name);
    if (field === undefined) return false;
    const value = record[name];
    switch (field.kind) {
      case 'value':
        if (value !== null && !writeValue(writer, field, value)) return false;
        break;
      case 'group':
        if (!isObject(value) || !writeGroup(writer, field.fields, value)) return false;
        break;
      case 'counts':
        if (value !== null && !(isObject(value) && writeCounts(writer, field, value))) return false;
        break;
      case 'written elsewhere':
        if (value !== null && name === 'AccountId' && typeof value !== 'string') return false;
        break;
    }
  }
  return true;
}

function writeGroup(
  writer: LineWriter,
  fields: ReadonlyMap<string, LineValue>,
  values: Readonly<Record<string, unknown>>,
): boolean {
  for (const name in values) {
    const field = fields.get(name);
    const value = values[name];
    if (field === undefined || (value !== null && !writeValue(writer, field, value))) return false;
  }
  return true;
}

function writeCounts(
  writer: LineWriter,
  { head, fields }: Extract<LineField, { kind: 'counts' }>,
  counts: Readonly<Record<string, unknown>>,
): boolean {
  const sorted = sortedCountsOrNull(counts);
  if (sorted === null) return false;
  writer.raw(head);
  if (!writer.text(sorted)) return false;
  for (const [state, field] of fields) {
    const count = Object.hasOwn(counts, state) ? counts[state] : null;
    if (count !== null && !writeValue(writer, field, count)) return false;
  }
  return true;
}

function writeValue(writer: LineWriter, { head, type }: LineValue, value: unknown): boolean {
  switch (type) {
    case 'text':
      if (typeof value !== 'string') return false;
      writer.raw(head);
      return writer.text(value);
    case 'bigint':
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return false;
      writer.raw(head);
      writer.integer(value);
      return true;
    case 'timestamp': {
      const instant = instantOf(value);
      if (instant === null) return false;
      writer.raw(head);
      writer.integer(instant);
      return true;
    }
    case 'boolean':
      if (typeof value !== 'boolean') return false;
      writer.raw(head);
      writer.raw(value ? yes : no);
      return true;
  }
}

interface PageEnds {
  readonly compared: Uint8Array;
  readonly provenance: Uint8Array;
}

function pageEnds({ accountId, region, observedAt, runId }: Observation): PageEnds {
  const provenance = {
    first_observed_at: observedAt,
    observed_at: observedAt,
    run_id: runId,
    queried_account_id: accountId,
  };
  return {
    compared: Buffer.from(`,"region":${JSON.stringify(region)}`),
    provenance: Buffer.from(`,${JSON.stringify(provenance).slice(1)}\n`),
  };
}

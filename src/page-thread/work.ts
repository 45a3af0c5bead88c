/** What the thread of page-thread.ts does. Bytes come and go without a copy. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { type AssumedDates, DateAssumptions } from '../lake/assumed-dates.ts';
import { LineWriter } from '../lake/line-writer.ts';
import { type PageLines, pageLines } from '../lake/page-lines.ts';
import { type FoundJobs, findJobs } from '../tables/scan-jobs.ts';
import { type PageContent, ScannedJob, ScannedPage } from '../tables/scanned-jobs.ts';
import type { Observation } from '../tables/table.ts';

export interface Scan {
  readonly bytes: Uint8Array;
  readonly found: FoundJobs | null;
}

export interface LinesTask {
  readonly page: PageContent;
  /** Where the values of each plain record begin and end, in pairs. */
  readonly records: Int32Array;
  readonly observation: Observation;
  /** The lake's bucket count. */
  readonly buckets: number;
}

export interface LinesDone {
  readonly page: PageContent;
  readonly lines: Omit<PageLines, 'odd'>;
  readonly dates: AssumedDates;
  /** The places of the records that have no line, in the order of the task. */
  readonly odd: readonly number[];
}

export function scan(bytes: Uint8Array) {
  const found = findJobs(asBuffer(bytes));
  return moved<Scan>({ bytes, found }, [bytes, ...(found === null ? [] : [found.values, found.records])]);
}

/** Pages take turns. */
const writer = new LineWriter();

export function lines({ page, records, observation, buckets }: LinesTask) {
  const scanned = new ScannedPage(asBuffer(page.bytes), page.values);
  const jobs = Array.from(
    { length: records.length / 2 },
    (_, at) => new ScannedJob(scanned, 0, 0, records[at * 2] ?? 0, records[at * 2 + 1] ?? 0),
  );
  const creationDates = new DateAssumptions(jobs.length);
  const made = pageLines(jobs, observation, { buckets, creationDates }, writer);
  if ('missing' in made) throw new TypeError('a date is missing, although each record has its own');
  const digests = made.parts.map((part) => Float64Array.from(part.digests.entries));
  const parts = made.parts.map((part, at) => ({
    ...part,
    digests: { ...part.digests, entries: digests[at] ?? [] },
  }));
  const { rows, openDays, open } = made;
  const places = new Map<unknown, number>(made.odd.length === 0 ? [] : jobs.map((job, at) => [job, at]));
  const odd = made.odd.flatMap((record) => places.get(record) ?? []);
  const dates = creationDates.assumed;
  const ofLines = made.parts.flatMap(({ bytes }) => bytes);
  return moved<LinesDone>({ page, lines: { parts, rows, openDays, open }, dates, odd }, [
    page.bytes,
    page.values,
    dates.keys,
    dates.created,
    ...digests,
    ...ofLines,
  ]);
}

function asBuffer({ buffer, byteOffset, byteLength }: Uint8Array): Buffer {
  return Buffer.from(buffer, byteOffset, byteLength);
}

/** A result whose bytes move. The rest of it is copied. */
function moved<Result extends object>(result: Result, bytes: readonly ArrayBufferView[]) {
  return move({ [valueSymbol]: result, [transferableSymbol]: bytes.map(({ buffer }) => buffer) });
}

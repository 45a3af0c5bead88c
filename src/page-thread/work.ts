/** What the thread of page-thread.ts does. Bytes come and go without a copy. */
import { move, transferableSymbol, valueSymbol } from 'piscina';
import { type AssumedDates, DateAssumptions } from '../lake/assumed-dates.ts';
import { LineWriter } from '../lake/line-writer.ts';
import { type PageLines, pageLines } from '../lake/page-lines.ts';
import { type FoundJobs, findJobs } from '../tables/scan-jobs.ts';
import { type PageContent, ScannedJobs, ScannedPage } from '../tables/scanned-jobs.ts';
import type { Observation } from '../tables/table.ts';

export interface Scan {
  readonly bytes: Uint8Array;
  readonly found: FoundJobs | null;
}

export interface LinesTask {
  readonly page: PageContent;
  /** As in ScannedJobs. */
  readonly places: Int32Array;
  readonly observation: Observation;
  /** The lake's bucket count. */
  readonly buckets: number;
}

export interface LinesDone {
  readonly page: PageContent;
  readonly lines: PageLines;
  readonly dates: AssumedDates;
}

export function scan(bytes: Uint8Array) {
  const found = findJobs(asBuffer(bytes));
  return moved<Scan>({ bytes, found }, [bytes, ...(found === null ? [] : [found.values, found.places])]);
}

/** Pages take turns. */
const writer = new LineWriter();

export function lines({ page, places, observation, buckets }: LinesTask) {
  const jobs = new ScannedJobs(new ScannedPage(asBuffer(page.bytes), page.values), places);
  const creationDates = new DateAssumptions(jobs.length);
  const made = pageLines(jobs, observation, { buckets, creationDates }, writer);
  if ('missing' in made) throw new TypeError('a date is missing, although each record has its own');
  const digests = made.parts.map((part) => Float64Array.from(part.digests.entries));
  const parts = made.parts.map((part, at) => ({
    ...part,
    digests: { ...part.digests, entries: digests[at] ?? [] },
  }));
  const dates = creationDates.assumed;
  const ofLines = made.parts.flatMap(({ bytes }) => bytes);
  return moved<LinesDone>({ page, lines: { ...made, parts }, dates }, [
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

/** The copy jobs of one page as staged lines, in the parts that they belong to. */
import { dayMs } from '../shared/time.ts';
import type { ListedRecord } from '../tables/listed-record.ts';
import { ScannedJob } from '../tables/scanned-jobs.ts';
import { type Observation, utcDay } from '../tables/table.ts';
import { type JobLine, type JobLineOptions, PageLineWriter } from './job-line.ts';
import type { LineDigests } from './line-digests.ts';
import type { LineWriter } from './line-writer.ts';

/** Staged lines of one part. */
export interface PartLines {
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  readonly rows: number;
  /** Whole lines, one after the other. */
  readonly bytes: readonly Uint8Array[];
  readonly digests: LineDigests;
}

/** What a page says. */
export interface PageLines {
  readonly parts: readonly PartLines[];
  readonly rows: number;
  /** The days of jobs that are not over. */
  readonly openDays: ReadonlySet<string>;
  /** These jobs; `created` in milliseconds since the epoch. */
  readonly open: readonly { readonly id: string; readonly created: number }[];
  /** The places of the records that have no line. */
  readonly odd: readonly number[];
}

/** So many bytes are moved to their parts while a page is being written. */
const moveBytes = 4 * 2 ** 20;

/**
 * Pages share the writer, so nothing is awaited while one is being written.
 * @returns a bucket whose creation dates have to be loaded first; then nothing was made
 */
export function pageLines(
  records: Iterable<ListedRecord>,
  observation: Observation,
  options: JobLineOptions,
  writer: LineWriter,
): PageLines | { readonly missing: number } {
  const page = new PageEncoder(writer, options, observation);
  const missing = page.write(records);
  return missing === null ? page.result() : { missing };
}

interface PartRuns {
  readonly partition: Readonly<Record<string, string>>;
  readonly bucket: number;
  rows: number;
  /** Where its lines begin and end in the writer, in pairs. */
  runs: number[];
  readonly bytes: Buffer[];
  readonly digests: number[];
}

class PageEncoder {
  readonly #writer: LineWriter;
  readonly #options: JobLineOptions;
  readonly #observation: Observation;
  readonly #parts = new Map<number, Map<number, PartRuns>>();
  readonly #openDays = new Set<number>();
  readonly #open: { id: string; created: number }[] = [];
  readonly #odd: number[] = [];
  #rows = 0;
  #last: { readonly day: number; readonly part: PartRuns } | null = null;

  constructor(writer: LineWriter, options: JobLineOptions, observation: Observation) {
    this.#writer = writer;
    this.#options = options;
    this.#observation = observation;
    writer.truncate(0);
  }

  /** Returns a bucket whose creation dates have to be loaded first; null: all records were written. */
  write(records: Iterable<ListedRecord>): number | null {
    let lines: PageLineWriter | null = null;
    let page: ScannedJob['page'] | null = null;
    let place = -1;
    for (const record of records) {
      place += 1;
      if (!(record instanceof ScannedJob) || !record.isPlain) {
        this.#odd.push(place);
        continue;
      }
      if (lines === null || record.page !== page) {
        page = record.page;
        lines = new PageLineWriter(this.#writer, this.#options, this.#observation, page);
      }
      const begin = this.#writer.length;
      const line = lines.write(record);
      if (line !== null && 'bucket' in line) {
        if (!line.isOver) {
          this.#openDays.add(Math.floor(line.created / dayMs));
          this.#open.push({ id: String(record.field('CopyJobId')), created: line.created });
        }
        this.#note(line, begin);
        continue;
      }
      this.#writer.truncate(begin);
      if (line !== null) return line.missing;
      this.#odd.push(place);
    }
    return null;
  }

  result(): PageLines {
    this.#move();
    const parts: PartLines[] = [];
    for (const ofDay of this.#parts.values()) {
      for (const { partition, bucket, rows, bytes, digests } of ofDay.values()) {
        const latest = this.#observation.observedAt;
        parts.push({ partition, bucket, rows, bytes, digests: { entries: digests, latest } });
      }
    }
    const openDays = new Set([...this.#openDays].map((day) => utcDay(day * dayMs)));
    return { parts, rows: this.#rows, openDays, open: this.#open, odd: this.#odd };
  }

  #note({ first, bucket, unit, digest }: JobLine, begin: number): void {
    const day = Math.floor(first / dayMs);
    const end = this.#writer.length;
    let last = this.#last;
    if (last === null || last.day !== day || last.part.bucket !== bucket) {
      last = { day, part: this.#partOf(day, bucket) };
      this.#last = last;
    }
    const { part } = last;
    part.rows += 1;
    part.digests.push(unit, digest);
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
      digests: [],
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

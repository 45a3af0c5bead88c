/**
 * A thread that finds the jobs in the pages of a large run, and writes their staged lines. It needs a second processor. Where
 * the thread takes no page, the work is done where it is.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Piscina } from 'piscina';
import type { AssumedDates } from '../lake/assumed-dates.ts';
import type { LinesElsewhere } from '../lake/job-lines.ts';
import type { PageLines } from '../lake/page-lines.ts';
import { ownsMemory } from '../shared/free-bytes.ts';
import { beginYoungHeapsWith } from '../shared/young-heap.ts';
import type { ListedRecords } from '../tables/listed-record.ts';
import { jobsFound, type Scanned, scanJobs } from '../tables/scan-jobs.ts';
import { ScannedJobs } from '../tables/scanned-jobs.ts';
import type { Observation } from '../tables/table.ts';
import type { LinesDone, LinesTask, Scan } from './work.ts';

/** A page makes this much garbage, of which nothing survives: with less, V8 collects ten times as often. */
const youngMiB = 8;

/** So many pages are sent ahead: the main thread may be busy for as long as it takes to do them. */
const mostWaiting = 16;

/** This file is TypeScript or its translation, and so is the other one. */
const work = fileURLToPath(new URL(`./work${extname(import.meta.url)}`, import.meta.url));

export class PageThread implements LinesElsewhere {
  readonly #from: number;
  readonly #smallest: number;
  #records = 0;
  #waiting = 0;
  #pool: Promise<Piscina> | null = null;

  /**
   * @param from it starts after so many records. A small run does without
   * @param smallest bytes of a page that is worth the way; default 64 KiB
   */
  constructor(from: number, smallest = 64 * 2 ** 10) {
    this.#from = from;
    this.#smallest = smallest;
  }

  /** Rejects if the thread breaks down. The bytes are lost then. */
  async scan(bytes: Buffer): Promise<Scanned> {
    if (!this.#takes(bytes) || !ownsMemory(bytes)) {
      const list = scanJobs(bytes);
      this.#records += list?.records.length ?? 0;
      return { bytes, list };
    }
    const done: Scan = await this.#run('scan', bytes, [bytes]);
    const back = Buffer.from(done.bytes.buffer);
    return { bytes: back, list: done.found === null ? null : jobsFound(back, done.found) };
  }

  async lines(
    records: ListedRecords,
    observation: Observation,
    buckets: number,
  ): Promise<{ readonly lines: PageLines; readonly dates: AssumedDates } | null> {
    if (!(records instanceof ScannedJobs) || !this.#takes(records.page.bytes)) return null;
    const page = records.page.lend();
    if (page === null) return null;
    const task: LinesTask = { page, places: records.places, observation, buckets };
    const done: LinesDone = await this.#run('lines', task, [page.bytes, page.values]);
    records.page.takeBack(done.page);
    return done;
  }

  async close(): Promise<void> {
    await (await this.#pool)?.destroy();
  }

  #takes({ length }: Buffer): boolean {
    return this.#records >= this.#from && this.#waiting < mostWaiting && length >= this.#smallest;
  }

  async #run(name: 'scan' | 'lines', task: Uint8Array | LinesTask, bytes: readonly ArrayBufferView[]) {
    this.#pool ??= openPool();
    this.#waiting += 1;
    try {
      const transferList = bytes.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
      return await (await this.#pool).run(task, { name, transferList });
    } finally {
      this.#waiting -= 1;
    }
  }
}

/** Loaded when a run is large enough. */
async function openPool(): Promise<Piscina> {
  const { Piscina: Pool } = await import('piscina');
  beginYoungHeapsWith(youngMiB);
  return new Pool({
    filename: work,
    minThreads: 1,
    maxThreads: 1,
    concurrentTasksPerWorker: mostWaiting,
  });
}

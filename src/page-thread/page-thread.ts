/**
 * A thread that finds the jobs in the pages of a large run, and writes their staged lines. It needs a second processor. What
 * it does not take is done in the thread that asks.
 */
import { extname } from 'node:path';
import { fileURLToPath } from 'node:url';
import type { Logger } from 'pino';
import type { Piscina } from 'piscina';
import type { AssumedDates } from '../lake/assumed-dates.ts';
import type { LinesThread } from '../lake/job-lines.ts';
import type { PageLines } from '../lake/page-lines.ts';
import { ownsMemory } from '../shared/free-bytes.ts';
import { PageLost } from '../shared/page-lost.ts';
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

export interface PageThreadOptions {
  /** It starts after so many records in pages that it would take: a small run does not need it. Default: 12,000. */
  readonly from?: number;
  /** Bytes of the smallest page that it takes. Default: 64 KiB. */
  readonly smallest?: number;
  readonly log: Pick<Logger, 'warn' | 'debug'>;
}

export class PageThread implements LinesThread {
  readonly #from: number;
  readonly #smallest: number;
  readonly #log: PageThreadOptions['log'];
  #records = 0;
  #waiting = 0;
  /** Null in it: the thread cannot start. */
  #pool: Promise<Piscina | null> | null = null;
  /** Or broken. */
  #isClosed = false;

  constructor({ from = 12_000, smallest = 64 * 2 ** 10, log }: PageThreadOptions) {
    this.#from = from;
    this.#smallest = smallest;
    this.#log = log;
  }

  /** @throws PageLost if the thread breaks down */
  async scan(bytes: Buffer): Promise<Scanned> {
    const pool = this.#takes(bytes) && ownsMemory(bytes) ? await this.#opened() : null;
    if (pool === null) {
      const list = scanJobs(bytes);
      if (bytes.length >= this.#smallest) this.#records += list?.records.length ?? 0;
      return { bytes, list };
    }
    const done: Scan = await this.#run(pool, 'scan', bytes, [bytes]);
    const back = Buffer.from(done.bytes.buffer);
    return { bytes: back, list: done.found === null ? null : jobsFound(back, done.found) };
  }

  async lines(
    records: ListedRecords,
    observation: Observation,
    buckets: number,
  ): Promise<{ readonly lines: PageLines; readonly dates: AssumedDates } | null> {
    if (!(records instanceof ScannedJobs) || !records.hasPlain || !this.#takes(records.page.bytes))
      return null;
    const pool = await this.#opened();
    const page = pool === null ? null : records.page.moveOut();
    if (pool === null || page === null) return null;
    const task: LinesTask = { page, places: records.places, observation, buckets };
    const done: LinesDone = await this.#run(pool, 'lines', task, [page.bytes, page.values]);
    records.page.moveBack(done.page);
    return done;
  }

  /** Ends the thread. Later pages are done in the thread that asks. */
  async close(): Promise<void> {
    this.#isClosed = true;
    beginYoungHeapsWith(0);
    const pool = await this.#pool;
    await pool?.destroy().catch((err: unknown) => this.#log.debug({ err }, 'a thread ended with an error'));
  }

  #takes({ length }: Buffer): boolean {
    return (
      !this.#isClosed &&
      this.#records >= this.#from &&
      this.#waiting < mostWaiting &&
      length >= this.#smallest
    );
  }

  #opened(): Promise<Piscina | null> {
    this.#pool ??= openPool().then(
      (pool) => {
        this.#log.debug('a second thread reads pages too');
        // The error of a page goes to whoever waits for it.
        pool.on('error', (err: unknown) => this.#breakDown(err));
        return pool;
      },
      (err: unknown) => {
        this.#breakDown(err);
        return null;
      },
    );
    return this.#pool;
  }

  #breakDown(err: unknown): void {
    if (!this.#isClosed)
      this.#log.warn({ err }, 'the second thread cannot be used: all pages are read in one');
    this.#isClosed = true;
  }

  async #run(
    pool: Piscina,
    name: 'scan' | 'lines',
    task: Uint8Array | LinesTask,
    bytes: readonly ArrayBufferView[],
  ) {
    this.#waiting += 1;
    try {
      const transferList = bytes.flatMap(({ buffer }) => (buffer instanceof ArrayBuffer ? [buffer] : []));
      return await pool.run(task, { name, transferList });
    } catch (error) {
      this.#breakDown(error);
      throw new PageLost(error);
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

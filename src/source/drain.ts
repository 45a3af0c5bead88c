/**
 * What all drains have in common: one report, one limit of the time to read, and a new pass when a page token has expired.
 */
import type { Logger } from 'pino';
import { childController } from '../shared/abort.ts';
import type { Ask } from './ask.ts';
import type { RequestPage } from './list.ts';
import { DrainFailure, type Outcome, PageTokenExpired } from './outcome.ts';
import type { HeldPage } from './page.ts';
import { ReadingTime } from './reading-time.ts';
import { outcomeOfStop, TargetTimeUp } from './request.ts';
import type { Drain, DrainReport, Page } from './source.ts';

/** How often a drain whose page tokens expire starts again. */
const mostRestarts = 3;

/** All pages of one pass, from the first. */
export type ReadPass = (request: RequestPage, signal: AbortSignal) => AsyncGenerator<HeldPage, void>;

export interface DrainSetup {
  readonly log: Logger;
  readonly signal: AbortSignal;
  readonly targetTimeoutMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly request: (ask: Ask, pass: number, time: ReadingTime, signal: AbortSignal) => Promise<HeldPage>;
  /** Requests sent again so far. */
  readonly retries: () => number;
}

/** Read once: whoever asks for its iterator again gets the same one. */
export class PagedDrain implements Drain {
  readonly #setup: DrainSetup;
  readonly #readPass: ReadPass;
  readonly #pages: AsyncGenerator<Page, void>;
  readonly #tally = {
    pages: 0,
    records: 0,
    firstRequestId: null as string | null,
    lastRequestId: null as string | null,
  };
  #report: DrainReport | null = null;

  constructor(setup: DrainSetup, readPass: ReadPass) {
    this.#setup = setup;
    this.#readPass = readPass;
    this.#pages = this.#readPages();
  }

  [Symbol.asyncIterator](): AsyncGenerator<Page, void> {
    return this.#pages;
  }

  report(): DrainReport {
    if (this.#report === null) throw new TypeError('a drain has no report until its loop has ended');
    return this.#report;
  }

  async *#readPages(): AsyncGenerator<Page, void> {
    const { now, retries, targetTimeoutMs } = this.#setup;
    const begun = now();
    const stop = childController(this.#setup.signal);
    const timeUp = () => stop.abort(new TargetTimeUp(targetTimeoutMs, this.#tally.pages));
    const time = new ReadingTime(targetTimeoutMs, timeUp, now);
    let outcome: Outcome | null = leftEarly;
    try {
      outcome = yield* this.#readPasses(time, stop.signal);
    } finally {
      stop.release();
      this.#report = {
        status: outcome?.status ?? 'OK',
        ...this.#tally,
        retries: retries(),
        durationMs: now() - begun,
        errorName: outcome?.errorName ?? null,
        errorMessage: outcome?.errorMessage ?? null,
      };
    }
  }

  /** Returns null when every page was read. */
  async *#readPasses(time: ReadingTime, stop: AbortSignal): AsyncGenerator<Page, Outcome | null> {
    const { log, request } = this.#setup;
    for (let pass = 1; ; pass += 1) {
      const requestPage: RequestPage = (ask, signal) => time.during(() => request(ask, pass, time, signal));
      try {
        for await (const page of this.#readPass(requestPage, stop)) {
          this.#count(page);
          yield page;
        }
        return null;
      } catch (error) {
        if (!(error instanceof PageTokenExpired)) return outcomeOfError(error, stop);
        if (pass > mostRestarts) {
          const errorMessage = `page tokens expired in each of ${pass} passes through the list: ${error.message}`;
          return { status: 'FAILED', errorName: 'PageTokenExpired', errorMessage };
        }
        log.warn(
          { error: error.message },
          'the page token has expired: reading this target from its first page',
        );
      }
    }
  }

  #count({ requestId, records }: Page): void {
    this.#tally.pages += 1;
    this.#tally.records += records.length;
    this.#tally.firstRequestId ??= requestId;
    this.#tally.lastRequestId = requestId;
    this.#setup.log.debug({ request_id: requestId, records: records.length }, 'page read');
  }
}

const leftEarly: Outcome = {
  status: 'INTERRUPTED',
  errorName: 'Interrupted',
  errorMessage: 'reading ended before the last page',
};

function outcomeOfError(error: unknown, stop: AbortSignal): Outcome {
  if (error instanceof DrainFailure) return error.outcome;
  if (stop.aborted) return outcomeOfStop(stop.reason);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { status: 'FAILED', errorName: name, errorMessage: message };
}

/**
 * What all drains have in common: one report, one clock, restarts, and pages handed on one at a time.
 */
import { setTimeout as startTimer } from 'node:timers';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { childController } from './abort.ts';
import type { Ask } from './ask.ts';
import { DrainFailure, type Outcome, PageTokenExpired } from './outcome.ts';
import type { RawPage } from './page.ts';
import { outcomeOfStop, TargetTimeUp } from './request.ts';
import type { DrainHandlers, DrainReport } from './source.ts';

/** How often a drain whose page tokens expire begins again. */
const mostRestarts = 3;

/** A longer timer fires at once (nodejs.org/api/timers.html, setTimeout). */
const longestTimerMs = 2 ** 31 - 1;

/** One time through a drain, from its first page. */
export interface Round {
  readonly signal: AbortSignal;
  /**
   * Asks for a page and hands on the records that `keep` keeps: one page after the other, even where pages are
   * read side by side. Resolves with the token of the next page; null: there is none.
   */
  readonly read: (
    ask: Ask,
    signal: AbortSignal,
    keep: (record: unknown) => boolean,
  ) => Promise<string | null>;
}

export interface DrainSetup {
  readonly log: Logger;
  readonly handlers: DrainHandlers;
  readonly signal: AbortSignal;
  readonly targetTimeoutMs: number;
  /** Monotonic, in milliseconds. */
  readonly now: () => number;
  readonly request: (
    ask: Ask,
    signal: AbortSignal,
    deliver: (page: RawPage) => Promise<void>,
  ) => Promise<RawPage>;
  /** Requests sent again so far. */
  readonly retries: () => number;
}

/** Runs `read` to its end, over again when page tokens expire. Rejects only with what `onPage` rejected with. */
export async function drain(setup: DrainSetup, read: (round: Round) => Promise<void>): Promise<DrainReport> {
  const { handlers, log, targetTimeoutMs } = setup;
  const begun = setup.now();
  const tally = {
    pages: 0,
    records: 0,
    firstRequestId: null as string | null,
    lastRequestId: null as string | null,
  };
  const oneAtATime = pLimit(1);

  const stop = new AbortController();
  const interrupt = () => stop.abort(setup.signal.reason);
  const timer = startTimer(
    () => {
      const message = `the target was not read within its time of ${targetTimeoutMs / 1000} s; ${tally.pages} pages were`;
      stop.abort(new TargetTimeUp(message));
    },
    Math.min(targetTimeoutMs, longestTimerMs),
  );
  if (setup.signal.aborted) interrupt();
  else setup.signal.addEventListener('abort', interrupt, { once: true });

  let rejected: HandlerFailed | null = null;
  const handOn = async (page: RawPage, keep: (record: unknown) => boolean): Promise<void> => {
    // Whoever has rejected a page is not asked to take another.
    if (rejected !== null) throw rejected;
    tally.pages += 1;
    tally.firstRequestId ??= page.requestId;
    tally.lastRequestId = page.requestId;
    log.debug({ request_id: page.requestId, records: page.records.length }, 'page read');
    const records = page.records.filter(keep);
    tally.records += records.length;
    const { observedAt, requestId, repaired } = page;
    try {
      await handlers.onPage({ records, observedAt, requestId, repaired, more: page.nextToken !== null });
    } catch (error) {
      rejected = new HandlerFailed(error);
      throw rejected;
    }
  };

  const round = (signal: AbortSignal): Round => ({
    signal,
    read: async (ask, pageSignal, keep) => {
      const deliver = (page: RawPage) => oneAtATime(handOn, page, keep);
      const { nextToken } = await setup.request(ask, pageSignal, deliver);
      return nextToken;
    },
  });

  const toTheEnd = async (): Promise<Outcome | null> => {
    for (let restarts = 0; ; restarts += 1) {
      const controller = childController(stop.signal);
      try {
        if (restarts > 0) handlers.onRestart();
        await read(round(controller.signal));
        return null;
      } catch (error) {
        if (error instanceof HandlerFailed) throw error.cause;
        if (!(error instanceof PageTokenExpired)) return outcomeOfError(error, stop.signal);
        if (restarts === mostRestarts) {
          const errorMessage = `page tokens expired in each of ${restarts + 1} times through: ${error.message}`;
          return { status: 'FAILED', errorName: 'PageTokenExpired', errorMessage };
        }
        log.warn(
          { error: error.message },
          'the page token has expired: reading this target from its first page',
        );
      } finally {
        controller.release();
      }
    }
  };

  try {
    const outcome = await toTheEnd();
    return {
      status: outcome?.status ?? 'OK',
      ...tally,
      retries: setup.retries(),
      durationMs: setup.now() - begun,
      errorName: outcome?.errorName ?? null,
      errorMessage: outcome?.errorMessage ?? null,
    };
  } finally {
    clearTimeout(timer);
    setup.signal.removeEventListener('abort', interrupt);
  }
}

/** `onPage` rejected: that is the caller's own, and goes back to it. */
class HandlerFailed extends Error {
  constructor(cause: unknown) {
    super('onPage rejected', { cause });
  }
}

function outcomeOfError(error: unknown, stop: AbortSignal): Outcome {
  if (error instanceof DrainFailure) return error.outcome;
  if (stop.aborted) return outcomeOfStop(stop.reason);
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { status: 'FAILED', errorName: name, errorMessage: message };
}

/** Of several failures side by side, the one that tells most: lowest first. */
export function tellingFirst(error: unknown): number {
  if (error instanceof HandlerFailed) return 0;
  if (error instanceof PageTokenExpired) return 3;
  if (!(error instanceof DrainFailure)) return 1;
  switch (error.outcome.status) {
    case 'ACCESS_DENIED':
    case 'ASSUME_ROLE_FAILED':
    case 'REGION_DISABLED':
    case 'FAILED':
      return 2;
    case 'THROTTLED':
      return 4;
    case 'UNREACHABLE':
      return 5;
    case 'TIMED_OUT':
      // Not AWS's answer that came too late, but a clock of our own.
      return ['TargetTimeout', 'DeadlineReached'].includes(error.outcome.errorName) ? 7 : 6;
    case 'INTERRUPTED':
      return 8;
  }
}

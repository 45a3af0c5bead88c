/**
 * One page, requested until it comes: rate limit, slots, time-outs and retries.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BackupClient } from '@aws-sdk/client-backup';
import type { AwsCredentialIdentity } from '@smithy/types';
import type { SemaphoreInterface } from 'async-mutex';
import pRetry from 'p-retry';
import { type BodyMemory, BodyMemoryFull, BodyTooLong, type MemoryReservation } from '../aws/body-memory.ts';
import { awsFailure } from '../aws/failure.ts';
import type { CapturedResponse } from '../aws/response.ts';
import { type RetryDelays, waitMs } from '../aws/retries.ts';
import {
  abortable,
  acquireUnlessAborted,
  childController,
  DeadlineReached,
  Interrupted,
} from '../shared/abort.ts';
import { PageLost } from '../shared/page-lost.ts';
import type { RefreshRequest } from '../targets/credentials.ts';
import type { Target } from '../targets/target.ts';
import type { Ask } from './ask.ts';
import type { Concurrency } from './concurrency.ts';
import {
  DrainFailure,
  isExpiredPageToken,
  maybeDisabled,
  type Outcome,
  outcomeOf,
  PageTokenExpired,
  type RequestFailure,
  retryBudget,
} from './outcome.ts';
import { BrokenAnswer, HeldPage, pageOf, type RawPage, type ScanJobs } from './page.ts';
import type { ReadingTime } from './reading-time.ts';
import { sendAs } from './region-clients.ts';
import { SiblingStopped } from './side-by-side.ts';
import { type TargetPace, waitForPace } from './target-pace.ts';

export interface RequestTiming extends RetryDelays {
  /** An attempt without a complete response is given up after this time, and made again. */
  readonly requestTimeoutMs: number;
}

export interface RequestSetup {
  readonly client: BackupClient;
  readonly target: Target;
  readonly homeRegion: string;
  /** Resolves when the target's rate allows one more request. */
  readonly rateLimit: () => Promise<void>;
  /** Slots bound the requests on their way at once; they and the pages in memory together have a bound, too. */
  readonly concurrency: Pick<Concurrency, 'slots' | 'pages' | 'requestBegins' | 'crowded' | 'whileWaiting'>;
  /** Slows the target down after AWS has throttled it. */
  readonly pace: TargetPace;
  /** Bounds the bytes of the pages that are in memory at once. */
  readonly memory: BodyMemory;
  readonly timing: RequestTiming;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether STS still accepts the credentials. Rejects if STS cannot be asked. */
  readonly credentialsHold: (identity: AwsCredentialIdentity, signal: AbortSignal) => Promise<boolean>;
  readonly onRetry: (failure: RequestFailure, waitMs: number) => void;
  /** When a page that has just come was observed. @throws BrokenAnswer if it is older than the run */
  readonly observed: (saidMs: number) => Promise<number>;
  readonly scanJobs: ScanJobs | undefined;
}

/** A drain was stopped because `--target-timeout` was over. */
export class TargetTimeUp extends Error {
  override readonly name = 'TargetTimeout';
  constructor(targetTimeoutMs: number, pages: number) {
    super(
      `the target was not read within its time of ${targetTimeoutMs / 1000} s; ${pages} page${pages === 1 ? ' was' : 's were'}`,
    );
  }
}

/**
 * Requests a page until it comes, the failure is final, or the signal is aborted. Every attempt counts against the rate
 * limit. Its slot is free again as soon as the page is there. The page keeps its place among the pages until it is released, so
 * their number is bounded however slow the loop is. Other drains may have all slots, places or memory until their pages are
 * published: waiting for them takes no reading time.
 * Rejects with a DrainFailure; with PageTokenExpired when AWS no longer knows the token; with SiblingStopped when that
 * is why the signal was aborted.
 */
export async function requestPage(
  setup: RequestSetup,
  ask: Ask,
  pass: number,
  time: ReadingTime,
  signal: AbortSignal,
): Promise<HeldPage> {
  const { target, homeRegion, timing, concurrency, pace } = setup;
  const spent = new Map<RequestFailure['kind'], number>();
  let last: RequestFailure | null = null;
  let refused: string | undefined;
  let attempts = 0;
  const context = {
    region: target.region,
    homeRegion,
    regionListed: target.regionListed === true,
    credentialsHold: null as boolean | null,
  };

  const attempt = async (): Promise<HeldPage> => {
    await waitForPace(pace, concurrency.whileWaiting, signal);
    const freePlace = await time.outside(() => takeOne(concurrency.pages, signal));
    const freeSlot = await time
      .outside(() => takeOne(concurrency.slots, signal))
      .catch((error) => {
        freePlace();
        throw error;
      });
    let identity: AwsCredentialIdentity | null = null;
    try {
      const refresh: Partial<RefreshRequest> = refused === undefined ? {} : { forceRefresh: true, refused };
      identity = await abortable(target.credentials(refresh), signal);
      // Without the time for STS: it is not the time of a page.
      const released = concurrency.requestBegins();
      refused = undefined;
      const { raw, reservation } = await whenItFits(setup, ask, time, signal);
      freeSlot();
      pace.answered();
      const kind = pageKind(ask, target, raw);
      return new HeldPage(raw, pass, () => {
        reservation?.release();
        released(kind);
        freePlace();
      });
    } catch (error) {
      freeSlot();
      freePlace();
      if (error instanceof BodyTooLong) {
        throw new DrainFailure({ status: 'FAILED', errorName: error.name, errorMessage: error.message });
      }
      throw new AttemptFailure(error instanceof BrokenAnswer ? error.failure : failureOf(error), identity);
    }
  };

  /** Whether to try again. Remembers the failure. */
  const goesOn = async (
    failure: RequestFailure,
    identity: AwsCredentialIdentity | null,
  ): Promise<boolean> => {
    if (ask.token !== null && isExpiredPageToken(failure)) throw new PageTokenExpired(failure);
    const used = spent.get(failure.kind) ?? 0;
    const final = used >= retryBudget(failure);
    if (identity !== null && maybeDisabled(failure, context)) {
      try {
        context.credentialsHold = await abortable(setup.credentialsHold(identity, signal), signal);
      } catch (error) {
        // Without STS the cause stays unknown: try again while STS may still come back.
        if (signal.aborted) return false;
        last = failureOf(error);
        return retryBudget(last) === Number.POSITIVE_INFINITY;
      }
    }
    last = failure;
    if (final || (failure.kind === 'credentials-refused' && context.credentialsHold)) return false;
    spent.set(failure.kind, used + 1);
    if (failure.kind === 'credentials-expired' || failure.kind === 'credentials-refused') {
      refused = identity?.accessKeyId;
    }
    return true;
  };

  try {
    // Without the signal: p-retry would drop a page that came just before it was aborted.
    return await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      shouldRetry: async ({ error }) => {
        if (signal.aborted || !(error instanceof AttemptFailure)) return false;
        if (!(await goesOn(error.failure, error.identity))) return false;
        const wait = waitMs(timing, attempts++, setup.random);
        setup.onRetry(error.failure, wait);
        if (error.failure.kind === 'throttled') pace.throttled();
        await concurrency.whileWaiting(() => delay(wait, undefined, { signal }));
        return true;
      },
    });
  } catch (error) {
    if (error instanceof DrainFailure || error instanceof PageTokenExpired) throw error;
    if (signal.aborted) throw stopped(signal.reason, last === null ? null : outcomeOf(last, context));
    throw new DrainFailure(outcomeOf(last ?? failureOf(error), context));
  }
}

/** Waits for one of them; resolves with the way to free it. */
async function takeOne(semaphore: SemaphoreInterface, signal: AbortSignal): Promise<() => void> {
  signal.throwIfAborted();
  const [, free] = await acquireUnlessAborted(semaphore.acquire(), signal, ([, late]) => late());
  return free;
}

/** The outcome of a drain that was stopped. If its time was up, that is the failure that it last met. */
function stopped(reason: unknown, last: Outcome | null): Error {
  if (reason instanceof SiblingStopped) return reason;
  if (last === null) return new DrainFailure(outcomeOfStop(reason));
  if (reason instanceof TargetTimeUp) return new DrainFailure(last);
  const outcome = outcomeOfStop(reason);
  if (!(reason instanceof DeadlineReached)) return new DrainFailure(outcome);
  const errorMessage = `${outcome.errorMessage}; the last attempt before it ended with ${last.errorName}: ${last.errorMessage}`;
  return new DrainFailure({ ...outcome, errorMessage });
}

/** The outcome of a drain that was stopped for this reason. Without one it was interrupted. */
export function outcomeOfStop(reason: unknown): Outcome {
  const timeUp = reason instanceof TargetTimeUp || reason instanceof DeadlineReached;
  const { name, message } = timeUp ? reason : new Interrupted();
  return { status: timeUp ? 'TIMED_OUT' : 'INTERRUPTED', errorName: name, errorMessage: message };
}

/** A page, and the memory that is reserved for it. */
interface PageInMemory {
  readonly raw: RawPage;
  readonly reservation: MemoryReservation | null;
}

/** If a page does not fit beside the others, or a thread has lost it, it is requested again. That is not a retry. */
async function whenItFits(
  setup: RequestSetup,
  ask: Ask,
  time: ReadingTime,
  signal: AbortSignal,
): Promise<PageInMemory> {
  let reservation: MemoryReservation | null = null;
  for (;;) {
    await abortable(setup.rateLimit(), signal).catch((error) => {
      reservation?.release();
      throw error;
    });
    try {
      return await requestOnce(setup, ask, signal, reservation);
    } catch (error) {
      if (error instanceof PageLost) {
        reservation = null;
        continue;
      }
      if (!(error instanceof BodyMemoryFull)) throw error;
      setup.concurrency.crowded();
      reservation = await time.outside(() => setup.memory.waitFor(error.bytes, signal));
    }
  }
}

/** Releases the memory if it fails. */
async function requestOnce(
  setup: RequestSetup,
  ask: Ask,
  signal: AbortSignal,
  waitedFor: MemoryReservation | null,
): Promise<PageInMemory> {
  const { kept, send } = ask.prepare({ memory: setup.memory, reservation: waitedFor });
  try {
    const raw = await pageFrom(setup, ask, signal, kept, send);
    return { raw, reservation: kept.reservation };
  } catch (error) {
    kept.reservation?.release();
    throw error;
  }
}

async function pageFrom(
  setup: RequestSetup,
  ask: Ask,
  signal: AbortSignal,
  kept: CapturedResponse,
  send: ReturnType<Ask['prepare']>['send'],
): Promise<RawPage> {
  const { requestTimeoutMs } = setup.timing;
  const cut = childController(signal);
  const timer = setTimeout(() => cut.abort(new NoAnswerInTime(requestTimeoutMs)), requestTimeoutMs);
  try {
    const sent = sendAs(setup.target.credentials, () => send(setup.client, cut.signal));
    await abortable(sent, cut.signal);
  } catch (error) {
    if (error instanceof BodyMemoryFull || error instanceof BodyTooLong) throw error;
    if (cut.signal.aborted) throw cut.signal.reason;
    const status = kept.response?.status;
    if (status === undefined || status < 200 || status > 299) {
      throw new AttemptFailure(awsFailure(error, status), null);
    }
  } finally {
    clearTimeout(timer);
    cut.release();
  }
  const page = await pageOf(kept.response, ask.list, setup.scanJobs);
  // The page holds the bytes itself as long as it needs them.
  kept.response = null;
  return { ...page, observedAt: await setup.observed(page.observedAt) };
}

/** A page with four times as many records counts as another kind: it takes longer, however many others there are. */
function pageKind(ask: Ask, { region }: Target, { records }: RawPage): string {
  return `${ask.list} ${region} ${Math.ceil(Math.log(records.length + 1) / Math.log(4))}`;
}

/** Named like the time-outs of smithy's handler. */
class NoAnswerInTime extends Error {
  override readonly name = 'TimeoutError';
  constructor(timeoutMs: number) {
    super(`no complete response within ${timeoutMs} ms`);
  }
}

/** The failure of one attempt, and the credentials that it used. */
class AttemptFailure extends Error {
  readonly failure: RequestFailure;
  readonly identity: AwsCredentialIdentity | null;
  constructor(failure: RequestFailure, identity: AwsCredentialIdentity | null) {
    super(failure.message);
    this.failure = failure;
    this.identity = identity;
  }
}

function failureOf(error: unknown): RequestFailure {
  return error instanceof AttemptFailure ? error.failure : awsFailure(error);
}

/**
 * One page, asked for until it comes: rate, sockets, time-outs and retries.
 */
import { setTimeout as delay } from 'node:timers/promises';
import type { BackupClient } from '@aws-sdk/client-backup';
import type { AwsCredentialIdentity } from '@smithy/types';
import type { LimitFunction } from 'p-limit';
import pRetry from 'p-retry';
import { type BodyMemory, BodyMemoryFull, BodyTooLong, type MemoryReservation } from '../aws/body-memory.ts';
import { awsFailure } from '../aws/failure.ts';
import type { CapturedResponse } from '../aws/response.ts';
import { type RetryDelays, waitMs } from '../aws/retries.ts';
import { abortable, DeadlineReached, Interrupted } from '../shared/abort.ts';
import type { RefreshRequest } from '../targets/credentials.ts';
import type { Target } from '../targets/target.ts';
import { childController, SiblingFailed } from './abort.ts';
import type { Ask } from './ask.ts';
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
import { BrokenAnswer, pageOf, type RawPage } from './page.ts';

export interface RequestTiming extends RetryDelays {
  /** After this, an attempt without a whole answer is given up and made again. */
  readonly requestTimeoutMs: number;
}

export interface RequestSetup {
  readonly client: BackupClient;
  readonly target: Target;
  readonly homeRegion: string;
  /** Resolves when the target's rate allows one more request. */
  readonly pace: () => Promise<void>;
  /** Bounds the requests that are on their way at once. */
  readonly slots: LimitFunction;
  /** Bounds the bytes of pages that are in memory at once. */
  readonly room: BodyMemory;
  readonly timing: RequestTiming;
  /** In [0, 1). */
  readonly random: () => number;
  /** Whether STS still takes the credentials; rejects when it cannot be asked. */
  readonly credentialsHold: (identity: AwsCredentialIdentity, signal: AbortSignal) => Promise<boolean>;
  readonly onRetry: (failure: RequestFailure, waitMs: number) => void;
  /** When a page that has just come was observed. @throws BrokenAnswer when it cannot be of this run */
  readonly observed: (saidMs: number) => Promise<number>;
}

/** Why a drain was stopped, besides what stops the whole run. */
export class TargetTimeUp extends Error {
  override readonly name = 'TargetTimeout';
}

/**
 * Asks for a page until it comes, or until what stands in the way is final or the signal is aborted.
 * Every attempt counts against the rate. The page is delivered before its slot is given to another request, so
 * that no more pages than slots are in memory, however long deliveries take.
 * Rejects with what `deliver` rejects with; else with a DrainFailure or, when the page token has expired, with
 * PageTokenExpired; with SiblingFailed when that is why the signal was aborted.
 */
export async function requestPage(
  setup: RequestSetup,
  ask: Ask,
  signal: AbortSignal,
  deliver: (page: RawPage) => Promise<void>,
): Promise<RawPage> {
  const { target, homeRegion, timing } = setup;
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
    let identity: AwsCredentialIdentity | null = null;
    try {
      const refresh: Partial<RefreshRequest> = refused === undefined ? {} : { forceRefresh: true, refused };
      identity = await abortable(target.credentials(refresh), signal);
      refused = undefined;
      return await withRoom(setup, ask, signal);
    } catch (error) {
      if (error instanceof BodyTooLong) {
        throw new DrainFailure({ status: 'FAILED', errorName: error.name, errorMessage: error.message });
      }
      throw new AttemptFailure(error instanceof BrokenAnswer ? error.failure : failureOf(error), identity);
    }
  };

  const attemptAndDeliver = async (): Promise<RawPage> => {
    const { page, place } = await attempt();
    try {
      await deliver(page);
      return page;
    } finally {
      place?.release();
    }
  };

  /** Whether to ask again; remembers what for. */
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
        // Without STS there is no telling: it is asked again, for as long as that can be healed by time.
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
    return await pRetry(() => inSlot(setup.slots, signal, attemptAndDeliver), {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      signal,
      shouldRetry: async ({ error }) => {
        if (signal.aborted || !(error instanceof AttemptFailure)) return false;
        if (!(await goesOn(error.failure, error.identity))) return false;
        const wait = waitMs(timing, attempts++, setup.random);
        setup.onRetry(error.failure, wait);
        await delay(wait, undefined, { signal });
        return true;
      },
    });
  } catch (error) {
    const undelivered = !(error instanceof AttemptFailure) && error !== signal.reason;
    if (undelivered && !isAbort(error)) throw error;
    if (signal.aborted) throw stopped(signal.reason, last === null ? null : outcomeOf(last, context));
    throw new DrainFailure(outcomeOf(last ?? failureOf(error), context));
  }
}

/** RetryDelays for a slot no longer than the signal allows; what runs in it is always waited for. */
async function inSlot<Result>(
  slots: LimitFunction,
  signal: AbortSignal,
  work: () => Promise<Result>,
): Promise<Result> {
  const { promise: entered, resolve: enter } = Promise.withResolvers<void>();
  const done = slots(() => {
    signal.throwIfAborted();
    enter();
    return work();
  });
  await abortable(Promise.race([entered, done]), signal);
  return done;
}

/** A wait between retries that the signal has ended (timers/promises). */
function isAbort(error: unknown): boolean {
  return error instanceof Error && error.name === 'AbortError';
}

/** What a drain that was stopped is called: by what last stood in its way, if its time was up. */
function stopped(reason: unknown, last: Outcome | null): Error {
  if (reason instanceof SiblingFailed) return reason;
  if (last === null) return new DrainFailure(outcomeOfStop(reason));
  if (reason instanceof TargetTimeUp) return new DrainFailure(last);
  const outcome = outcomeOfStop(reason);
  if (!(reason instanceof DeadlineReached)) return new DrainFailure(outcome);
  const errorMessage = `${outcome.errorMessage}; the last attempt before it ended with ${last.errorName}: ${last.errorMessage}`;
  return new DrainFailure({ ...outcome, errorMessage });
}

/** What a drain is called that was stopped for this reason; whoever gives none has interrupted it. */
export function outcomeOfStop(reason: unknown): Outcome {
  const timeUp = reason instanceof TargetTimeUp || reason instanceof DeadlineReached;
  const { name, message } = timeUp ? reason : new Interrupted();
  return { status: timeUp ? 'TIMED_OUT' : 'INTERRUPTED', errorName: name, errorMessage: message };
}

/** A page, and the room that it takes until it is delivered. */
interface HeldPage {
  readonly page: RawPage;
  readonly place: MemoryReservation | null;
}

/** Where a page does not fit beside the others, it is asked for again when there is room: that is not a retry. */
async function withRoom(setup: RequestSetup, ask: Ask, signal: AbortSignal): Promise<HeldPage> {
  let place: MemoryReservation | null = null;
  for (;;) {
    await abortable(setup.pace(), signal).catch((error) => {
      place?.release();
      throw error;
    });
    try {
      return await ofOneAttempt(setup, ask, signal, place);
    } catch (error) {
      if (!(error instanceof BodyMemoryFull)) throw error;
      place = await setup.room.waitFor(error.bytes, signal);
    }
  }
}

/** Room is given back if it fails. */
async function ofOneAttempt(
  setup: RequestSetup,
  ask: Ask,
  signal: AbortSignal,
  waitedFor: MemoryReservation | null,
): Promise<HeldPage> {
  const { kept, send } = ask.prepare({ memory: setup.room, reservation: waitedFor });
  try {
    const page = await pageFrom(setup, ask, signal, kept, send);
    return { page, place: kept.reservation };
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
    await abortable(send(setup.client, cut.signal), cut.signal);
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
  const page = pageOf(kept.response, ask.list);
  // The records are there: the text they came in is no longer needed.
  kept.response = null;
  return { ...page, observedAt: await setup.observed(page.observedAt) };
}

/** The name is the one that smithy's handler gives to its own time-outs. */
class NoAnswerInTime extends Error {
  override readonly name = 'TimeoutError';
  constructor(timeoutMs: number) {
    super(`no whole answer within ${timeoutMs} ms`);
  }
}

/** One attempt's failure, and the credentials that it was made with. */
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

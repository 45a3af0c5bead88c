/**
 * How often what failed is asked again, and how long is waited between.
 */
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ReportedError, UnavailableError } from '../shared/errors.ts';
import { type AwsFailure, awsFailure } from './failure.ts';

/**
 * How often a request is asked again after this failure, not counting other failures of the same request.
 * `Infinity`: for as long as there is time.
 */
export function retryBudget(failure: AwsFailure): number {
  switch (failure.kind) {
    case 'throttled':
    case 'server':
    case 'timed-out':
    case 'unreachable':
      return Number.POSITIVE_INFINITY;
    case 'not-from-aws':
      // A proxy that is overloaded or starts anew is back soon; one that refuses goes on refusing.
      return failure.status >= 500 || failure.status === 408 || failure.status === 429
        ? Number.POSITIVE_INFINITY
        : 5;
    case 'identity-unverified':
    case 'credentials-missing':
      return 5;
    case 'credentials-expired':
      return 3;
    case 'no-such-host':
    case 'untrusted-certificate':
      return 2;
    case 'clock-skew':
      // By the answer's Date, and by the run's own clock again where that Date was wrong.
      return 3;
    case 'credentials-refused':
      return 1;
    case 'denied':
      return failure.clockCorrected ? 1 : 0;
    case 'role-not-assumed':
    case 'other':
      return 0;
  }
}

export interface RetryDelays {
  /** The first wait is up to this; each further one up to twice as much. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Full jitter: any wait up to a bound that doubles (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 * @param attempts made before the one that failed; @param random in [0, 1)
 */
export function waitMs(
  { firstDelayMs, longestDelayMs }: RetryDelays,
  attempts: number,
  random: () => number,
): number {
  return random() * Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts, 30));
}

export interface Patience extends RetryDelays {
  /** No attempt begins later than this. */
  readonly patienceMs: number;
  /** Told of each failure that is asked again after, and of the wait. */
  readonly onRetry: (failure: AwsFailure, waitMs: number) => void;
}

/**
 * Asks until there is an answer, until what failed is final, or until the patience is over. Rejects with the last failure;
 * with the signal's reason or an AbortError once it is aborted.
 */
export async function withRetries<Answer>(
  ask: () => Promise<Answer>,
  patience: Patience,
  signal?: AbortSignal,
): Promise<Answer> {
  const begun = performance.now();
  const spent = new Map<AwsFailure['kind'], number>();
  let attempts = 0;
  const attempt = async () => {
    try {
      return { answer: await ask() };
    } catch (error) {
      // p-retry gives up on its own at a TypeError, and on what is no Error.
      throw new Failed(error);
    }
  };
  try {
    const { answer } = await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: async ({ error }) => {
        if (!(error instanceof Failed) || signal?.aborted || isWaitedFor(error.cause)) return false;
        const failure = awsFailure(error.cause);
        const used = spent.get(failure.kind) ?? 0;
        if (used >= retryBudget(failure)) return false;
        spent.set(failure.kind, used + 1);
        const wait = waitMs(patience, attempts++, Math.random);
        if (performance.now() - begun + wait > patience.patienceMs) return false;
        patience.onRetry(failure, wait);
        await delay(wait, undefined, signal === undefined ? {} : { signal });
        return true;
      },
    });
    return answer;
  } catch (error) {
    throw error instanceof Failed ? error.cause : error;
  }
}

class Failed extends Error {
  constructor(cause: unknown) {
    super('an attempt failed', { cause });
  }
}

/** What is said to a person is final, but for a role that could not be asked for now. */
function isWaitedFor(error: unknown): boolean {
  if (!(error instanceof ReportedError)) return false;
  return !(error instanceof UnavailableError) || awsFailure(error.cause).kind === 'credentials-missing';
}

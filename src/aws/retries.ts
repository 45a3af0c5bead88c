/** How often a failed request is sent again, and how long the program waits between attempts. */
import { setTimeout as delay } from 'node:timers/promises';
import pRetry from 'p-retry';
import { ReportedError, UnavailableError } from '../shared/errors.ts';
import { type AwsFailure, awsFailure } from './failure.ts';

/**
 * How often a request is sent again after this kind of failure. Other failures of the same request do not count.
 * `Infinity`: as long as there is time.
 */
export function retryBudget(failure: AwsFailure): number {
  switch (failure.kind) {
    case 'throttled':
    case 'server':
    case 'timed-out':
    case 'unreachable':
      return Number.POSITIVE_INFINITY;
    case 'not-from-aws':
      // A proxy that is overloaded or restarting is back soon; a proxy that refuses keeps refusing.
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
      // The first retry is signed by the response's Date. If that Date was wrong, the next uses the run's own clock.
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
  /** The upper bound of the first delay; the bound doubles each time. */
  readonly firstDelayMs: number;
  readonly longestDelayMs: number;
}

/**
 * Full jitter: any delay up to a bound that doubles (aws.amazon.com/blogs/architecture/exponential-backoff-and-jitter).
 * @param attempts made before the one that failed; @param random in [0, 1)
 */
export function waitMs(
  { firstDelayMs, longestDelayMs }: RetryDelays,
  attempts: number,
  random: () => number,
): number {
  return random() * Math.min(longestDelayMs, firstDelayMs * 2 ** Math.min(attempts, 30));
}

export interface RetryPolicy extends RetryDelays {
  /** No attempt begins later than this. */
  readonly retryForMs: number;
  /** Called before each retry, with the failure and the delay. */
  readonly onRetry: (failure: AwsFailure, waitMs: number) => void;
  /** Nothing is sent again before this has resolved, and the time begins then; never, if it rejects. Default: at once. */
  readonly after?: Promise<unknown>;
}

/**
 * Sends a request again until it succeeds, fails for good, or the policy's time is up. Rejects with the last failure, or,
 * once `signal` is aborted, with its reason or an AbortError.
 */
export async function withRetries<Result>(
  send: () => Promise<Result>,
  policy: RetryPolicy,
  signal?: AbortSignal,
): Promise<Result> {
  let begun = performance.now();
  const mayRetry = policy.after?.then(
    () => {
      begun = performance.now();
      return true;
    },
    () => false,
  );
  const spent = new Map<AwsFailure['kind'], number>();
  let attempts = 0;
  const attempt = async () => {
    try {
      return { result: await send() };
    } catch (error) {
      // p-retry never retries after a TypeError, or after something thrown that is no Error.
      throw new AttemptFailed(error);
    }
  };
  try {
    const { result } = await pRetry(attempt, {
      retries: Number.POSITIVE_INFINITY,
      minTimeout: 0,
      ...(signal === undefined ? {} : { signal }),
      shouldRetry: async ({ error }) => {
        if (!(error instanceof AttemptFailed) || signal?.aborted || isFinal(error.cause)) return false;
        if ((await mayRetry) === false || signal?.aborted) return false;
        const failure = awsFailure(error.cause);
        const used = spent.get(failure.kind) ?? 0;
        if (used >= retryBudget(failure)) return false;
        spent.set(failure.kind, used + 1);
        const wait = waitMs(policy, attempts++, Math.random);
        if (performance.now() - begun + wait > policy.retryForMs) return false;
        policy.onRetry(failure, wait);
        await delay(wait, undefined, signal === undefined ? {} : { signal });
        return true;
      },
    });
    return result;
  } catch (error) {
    throw error instanceof AttemptFailed ? error.cause : error;
  }
}

class AttemptFailed extends Error {
  constructor(cause: unknown) {
    super('an attempt failed', { cause });
  }
}

/**
 * An error that is already worded for people is final, except for a role that could not be requested this time. Missing
 * credentials are final too: whoever provides them has already waited.
 */
function isFinal(error: unknown): boolean {
  if (!(error instanceof ReportedError)) return false;
  return !(error instanceof UnavailableError) || awsFailure(error.cause).kind === 'credentials-missing';
}

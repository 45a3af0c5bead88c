/**
 * How fast one account and region is asked after AWS has throttled it: half as fast for each throttled response, and a
 * little faster with each page. Other accounts and regions keep their own pace. AWS's SDKs adapt their rate in the same way,
 * but for one client (docs.aws.amazon.com/sdkref/latest/guide/feature-retry-behavior.html, adaptive).
 */
import { setTimeout as delay } from 'node:timers/promises';
import { type Target, targetName } from '../targets/target.ts';

/** The slowest pace, as a share of `--requests-per-second`. */
const leastShare = 1 / 32;

/** Each page gives this share back. */
const regainedShare = 1 / 20;

/** Responses to requests that were sent at the same pace count once. */
const oneThrottleMs = 1_000;

export interface TargetPace {
  /** Milliseconds until the next request may begin, which counts as begun then. 0: the pace is the full one. */
  readonly reserve: () => number;
  readonly throttled: () => void;
  readonly answered: () => void;
}

/** @param now monotonic, in milliseconds */
export function createTargetPace(requestsPerSecond: number, now: () => number): TargetPace {
  let share = 1;
  let next = Number.NEGATIVE_INFINITY;
  let throttledAt = Number.NEGATIVE_INFINITY;
  return {
    reserve: () => {
      if (share === 1) return 0;
      const at = Math.max(now(), next);
      next = at + 1000 / (requestsPerSecond * share);
      return at - now();
    },
    throttled: () => {
      if (now() - throttledAt < oneThrottleMs) return;
      throttledAt = now();
      share = Math.max(leastShare, share / 2);
    },
    answered: () => {
      share = Math.min(1, share + regainedShare);
    },
  };
}

/** One pace for each (account, region). */
export function createTargetPaces(
  requestsPerSecond: number,
  now: () => number,
): (target: Target) => TargetPace {
  const byTarget = new Map<string, TargetPace>();
  return (target) => {
    const name = targetName(target);
    const pace = byTarget.get(name) ?? createTargetPace(requestsPerSecond, now);
    byTarget.set(name, pace);
    return pace;
  };
}

/** Waits for the pace, inside `whileWaiting`; rejects with an AbortError when the signal is aborted. */
export async function waitForPace(
  pace: TargetPace,
  whileWaiting: (wait: () => Promise<void>) => Promise<void>,
  signal: AbortSignal,
): Promise<void> {
  const wait = pace.reserve();
  if (wait > 0) await whileWaiting(() => delay(Math.ceil(wait), undefined, { signal }));
}

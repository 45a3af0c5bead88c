/** At most so many requests in any interval, measured by a clock that nobody can set. */
import { setTimeout as delay } from 'node:timers/promises';
import { type Target, targetName } from '../targets/target.ts';

export interface RateLimitOptions {
  /** Requests in any interval; at least 1. */
  readonly limit: number;
  readonly intervalMs: number;
  /** When it is aborted, waits reject with an AbortError. */
  readonly signal: AbortSignal;
  /** Monotonic, in milliseconds. p-throttle 8.1 uses Date.now(): a clock that is set back by a day stops it for a day. */
  readonly now?: () => number;
}

/** The returned function resolves when one more request may begin. Never more than `limit` begin within any interval. */
export function createRateLimit(options: RateLimitOptions): () => Promise<void> {
  const { limit, intervalMs, signal, now = () => performance.now() } = options;
  /** When the last `limit` requests begin, in the order of their calls. */
  const recent: { at: number }[] = [];
  return async () => {
    const before = recent.length < limit ? null : (recent.shift() ?? null);
    const earliest = () => Math.max(now(), before === null ? 0 : before.at + intervalMs);
    const mine = { at: earliest() };
    recent.push(mine);
    for (let wait = mine.at - now(); wait > 0; wait = mine.at - now()) {
      await delay(Math.ceil(wait), undefined, { signal });
      // The request before may have begun late.
      mine.at = earliest();
    }
  };
}

/** One rate limit for each (account, region), until the signal is aborted. */
export function createRateLimits(
  requestsPerSecond: number,
  signal: AbortSignal,
): (target: Target) => () => Promise<void> {
  const limit = Math.max(1, Math.floor(requestsPerSecond));
  const intervalMs = (limit * 1000) / requestsPerSecond;
  const byTarget = new Map<string, () => Promise<void>>();
  return (target) => {
    const name = targetName(target);
    const known = byTarget.get(name);
    if (known !== undefined) return known;
    const rateLimit = createRateLimit({ limit, intervalMs, signal });
    byTarget.set(name, rateLimit);
    return rateLimit;
  };
}

/** How long the simulator's responses take: as long as asked for, however many requests come at once. */
import { setImmediate as eventsFirst, setTimeout as sleep } from 'node:timers/promises';
import pLimit from 'p-limit';

/** Does the work for a request that has just arrived; resolves when its response is due. */
export type OnTime = <Result>(work: () => Promise<Result>) => Promise<Result>;

/** In milliseconds. */
export interface LatencyClock {
  readonly now: () => number;
  readonly sleep: (ms: number) => Promise<unknown>;
}

/** @param latencyMs from a request's arrival to its response, the work included; the response comes later only if the work takes longer */
export function withLatency(
  latencyMs: number,
  clock: LatencyClock = { now: () => performance.now(), sleep },
): OnTime {
  if (latencyMs === 0) return (work) => work();
  const turns = pLimit(1);
  return async (work) => {
    const due = clock.now() + latencyMs;
    // What arrives in the same turn of the event loop is noted before any of the work, and what arrives during the work before the next piece of it.
    await turns(() => eventsFirst());
    const result = await work();
    await clock.sleep(Math.max(0, due - clock.now()));
    return result;
  };
}

/** When a page was observed: the Date of its response, unless that cannot be right. */
import type { Logger } from 'pino';
import { type AwsClock, type ClockReading, clockToleranceMs } from '../aws/clock.ts';
import { BrokenAnswer } from './page.ts';

export interface ObserverOptions {
  readonly clock: AwsClock;
  readonly region: string;
  readonly log: Logger;
  readonly recheck: ((page: ClockReading) => Promise<void>) | undefined;
}

/**
 * For the pages of one drain. A page that is dated before the run came from a cache: jobs created since would be missing,
 * and the watermark would say that they were read. A page dated in the future counts as observed now: with its own Date,
 * its rows would never be replaced. Before the run has agreed on a time, every Date counts.
 */
export function observer(options: ObserverOptions): (saidMs: number) => Promise<number> {
  const { clock, region, log, recheck } = options;
  let warned = false;
  return async (saidMs) => {
    const { agreedSince } = clock;
    if (agreedSince === null) return saidMs;
    const isAhead = () => saidMs > clock.now() + clockToleranceMs;
    const page = {
      who: `a page of AWS Backup in ${region}`,
      epochMs: saidMs,
      at: clock.monotonic(),
    };
    if (isAhead()) await recheck?.(page);
    if (isAhead()) {
      const observedAt = Math.floor(clock.now());
      const fields = { date: iso(saidMs), observed_at: iso(observedAt) };
      if (!warned) log.warn(fields, 'a page is dated in the future: it counts as observed now');
      warned = true;
      return observedAt;
    }
    if (saidMs < agreedSince - clockToleranceMs) {
      throw new BrokenAnswer(
        'StaleAnswer',
        `AWS Backup in ${region} dated its answer ${iso(saidMs)}, before the run began at ${iso(agreedSince)}`,
      );
    }
    return saidMs;
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

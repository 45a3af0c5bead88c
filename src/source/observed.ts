/** When a page was observed: its own Date, unless that cannot be. */
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
 * For the pages of one drain. A page older than the run is no answer to it: what was created since would be missing, and
 * the watermark would say that it was read. One from the future was answered now, whatever it says: with its own
 * time its rows would never be replaced. No time agreed on: every Date counts.
 */
export function observer(options: ObserverOptions): (saidMs: number) => Promise<number> {
  const { clock, region, log, recheck } = options;
  let told = false;
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
      if (!told) log.warn(fields, 'a page is dated in the future: it counts as observed now');
      told = true;
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

/** How many requests to AWS Backup are on their way at once, and how many drains are open. */
import { totalmem } from 'node:os';
import { Semaphore, type SemaphoreInterface } from 'async-mutex';
import type { Logger } from 'pino';
import { autoConcurrency, type ConcurrencySetting } from '../config/typed-values.ts';
import { ConcurrencyLevel, type LevelChange } from './concurrency-level.ts';

/**
 * Drains that are open, and pages that are on their way or in memory, for each request that may be on its way: while some pages are
 * being staged, the requests for others go out. So as many requests are on their way as are allowed.
 */
const pagesForEach = 1.25;

/** With more than this share of its memory in use, a process sends no more requests at once. */
const memoryShare = 0.8;

export interface Concurrency {
  /** One for each request on its way. */
  readonly slots: SemaphoreInterface;
  /** One for each page that is on its way or in memory, so a quarter more, rounded down. Taken before the slot. */
  readonly pages: SemaphoreInterface;
  /** One for each drain that is open: as many as pages. */
  readonly drains: SemaphoreInterface;
  /** What it returns is called when the page is released, with its kind, while it still has its place. */
  readonly requestBegins: () => (kind: string) => void;
  /** A page has to wait for memory. */
  readonly crowded: () => void;
  /** While a drain waits before it asks again, another one may be open. If the number is fixed, none is. */
  readonly whileWaiting: <Result>(wait: () => Promise<Result>) => Promise<Result>;
  /** What it is now. */
  readonly now: () => number;
  readonly summary: () => ConcurrencySummary;
}

export interface ConcurrencySummary {
  readonly setting: ConcurrencySetting;
  /** The mean over the time of reading, the highest, and the last. */
  readonly mean: number;
  readonly highest: number;
  readonly last: number;
}

export interface ConcurrencyOptions {
  readonly log: Logger;
  /** Monotonic, in milliseconds. */
  readonly now?: () => number;
  readonly memoryHolds?: () => boolean;
}

export function fixedConcurrency(count: number): Concurrency {
  return {
    slots: new Semaphore(count),
    pages: new Semaphore(pagesFor(count)),
    drains: new Semaphore(pagesFor(count)),
    requestBegins: () => () => {},
    crowded: () => {},
    whileWaiting: (wait) => wait(),
    now: () => count,
    summary: () => ({ setting: count, mean: count, highest: count, last: count }),
  };
}

/** @param setting a number, which then stays; `auto`: between the bounds of `autoConcurrency` */
export function openConcurrency(setting: ConcurrencySetting, options: ConcurrencyOptions): Concurrency {
  if (setting !== 'auto') return fixedConcurrency(setting);
  const { log, now = () => performance.now(), memoryHolds = processHasMemory } = options;
  const { first, ceiling } = autoConcurrency;
  const slots = new Semaphore(first);
  const pages = new Semaphore(pagesFor(first));
  const drains = new Semaphore(pagesFor(first));
  const level = new ConcurrencyLevel({
    ...autoConcurrency,
    now,
    memoryHolds,
    onChange: (change) => {
      if (change.why !== 'kept') {
        slots.setValue(slots.getValue() + change.level - change.was);
        const more = pagesFor(change.level) - pagesFor(change.was);
        pages.setValue(pages.getValue() + more);
        drains.setValue(drains.getValue() + more);
      }
      tell(log, change);
    },
  });
  let lent = 0;
  return {
    slots,
    pages,
    drains,
    requestBegins: () => {
      const begunAt = now();
      return (kind) => level.released({ kind, begunAt, inUse: pagesFor(level.level) - pages.getValue() });
    },
    crowded: () => level.crowded(),
    whileWaiting: async (wait) => {
      // Drains that wait are open all the same, and their number needs a bound.
      if (lent >= ceiling) return wait();
      lent += 1;
      drains.setValue(drains.getValue() + 1);
      try {
        return await wait();
      } finally {
        lent -= 1;
        drains.setValue(drains.getValue() - 1);
      }
    },
    now: () => level.level,
    summary: () => {
      const { mean, highest } = level.history;
      return { setting, mean: Math.round(mean * 10) / 10, highest, last: level.level };
    },
  };
}

function pagesFor(level: number): number {
  return Math.floor(level * pagesForEach);
}

function processHasMemory(): boolean {
  // 0, or more than there is: nothing limits the process (nodejs.org/api/process.html, constrainedMemory).
  const constrained = process.constrainedMemory();
  const limit = constrained > 0 ? Math.min(constrained, totalmem()) : totalmem();
  return process.memoryUsage.rss() < limit * memoryShare;
}

const reasons = {
  trial: 'a higher concurrency is tried',
  kept: 'the concurrency was raised: responses are as fast as before',
  'no gain': 'the concurrency is as before: more requests at once only made responses slower',
  slower: 'the concurrency was lowered: responses have become slower',
  memory: 'the concurrency was lowered: memory is short',
} as const;

function tell(log: Logger, { level, was, why }: LevelChange): void {
  const fields = { event: 'concurrency', concurrency: level, was };
  log[why === 'trial' || why === 'no gain' ? 'debug' : 'info'](fields, reasons[why]);
}

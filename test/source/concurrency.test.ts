import pino from 'pino';
import { describe, expect, it } from 'vitest';
import { openConcurrency } from '../../src/source/concurrency.ts';

const log = pino({ level: 'silent' });

/** Asks for as much as is allowed at once, `rounds` times; each response takes 100 ms. */
async function fill(setting: number | 'auto', rounds: number) {
  let now = 0;
  const concurrency = openConcurrency(setting, { log, now: () => now, memoryHolds: () => true });
  const atOnce: number[] = [];
  for (let round = 0; round < rounds; round += 1) {
    const releases: (() => void)[] = [];
    const pages: ((kind: string) => void)[] = [];
    while (!concurrency.slots.isLocked()) {
      const [, freePlace] = await concurrency.pages.acquire();
      const [, freeSlot] = await concurrency.slots.acquire();
      releases.push(freePlace, freeSlot);
      pages.push(concurrency.requestBegins());
    }
    atOnce.push(pages.length);
    now += 100;
    for (const page of pages) page('list');
    for (const release of releases) release();
  }
  return { concurrency, atOnce };
}

describe('--concurrency auto', () => {
  it('gives out as many slots as its level, from 16 to 64, and a quarter more open drains', async () => {
    const { concurrency, atOnce } = await fill('auto', 60);
    expect(atOnce[0]).toBe(16);
    expect(atOnce.at(-1)).toBe(64);
    expect([concurrency.drains.getValue(), concurrency.pages.getValue()]).toEqual([80, 80]);
    const { setting, mean, highest, last } = concurrency.summary();
    expect({ setting, highest, last }).toEqual({ setting: 'auto', highest: 64, last: 64 });
    expect(mean).toBeGreaterThan(16);
    expect(mean).toBeLessThan(64);
  });

  it('lets another drain be open while one waits before it asks again, and no more than 64 of them', async () => {
    const { concurrency } = await fill('auto', 1);
    const waits = Array.from({ length: 100 }, () => Promise.withResolvers<void>());
    const waiting = waits.map(({ promise }) => concurrency.whileWaiting(() => promise));
    expect(concurrency.drains.getValue()).toBe(20 + 64);
    for (const { resolve } of waits) resolve();
    await Promise.all(waiting);
    expect(concurrency.drains.getValue()).toBe(20);
  });

  it('does not climb while few pages are asked for at once', async () => {
    let now = 0;
    const concurrency = openConcurrency('auto', { log, now: () => now, memoryHolds: () => true });
    const round = async (count: number) => {
      const places = await Promise.all(Array.from({ length: count }, () => concurrency.pages.acquire()));
      const pages = places.map(() => concurrency.requestBegins());
      now += 300;
      for (const page of pages) page('list');
      for (const [, free] of places) free();
    };
    for (let at = 0; at < 100; at += 1) await round(4);
    expect(concurrency.now()).toBe(16);
    for (let at = 0; at < 10; at += 1) await round(16);
    expect(concurrency.now()).toBeGreaterThan(16);
  });
});

describe('--concurrency N', () => {
  it('gives out N slots and a quarter more open drains, whatever happens', async () => {
    const { concurrency, atOnce } = await fill(5, 60);
    expect(new Set(atOnce)).toEqual(new Set([5]));
    const wait = Promise.withResolvers<void>();
    const waiting = concurrency.whileWaiting(() => wait.promise);
    expect(concurrency.drains.getValue()).toBe(6);
    wait.resolve();
    await waiting;
    expect(concurrency.pages.getValue()).toBe(6);
    const one = openConcurrency(1, { log });
    expect([one.drains.getValue(), one.pages.getValue()]).toEqual([1, 1]);
    expect(concurrency.summary()).toEqual({ setting: 5, mean: 5, highest: 5, last: 5 });
  });
});

import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyFilter } from '../../src/lake/key-filter.ts';
import { SortedKeys } from '../../src/lake/sorted-keys.ts';
import { ScratchError } from '../../src/shared/errors.ts';

/** Spread evenly over 32 bits, always the same. */
function evenly(count: number): number[] {
  let state = 1;
  return Array.from({ length: count }, () => {
    state = Math.imul(state, 1_664_525) + 1_013_904_223;
    return (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) ^ (state >>> 7)) >>> 0;
  });
}

const keyOf = (high: number) => ({ high, middle: 0, low: 0 });

describe('sorted keys', () => {
  let folder: string;
  let reserved = 0;
  let limit = Number.POSITIVE_INFINITY;
  const reserve = (bytes: number) => {
    if (reserved + bytes > limit) throw new ScratchError('full', 'free some');
    reserved += bytes;
    return () => {
      reserved -= bytes;
    };
  };
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bce-keys-'));
    [reserved, limit] = [0, Number.POSITIVE_INFINITY];
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));
  const scratch = () => ({ file: join(folder, 'dates'), reserve });

  /** All numbers with this key, in no order: as long as none is the one that is meant, the next one is offered. */
  const allOf = (keys: SortedKeys, high: number) => {
    const offered: number[] = [];
    expect(keys.find(keyOf(high), (number) => offered.push(number) < 0)).toBe(-1);
    return offered.sort((a, b) => a - b);
  };

  /** Adds the lists one after the other, and returns the last file. */
  const joined = (lists: readonly (readonly number[])[]) => {
    let keys: SortedKeys | null = null;
    for (const list of lists) {
      const next: SortedKeys = SortedKeys.with(keys, Uint32Array.from(list), keys?.size ?? 0, scratch());
      keys?.close();
      keys = next;
    }
    return keys;
  };

  it('offer each number of a key once, and no other, whatever the keys and however often some were added', () => {
    // Few different keys, so that many are equal and run over the ends of pieces; and the smallest and largest ones.
    const key = fc.oneof(
      fc.constantFrom(0, 1, 7, 2 ** 31, 2 ** 32 - 1),
      fc.integer({ min: 0, max: 2 ** 32 - 1 }),
    );
    const list = fc.array(key, { minLength: 1, maxLength: 300, size: 'max' });
    fc.assert(
      fc.property(fc.array(list, { minLength: 1, maxLength: 4 }), (lists) => {
        const keys = joined(lists);
        const numbers = Map.groupBy(lists.flat().entries(), ([, high]) => high);
        for (const [high, entries] of numbers) {
          expect(allOf(keys as SortedKeys, high)).toEqual(entries.map(([number]) => number));
        }
        for (const high of [2, 2 ** 31 + 1, 2 ** 32 - 2]) {
          if (!numbers.has(high)) expect(allOf(keys as SortedKeys, high)).toEqual([]);
        }
        keys?.close();
        expect([readdirSync(folder), reserved]).toEqual([[], 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('find numbers in files of more than one chunk', () => {
    const highs = evenly(40_000);
    const keys = joined([highs.slice(0, 10_000), highs.slice(10_000, 29_000), highs.slice(29_000)]);
    const wrong = highs.filter((high, number) => keys?.find(keyOf(high), (one) => one === number) !== number);
    expect([keys?.size, wrong, readdirSync(folder).length, reserved]).toEqual([40_000, [], 1, 320_000]);
    keys?.close();
  });

  it('leave the older file as it was when scratch is full', () => {
    const keys = joined([[3, 1, 2]]) as SortedKeys;
    limit = reserved + 8 * 4;
    expect(() => SortedKeys.with(keys, Uint32Array.of(9, 8), 3, scratch())).toThrow(ScratchError);
    expect([readdirSync(folder).length, reserved, allOf(keys, 2)]).toEqual([1, 24, [2]]);
    keys.close();
  });

  it('leave nothing of a file that could not be finished', () => {
    const keys = joined([evenly(100)]) as SortedKeys;
    truncateSync(join(folder, String(readdirSync(folder)[0])), 8);
    expect(() => SortedKeys.with(keys, Uint32Array.of(9, 8), 100, scratch())).toThrow(ScratchError);
    expect([readdirSync(folder).length, reserved]).toEqual([1, 800]);
    keys.close();
  });
});

describe('a filter', () => {
  it('has all that was added, and says so of few others', () => {
    const [count, filter] = [50_000, new KeyFilter(50_000)];
    const some = evenly(2 * count);
    for (const key of some.slice(0, count)) filter.add(key);
    expect(some.slice(0, count).every((key) => filter.mayHave(key))).toBe(true);
    const others = some.slice(count).filter((key) => filter.mayHave(key));
    expect(others.length / count).toBeLessThan(0.04);
  });
});

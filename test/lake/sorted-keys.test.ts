import { mkdtempSync, readdirSync, rmSync, truncateSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { KeyFilter } from '../../src/lake/key-filter.ts';
import { KeyLists } from '../../src/lake/key-lists.ts';
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

  /** A file of each list but the last, and then one of all. */
  const joined = (lists: readonly (readonly number[])[]) => {
    const older: SortedKeys[] = [];
    let first = 0;
    for (const [at, list] of lists.entries()) {
      const merged = at === lists.length - 1 ? older.splice(0) : [];
      older.push(SortedKeys.with(merged, Uint32Array.from(list), first, scratch()));
      for (const one of merged) one.close();
      first += list.length;
    }
    return older[0] as SortedKeys;
  };

  it('offer each number of a key once, and no other, whatever the keys and however many files were merged', () => {
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
          expect(allOf(keys, high)).toEqual(entries.map(([number]) => number));
        }
        for (const high of [2, 2 ** 31 + 1, 2 ** 32 - 2]) {
          if (!numbers.has(high)) expect(allOf(keys, high)).toEqual([]);
        }
        keys.close();
        expect([readdirSync(folder), reserved]).toEqual([[], 0]);
      }),
      { numRuns: 60 },
    );
  });

  it('find numbers in files of more than one chunk', () => {
    const highs = evenly(40_000);
    const keys = joined([highs.slice(0, 10_000), highs.slice(10_000, 29_000), highs.slice(29_000)]);
    const wrong = highs.filter((high, number) => keys.find(keyOf(high), (one) => one === number) !== number);
    expect([keys.size, wrong, readdirSync(folder).length, reserved]).toEqual([40_000, [], 1, 320_000]);
    keys.close();
  });

  it('leave the older file as it was when scratch is full', () => {
    const keys = joined([[3, 1, 2]]);
    limit = reserved + 8 * 4;
    expect(() => SortedKeys.with([keys], Uint32Array.of(9, 8), 3, scratch())).toThrow(ScratchError);
    expect([readdirSync(folder).length, reserved, allOf(keys, 2)]).toEqual([1, 24, [2]]);
    keys.close();
  });

  it('leave nothing of a file that could not be finished', () => {
    const keys = joined([evenly(100)]);
    truncateSync(join(folder, String(readdirSync(folder)[0])), 8);
    expect(() => SortedKeys.with([keys], Uint32Array.of(9, 8), 100, scratch())).toThrow(ScratchError);
    expect([readdirSync(folder).length, reserved]).toEqual([1, 800]);
    keys.close();
  });
});

describe('lists of keys', () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), 'bce-lists-'));
  });
  afterEach(() => rmSync(folder, { recursive: true, force: true }));

  it('find each number, in few files, and write a key as often as their number has doubled', () => {
    const [ofEach, times] = [500, 37];
    const highs = evenly(ofEach * times);
    let [held, written] = [0, 0];
    const reserve = (bytes: number) => {
      held += bytes;
      written += bytes / 8;
      return () => {
        held -= bytes;
      };
    };
    const lists = new KeyLists();
    for (let time = 0; time < times; time += 1) {
      const added = highs.slice(time * ofEach, (time + 1) * ofEach);
      lists.add(Uint32Array.from(added), { file: join(folder, 'dates'), reserve });
      // 37 = 32 + 4 + 1
      expect(readdirSync(folder)).toHaveLength(
        [...(time + 1).toString(2)].filter((one) => one === '1').length,
      );
    }
    const find = (high: number, number: number) => lists.find(keyOf(high), (one) => one === number);
    expect(highs.filter((high, number) => find(high, number) !== number)).toEqual([]);
    expect([lists.size, find(evenly(ofEach * times + 1).at(-1) ?? 0, 0), held]).toEqual([
      18_500, -1, 148_000,
    ]);
    expect(written / highs.length).toBeLessThan(1 + Math.log2(times));
    lists.close();
    expect([readdirSync(folder), held, lists.size, find(highs[0] ?? 0, 0)]).toEqual([[], 0, 0, -1]);
  });

  it('are as they were when scratch is full', () => {
    const lists = new KeyLists();
    let limit = 3;
    const reserve = () => {
      limit -= 1;
      if (limit < 0) throw new ScratchError('full', 'free some');
      return () => undefined;
    };
    const add = (...highs: number[]) =>
      lists.add(Uint32Array.from(highs), { file: join(folder, 'dates'), reserve });
    add(1, 2, 3);
    add(4);
    add(5);
    expect(() => add(6, 7)).toThrow(ScratchError);
    expect([readdirSync(folder).length, lists.size]).toEqual([2, 5]);
    const numbers = [1, 2, 3, 4, 5, 6].map((high) => lists.find(keyOf(high), () => true));
    expect(numbers).toEqual([0, 1, 2, 3, 4, -1]);
    lists.close();
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

import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ListLength } from '../../src/source/list-length.ts';
import type { Window } from '../../src/source/source.ts';

const day = 86_400_000;
const to = Date.UTC(2026, 5, 30);
const memoryMs = 30 * day;
const pieceCount = 8;
const perPage = 10;

/** After how many pages a list of jobs is taken for a long one; null: it ends first. */
function longAfter(created: readonly (number | null)[], window: Window = { from: null, to }): number | null {
  const length = new ListLength(window, memoryMs, pieceCount);
  const pages = Math.ceil(created.length / perPage);
  for (let page = 1; page < pages; page += 1) {
    for (const time of created.slice((page - 1) * perPage, page * perPage)) length.note(time);
    if (length.isLong()) return page;
  }
  return null;
}

/** The times of jobs that are made at the same rate in a time, newest first. */
function steady(pages: number, from = to - memoryMs, until = to): number[] {
  const jobs = pages * perPage;
  return Array.from({ length: jobs }, (_, job) => until - ((job + 0.5) * (until - from)) / jobs);
}

/** In another order, always the same. */
function shuffled(times: readonly number[]): number[] {
  const keyed = times.map((time, at) => [Math.imul(at + 1, 0x9e3779b1) >>> 0, time] as const);
  return keyed.sort(([a], [b]) => a - b).map(([, time]) => time);
}

describe('a list in the order of creation', () => {
  it.each([
    ['newest first', (times: number[]) => times],
    ['oldest first', (times: number[]) => times.toReversed()],
  ])('is long after four pages, or never (%s)', (_, order) => {
    for (const pages of [2, 4, 5, 8, 12, 16, 19])
      expect([pages, longAfter(order(steady(pages)))]).toEqual([pages, null]);
    for (const pages of [22, 40, 300]) expect([pages, longAfter(order(steady(pages)))]).toEqual([pages, 4]);
  });

  it('is measured by its window, and by what AWS remembers if the window has no beginning', () => {
    const lastWeek = steady(10, to - 7 * day);
    expect(longAfter(lastWeek, { from: to - 7 * day, to })).toBe(null);
    // By its first pages, this list could go on for 30 days.
    expect(longAfter(lastWeek)).toBe(4);
  });
});

describe('a list in which the guess is wrong', () => {
  it('is long when it goes on for eight pages after its end was expected', () => {
    // Four pages show nearly the whole window: the list was expected to end with the fifth.
    expect(longAfter(shuffled(steady(300)))).toBe(13);
    expect(longAfter(shuffled(steady(12)))).toBe(null);
    const burst = Array.from({ length: 100 * perPage }, () => to - 29 * day);
    expect(longAfter([...steady(6, to - 29 * day), ...burst])).toBe(15);
  });

  it('is long after 28 pages at the latest, whatever its jobs say', () => {
    const time = fc.oneof(fc.integer({ min: to - 40 * day, max: to }), fc.constantFrom(null, to, to - day));
    const some = fc
      .tuple(time, fc.integer({ min: 1, max: 120 }))
      .map(([one, count]) => Array(count).fill(one));
    const any = fc.array(some, { minLength: 1, maxLength: 30 }).map((all) => all.flat());
    fc.assert(
      fc.property(any, (times) => {
        const all = Array.from({ length: 30 * perPage }, (_, at) => times[at % times.length] ?? null);
        expect(longAfter(all)).toBeLessThanOrEqual(28);
        expect(longAfter(all)).not.toBeNull();
      }),
      { numRuns: 1_000, seed: 4 },
    );
    // After four pages just too few are left to cut it there, and the fifth seems to be its end.
    const early = steady(4, to - 6.2 * day);
    expect(longAfter([...early, ...Array(40 * perPage).fill(to - memoryMs)])).toBe(28);
  });

  it('is long when its jobs have all the same time, or none', () => {
    expect(longAfter(Array.from({ length: 300 }, () => to - day))).toBe(4);
    expect(longAfter(Array.from({ length: 300 }, () => null))).toBe(4);
  });
});

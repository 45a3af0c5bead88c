import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  formatMissing,
  type MissingJobs,
  missingAfter,
  parseMissing,
  readAgainFrom,
} from '../../src/ledger/missing-jobs.ts';

const at = (day: number, hours = 0) => Date.UTC(2026, 10, day, hours);
const on = (day: number, jobs: number, isRead = false): MissingJobs => ({
  day: `2026-11-${String(day).padStart(2, '0')}`,
  jobs,
  isRead,
});
const found = (...days: MissingJobs[]) => new Map(days.map(({ day, jobs }) => [day, jobs]));
const tonight = { from: at(19, 20), to: at(21, 2) };
const all = { from: null, to: at(21, 2) };
const forgotten = at(1);
const afterNight = (
  before: readonly MissingJobs[],
  now: ReadonlyMap<string, number> | undefined,
  window = tonight,
) => missingAfter(before, now, window, forgotten);

describe('a day with missing jobs', () => {
  it('is read again by the next run, whatever the window of the run that found it', () => {
    expect(afterNight([], found(on(18, 2)))).toEqual([on(18, 2)]);
    expect(missingAfter([], found(on(18, 2)), all, forgotten)).toEqual([on(18, 2)]);
    expect(readAgainFrom([on(18, 2), on(20, 1)], forgotten)).toBe(at(18));
  });

  it('is not read a third time if as many are missing then', () => {
    const window = { from: at(18), to: at(21, 2) };
    const second = missingAfter([on(18, 2)], found(on(18, 2)), window, forgotten);
    expect(second).toEqual([on(18, 2, true)]);
    expect(readAgainFrom(second, forgotten)).toBeNull();
    expect(afterNight(second, found(on(18, 2)))).toEqual([on(18, 2, true)]);
  });

  it('is read again if another number is missing, or if only a part of it was read', () => {
    expect(afterNight([on(18, 2, true)], found(on(18, 3)))).toEqual([on(18, 3)]);
    expect(afterNight([on(18, 2, true)], found(on(18, 1)))).toEqual([on(18, 1)]);
    expect(missingAfter([on(18, 2)], found(on(18, 2)), { from: at(18, 1), to: at(21) }, forgotten)).toEqual([
      on(18, 2),
    ]);
    expect(missingAfter([on(18, 2)], found(on(18, 2)), { from: at(18), to: at(18, 23) }, forgotten)).toEqual([
      on(18, 2),
    ]);
  });

  it('is forgotten once nothing is missing, or AWS keeps none of its jobs', () => {
    expect(afterNight([on(18, 2), on(19, 1)], found(on(19, 1)))).toEqual([on(19, 1)]);
    expect(afterNight([on(18, 2)], found())).toEqual([]);
    expect(missingAfter([on(18, 2)], undefined, tonight, at(19))).toEqual([]);
    expect(readAgainFrom([on(18, 2)], at(19))).toBeNull();
    expect(readAgainFrom([on(18, 2)], at(18, 23))).toBe(at(18));
  });

  it('counts as read again where nothing was compared, and the whole day was read', () => {
    expect(afterNight([on(18, 2), on(20, 1)], undefined)).toEqual([on(18, 2), on(20, 1, true)]);
  });

  it('comes back from the ledger as it was, and nothing else does', () => {
    const one = fc.record({
      day: fc.constantFrom('2026-11-20', '2024-02-29'),
      jobs: fc.integer({ min: 1, max: 1e9 }),
      isRead: fc.boolean(),
    });
    fc.assert(
      fc.property(one, (missing) => {
        expect(parseMissing(formatMissing(missing))).toEqual(missing);
      }),
    );
    for (const text of [
      '2026-11-20 0',
      '2026-13-20 1',
      '2026-11-20',
      '2026-11-20 1 done',
      ' 2026-11-20 1',
      7,
      null,
    ]) {
      expect(parseMissing(text)).toBeNull();
    }
  });
});

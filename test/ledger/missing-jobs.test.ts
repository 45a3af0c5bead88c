import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  daysToReadAgain,
  formatMissing,
  type MissingByDay,
  type MissingJobs,
  missingAfter,
  parseMissing,
} from '../../src/ledger/missing-jobs.ts';

const hour = 3_600_000;
const at = (day: number, hours = 0) => Date.UTC(2026, 10, day, hours);
const name = (day: number) => `2026-11-${String(day).padStart(2, '0')}`;
const forgotten = at(1);
const on = (day: number, jobs: number, change: Partial<MissingJobs> = {}): MissingJobs => ({
  day: name(day),
  jobs,
  foundAt: at(20, 2),
  state: 'due',
  ...change,
});
const found = (...days: [day: number, jobs: number][]) =>
  new Map(days.map(([day, jobs]) => [name(day), jobs]));

/** A run that begins two hours after midnight. */
const night = (day: number, from: number | null = at(day - 2, 20)) => ({
  window: { from, to: at(day, 2) },
  asOf: at(day, 2),
  forgotten,
});
const afterNight = (before: readonly MissingJobs[], now: MissingByDay | undefined, read = night(21)) =>
  missingAfter(before, now, read);
const dueAt = (missing: readonly MissingJobs[], asOf: number) =>
  daysToReadAgain(missing, { asOf, forgotten });

describe('a day with missing jobs', () => {
  it('is read again by the next run, whatever the window of the run that found it', () => {
    for (const read of [night(20), night(20, null)]) {
      const missing = afterNight([], found([20, 1], [18, 2], [17, 0]), read);
      expect(missing).toEqual([on(18, 2), on(20, 1)]);
      expect(dueAt(missing, at(21, 2)).at(0)).toBe(name(18));
    }
  });

  it('is not read again once a good read has found as many missing', () => {
    const second = afterNight([on(18, 2)], found([18, 2]), night(21, at(18)));
    expect(second).toEqual([on(18, 2, { state: 'read' })]);
    expect(dueAt(second, at(22, 2))).toEqual([]);
    expect(afterNight(second, found([18, 2]), night(22))).toEqual(second);
    const tillMidnight = { ...night(21), window: { from: at(18), to: at(19) } };
    expect(afterNight([on(18, 2)], found([18, 2]), tillMidnight)).toEqual(second);
  });

  it('is read again all the same if that read came too soon, or was of a part of the day', () => {
    const soon = { ...night(20, null), asOf: at(20, 2) + 6 * hour - 1 };
    const notAll = { ...night(21), window: { from: at(18), to: at(19) - 1 } };
    for (const read of [night(20, null), soon, night(21, at(18) + 1), notAll]) {
      expect(afterNight([on(18, 2)], found([18, 2]), read)).toEqual([on(18, 2)]);
    }
    // Of two runs at once, the one that is closed last did not look again.
    const other = afterNight([on(18, 2)], found([18, 2]), { ...night(20, null), asOf: at(20, 2) - 1000 });
    expect(other).toEqual([on(18, 2)]);
  });

  it('is read again if another number is missing', () => {
    for (const jobs of [1, 3]) {
      expect(afterNight([on(18, 2, { state: 'read' })], found([18, jobs]))).toEqual([
        on(18, jobs, { foundAt: at(21, 2) }),
      ]);
    }
  });

  it('is read again, although that was in vain, once AWS lists jobs of another day again', () => {
    const before = [on(12, 5, { state: 'read' }), on(18, 2, { state: 'read' }), on(19, 4)];
    const after = afterNight(before, found([12, 5], [18, 2], [19, 0]), night(21, at(18)));
    expect(after).toEqual([on(12, 5, { foundAt: at(21, 2) }), on(18, 2, { state: 'read' })]);
    expect(dueAt(after, at(22, 2)).at(0)).toBe(name(12));
  });

  it('keeps no more than two nights from their ordinary windows', () => {
    expect(dueAt([on(18, 2)], at(22, 2)).at(0)).toBe(name(18));
    expect(dueAt([on(18, 2)], at(22, 14) - 1).at(0)).toBe(name(18));
    expect(dueAt([on(18, 2)], at(22, 14))).toEqual([]);
  });

  it('has two more nights after a good run if it was not read in the first two', () => {
    // Nights 21 to 23 failed; night 24 went back to where night 20 had ended.
    const late = afterNight([on(18, 2)], found([18, 2]), night(24, at(19, 20)));
    expect(late).toEqual([on(18, 2, { foundAt: at(24, 2), state: 'due once more' })]);
    expect(dueAt(late, at(25, 2))).toEqual([name(18)]);
    expect(dueAt(late, at(26, 2))).toEqual([name(18)]);
    expect(dueAt(late, at(27, 2))).toEqual([]);
    expect(afterNight(late, found([18, 2]), night(25, at(18)))).toEqual([
      on(18, 2, { foundAt: at(24, 2), state: 'read' }),
    ]);
    // Neither was good: no third time.
    expect(afterNight(late, found([18, 2]), night(27))).toEqual(late);
    // A good run in between keeps the first two nights as they are.
    expect(afterNight([on(18, 2)], found([18, 2]), night(22))).toEqual([on(18, 2)]);
  });

  it('is forgotten once AWS counts it no longer, if it was read again or had its nights', () => {
    const read = on(8, 5, { state: 'read' });
    const over = on(9, 5, { foundAt: at(18, 2), state: 'due once more' });
    const due = on(10, 5, { foundAt: at(21, 2) });
    const recent = on(20, 1, { state: 'read' });
    const before = [read, over, due, recent];
    expect(afterNight(before, found([11, 0], [19, 0]), night(22))).toEqual([due, recent]);
    // One that was found elsewhere makes none of them due again.
    const other = [read, on(15, 3), recent];
    expect(afterNight(other, found([11, 0], [15, 0], [20, 1]), night(22))).toEqual([
      on(20, 1, { foundAt: at(22, 2) }),
    ]);
    expect(afterNight(before, undefined, night(22)).map(({ day }) => day)).toEqual([8, 9, 10, 20].map(name));
  });

  it('is forgotten once nothing is missing, or AWS keeps none of its jobs', () => {
    expect(afterNight([on(18, 2), on(19, 1)], found([18, 0], [19, 1]))).toEqual([
      on(19, 1, { foundAt: at(21, 2) }),
    ]);
    expect(afterNight([on(18, 2)], undefined, { ...night(21), forgotten: at(19) })).toEqual([]);
    expect(daysToReadAgain([on(18, 2)], { asOf: at(21), forgotten: at(19) })).toEqual([]);
    expect(daysToReadAgain([on(18, 2)], { asOf: at(21), forgotten: at(19) - 1 })).toEqual([name(18)]);
  });

  it('stays as it was where it was not compared', () => {
    const before = [on(18, 2), on(20, 1, { state: 'read' })];
    expect(afterNight(before, undefined, night(21, at(21)))).toEqual(before);
    expect(afterNight(before, found([17, 0]), night(21, at(21)))).toEqual(before);
    // Without a comparison nobody knows whether the read has helped; one is enough.
    expect(afterNight([on(18, 2)], undefined, night(21, at(18)))).toEqual([on(18, 2, { state: 'read' })]);
  });

  it('comes back from the ledger as it was, and nothing else does', () => {
    const one = fc.record({
      day: fc.constantFrom('2026-11-20', '2024-02-29'),
      jobs: fc.integer({ min: 1, max: 1e9 }),
      foundAt: fc.integer({ min: 0, max: 4e12 }),
      state: fc.constantFrom('due', 'due once more', 'read'),
    });
    fc.assert(
      fc.property(one, (missing) => {
        expect(parseMissing(formatMissing(missing))).toEqual(missing);
      }),
    );
    const time = '2026-11-21T02:00:00.000Z';
    const others = [
      `2026-11-20 0 ${time}`,
      `2026-13-20 1 ${time}`,
      `2026-11-20 ${time}`,
      '2026-11-20 1 then',
    ];
    for (const text of [...others, `2026-11-20 1 ${time} done`, ` 2026-11-20 1 ${time}`, 7, null]) {
      expect(parseMissing(text)).toBeNull();
    }
  });
});

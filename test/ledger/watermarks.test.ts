import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  type Covered,
  extended,
  overlapMs,
  targetsRead,
  type Watermark,
  windowFor,
} from '../../src/ledger/watermarks.ts';

const day = 24 * 60 * 60 * 1000;
const asOf = Date.UTC(2026, 10, 20, 2);
const memory = { asOf, memoryDays: 35, fullEveryMs: 7 * day };
const auto = { kind: 'auto' } as const;
const none: ReadonlySet<string> = new Set();

const mark = (change: Partial<Watermark> = {}): Watermark => ({
  coveredFrom: null,
  coveredTo: asOf - day,
  openDays: [],
  openReadAt: null,
  fullAt: asOf - day,
  ...change,
});
const covered = (from: number | null, to: number, openDays = none): Covered => ({
  window: { from, to },
  rememberedFrom: asOf - 35 * day,
  openDays,
  asOf,
});

describe('what a target is asked for', () => {
  it('is everything the first time', () => {
    expect(windowFor(auto, asOf, undefined, memory)).toEqual({ from: null, to: asOf });
  });

  it('is what came since the last time, and a day more', () => {
    expect(windowFor(auto, asOf, mark(), memory)).toEqual({ from: asOf - day - overlapMs, to: asOf });
  });

  it('goes back to the oldest day with a job that has not ended', () => {
    const open = mark({ openDays: ['2026-11-09', '2026-11-15'] });
    expect(windowFor(auto, asOf, open, memory).from).toBe(Date.UTC(2026, 10, 9));
  });

  it('does not wait for ever for a job older than AWS remembers, but still for the next oldest', () => {
    const stuck = mark({ openDays: ['2026-09-01', '2026-11-15'] });
    expect(windowFor(auto, asOf, stuck, memory).from).toBe(Date.UTC(2026, 10, 15));
  });

  it('is everything when the last time everything was asked for is too long ago', () => {
    expect(windowFor(auto, asOf, mark({ fullAt: asOf - 7 * day }), memory).from).toBeNull();
    expect(windowFor(auto, asOf, mark({ fullAt: null }), memory).from).toBeNull();
  });

  it('is everything when what was covered begins within AWS’s memory: there is more to be had', () => {
    expect(windowFor(auto, asOf, mark({ coveredFrom: asOf - 10 * day }), memory).from).toBeNull();
  });

  it('goes back to the first day with missing jobs that was not read again since', () => {
    const missing = (...days: [day: string, isRead: boolean][]) =>
      mark({
        missing: days.map(([day, isRead]) => ({
          day,
          jobs: 3,
          foundAt: asOf - 24 * 3_600_000,
          state: isRead ? 'read' : 'due',
        })),
      });
    const from = (one: Watermark) => windowFor(auto, asOf, one, memory).from;
    expect(from(missing(['2026-11-09', true], ['2026-11-12', false], ['2026-11-14', false]))).toBe(
      Date.UTC(2026, 10, 12),
    );
    expect(from(missing(['2026-11-09', true]))).toBe(asOf - day - overlapMs);
    expect(from(mark({ ...missing(['2026-11-12', false]), openDays: ['2026-11-10'] }))).toBe(
      Date.UTC(2026, 10, 10),
    );
  });

  it('catches up after a week of failures', () => {
    const late = mark({ coveredTo: asOf - 6 * day, fullAt: asOf - 6 * day });
    expect(windowFor(auto, asOf, late, memory).from).toBe(asOf - 6 * day - overlapMs);
  });

  it('is what the person says, otherwise', () => {
    expect(windowFor({ kind: 'all' }, asOf, mark(), memory).from).toBeNull();
    expect(windowFor({ kind: 'instant', epochMs: 7 }, asOf, mark(), memory).from).toBe(7);
    expect(windowFor({ kind: 'ago', ms: day }, asOf - 5, mark(), memory)).toEqual({
      from: asOf - day,
      to: asOf - 5,
    });
  });
});

describe('watermarks', () => {
  it('say what was read: lately, of tables that are asked for, where AWS has called no region disabled', () => {
    const marks = new Map([
      ['copy_jobs/111122223333/eu-west-1', mark()],
      ['copy_job_summaries/111122223333/eu-west-2', mark()],
      ['copy_jobs/111122223333/af-south-1', mark({ disabledAt: asOf - day })],
      ['copy_jobs/111122223333/me-south-1', mark({ coveredTo: asOf - 35 * day })],
      ['copy_jobs/111122223333/evil.example', mark()],
      ['copy_jobs', mark()],
    ]);
    expect(targetsRead(marks, ['copy_jobs'], memory)).toEqual([
      { accountId: '111122223333', region: 'eu-west-1' },
    ]);
  });
});

describe('a watermark', () => {
  it('is not extended by a window that does not touch it', () => {
    const before = mark({ coveredTo: asOf - 5 * day });
    expect(extended(before, covered(asOf - 2 * day, asOf), 35)).toEqual(before);
  });

  it('claims no more than AWS remembered, where a drain had no lower bound', () => {
    const remembered = asOf - 35 * day;
    expect(extended(undefined, covered(null, asOf), 35).coveredFrom).toBe(remembered);
    expect(extended(mark({ coveredFrom: null }), covered(null, asOf), 35).coveredFrom).toBe(remembered);
    const earlier = mark({ coveredFrom: asOf - 60 * day });
    expect(extended(earlier, covered(null, asOf), 35).coveredFrom).toBe(asOf - 60 * day);
    // A window that begins earlier proves no more than what AWS still keeps, and closes no gap that AWS has deleted.
    expect(extended(undefined, covered(asOf - 900 * day, asOf), 35).coveredFrom).toBe(remembered);
    const silent = mark({ coveredFrom: asOf - 75 * day, coveredTo: asOf - 40 * day });
    expect(extended(silent, covered(asOf - 900 * day, asOf), 35)).toMatchObject({
      coveredFrom: remembered,
      coveredTo: asOf,
    });
    expect(extended(mark({ coveredFrom: null }), covered(asOf - 3 * day, asOf), 35).coveredFrom).toBeNull();
  });

  it('begins anew where AWS has deleted what would join it to what was read before', () => {
    const before = mark({
      coveredFrom: asOf - 90 * day,
      coveredTo: asOf - 36 * day,
      openDays: ['2026-10-15'],
    });
    expect(extended(before, covered(null, asOf, new Set(['2026-11-19'])), 35)).toEqual({
      coveredFrom: asOf - 35 * day,
      coveredTo: asOf,
      openDays: ['2026-11-19'],
      openReadAt: asOf,
      fullAt: asOf,
    });
  });

  it('keeps the days with missing jobs, whatever the drain, until a comparison says otherwise', () => {
    const missing = [{ day: '2026-11-12', jobs: 3, foundAt: asOf - day, state: 'due' as const }];
    const before = mark({ coveredFrom: asOf - 60 * day, missing });
    expect(extended(before, covered(asOf - day, asOf), 35).missing).toEqual(missing);
    const anew = mark({ coveredFrom: asOf - 60 * day, coveredTo: asOf - 40 * day, missing });
    expect(extended(anew, covered(null, asOf), 35).missing).toEqual([{ ...missing[0], state: 'read' }]);
    const found = { ...covered(asOf - day, asOf), missingByDay: new Map([['2026-11-12', 0]]) };
    expect(extended(before, found, 35).missing).toBeUndefined();
    const first = { ...covered(null, asOf), missingByDay: new Map([['2026-11-12', 2]]) };
    expect(extended(undefined, first, 35).missing).toEqual([{ ...missing[0], jobs: 2, foundAt: asOf }]);
  });

  it('proves nothing by a drain that ends before AWS remembers anything', () => {
    const { coveredFrom, coveredTo } = extended(undefined, covered(null, asOf - 40 * day), 35);
    expect([coveredFrom, coveredTo]).toEqual([asOf - 40 * day, asOf - 40 * day]);
    expect(extended(mark(), covered(null, asOf - 40 * day), 35)).toMatchObject({ coveredTo: asOf - day });
  });

  it('never claims what lies before the window of a first run', () => {
    expect(extended(undefined, covered(asOf - day, asOf), 35)).toMatchObject({
      coveredFrom: asOf - day,
      fullAt: null,
    });
  });

  it('is full only as far as a full drain went: --until cuts it off', () => {
    const until = asOf - 10 * day;
    const after = extended(undefined, covered(null, until), 35);
    expect(after.fullAt).toBe(until);
    expect(windowFor(auto, asOf, after, memory).from).toBeNull();
    expect(extended(mark(), covered(null, until), 35).fullAt).toBe(asOf - day);
    expect(extended(mark(), covered(null, asOf), 35).fullAt).toBe(asOf);
  });

  it('forgets an open day once it was read whole and nothing in it was open', () => {
    const before = mark({ openDays: ['2026-11-10', '2026-11-18'] });
    const after = extended(before, covered(Date.UTC(2026, 10, 15), asOf), 35);
    expect(after.openDays).toEqual(['2026-11-10']);
  });

  it('keeps an open day that the window only touched', () => {
    const before = mark({ openDays: ['2026-11-15'] });
    const after = extended(before, covered(Date.UTC(2026, 10, 15, 1), asOf), 35);
    expect(after.openDays).toEqual(['2026-11-15']);
  });

  it('covers exactly what touching windows cover together, never goes back, and claims nothing that was not read', () => {
    const windows = fc.array(
      fc.record({
        from: fc.option(fc.integer({ min: 0, max: 50 })),
        length: fc.integer({ min: 0, max: 20 }),
      }),
      { minLength: 1, maxLength: 12 },
    );
    fc.assert(
      fc.property(windows, (list) => {
        let current: Watermark | undefined;
        const read = new Set<number>();
        for (const { from, length } of list) {
          const window = { from, to: (from ?? 0) + length };
          for (let t = from ?? -100; t < window.to; t++) read.add(t);
          const before = current;
          current = extended(current, { window, rememberedFrom: -100, openDays: none, asOf }, 35);
          for (let t = current.coveredFrom ?? -100; t < current.coveredTo; t++)
            expect(read.has(t)).toBe(true);
          if (before === undefined) continue;
          expect(current.coveredTo).toBeGreaterThanOrEqual(before.coveredTo);
          expect(current.coveredFrom ?? -1).toBeLessThanOrEqual(before.coveredFrom ?? -1);
        }
      }),
    );
  });

  it('is the same whichever of two runs of one instant writes first', () => {
    const one = covered(asOf - 3 * day, asOf, new Set(['2026-11-19']));
    const other = covered(null, asOf - day);
    const base = mark({ coveredTo: asOf - 2 * day });
    const interval = ({ coveredFrom, coveredTo }: Watermark) => [coveredFrom, coveredTo];
    expect(interval(extended(extended(base, one, 35), other, 35))).toEqual(
      interval(extended(extended(base, other, 35), one, 35)),
    );
  });
});

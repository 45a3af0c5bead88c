import { expect, it } from 'vitest';
import { type ComparedTarget, comparableDays, isUtcDay } from '../../src/reconciliation/comparable-days.ts';

const hour = 3_600_000;
const day = 24 * hour;
const asOf = Date.parse('2026-11-20T02:00:00Z');
const midnight = Date.parse('2026-11-20T00:00:00Z');

function target(change: Partial<ComparedTarget> = {}): ComparedTarget {
  return {
    target: { accountId: '111122223333', accountName: null, region: 'us-east-1' },
    proven: { from: 0, to: asOf },
    counts: 'OK',
    countedDays: new Set(['2026-11-20']),
    ...change,
  };
}

const daysOf = (...targets: readonly ComparedTarget[]) => comparableDays(asOf, targets).map((one) => one.day);

it('compares the complete days that AWS still counts, oldest first', () => {
  const days = daysOf(target());
  expect(days).toHaveLength(13);
  expect([days[0], days.at(-1)]).toEqual(['2026-11-07', '2026-11-19']);
});

it('compares a day an hour after its end, and not before', () => {
  const at = (time: number) =>
    comparableDays(time, [target({ proven: { from: 0, to: time } })]).map((one) => one.day);
  expect(at(midnight + hour).at(-1)).toBe('2026-11-19');
  expect(at(midnight + hour - 1).at(-1)).toBe('2026-11-18');
});

it('compares only days that are proven from their beginning to an hour after their end', () => {
  expect(daysOf(target({ proven: null }))).toEqual([]);
  expect(daysOf(target({ proven: { from: midnight - 3 * day + 1, to: asOf } }))).toEqual([
    '2026-11-18',
    '2026-11-19',
  ]);
  expect(daysOf(target({ proven: { from: 0, to: midnight } })).at(-1)).toBe('2026-11-18');
});

it('compares only what this run has counted, and AWS has reached', () => {
  expect(daysOf(target({ counts: 'ACCESS_DENIED' }))).toEqual([]);
  expect(daysOf(target({ countedDays: new Set(['2026-11-17']) })).at(-1)).toBe('2026-11-17');
  expect(daysOf(target({ counts: 'OK_EMPTY', countedDays: new Set() }))).toEqual([]);
  const other = target({
    target: { accountId: '444455556666', accountName: null, region: 'us-east-1' },
    counts: 'OK_EMPTY',
    countedDays: new Set(),
  });
  const [first] = comparableDays(asOf, [target(), other]);
  expect(first?.targets).toHaveLength(2);
});

it('knows for how long AWS may still be counting', () => {
  const counting = comparableDays(asOf, [target()]).filter(({ stillCounting }) => stillCounting);
  expect(counting.map((one) => one.day)).toEqual(['2026-11-19']);
});

it('takes a count for a day only if it begins and ends with it', () => {
  expect(isUtcDay('2026-11-20', midnight, midnight + day)).toBe(true);
  expect(isUtcDay('2026-11-20', midnight, midnight + day - 1)).toBe(true);
  expect(isUtcDay('2026-11-20', midnight, null)).toBe(true);
  expect(isUtcDay('2026-11-20', midnight + 4 * hour, midnight + day + 4 * hour)).toBe(false);
  expect(isUtcDay('2026-11-20', null, null)).toBe(false);
});

import { expect, it } from 'vitest';
import { latestEnd, recordedEnd } from '../../src/ledger/run-end.ts';

const hour = 3_600_000;
const day = 24 * hour;
const asOf = Date.UTC(2026, 10, 20, 2);
const as_of = new Date(asOf).toISOString();
const shard = { index: 1, count: 2 };

it('is what the begin record says, whatever as-of and deadline are', () => {
  const ends_by = '2026-11-20T23:10:00.000Z';
  expect(recordedEnd({ as_of, ends_by, settings: { deadlineMs: hour } })).toBe(Date.parse(ends_by));
});

it.each<[string, Readonly<Record<string, unknown>>, number]>([
  ['a run', { deadlineMs: 2 * hour, shard: null, night: null }, 3 * hour],
  ['a shard without a night', { deadlineMs: 2 * hour, shard, night: null }, 3 * hour],
  [
    'a shard of a night, which may begin 20 hours late',
    { deadlineMs: 2 * hour, shard, night: 'n' },
    23 * hour,
  ],
  ['a record without a deadline', {}, 24 * day + 21 * hour],
])('counts from as-of in records of older programs: %s', (_, settings, after) => {
  expect(recordedEnd({ as_of, settings }) - asOf).toBe(after);
  expect(recordedEnd({ as_of, ends_by: 'some day', settings }) - asOf).toBe(after);
  expect(recordedEnd({ as_of, ends_by: '2001-01-01', settings }) - asOf).toBe(after);
});

it('is the longest possible if the record is gone', () => {
  expect(latestEnd(asOf, null) - asOf).toBe(24 * day + 21 * hour);
});

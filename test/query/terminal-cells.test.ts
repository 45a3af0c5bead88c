import { DOUBLE } from '@duckdb/node-api';
import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { cellOf, shortened } from '../../src/query/terminal-cells.ts';

const arn = 'arn:aws:backup:us-west-2:712610111546:backup-vault:Default';
const widths = Array.from({ length: arn.length - 14 }, (_, i) => 14 + i);

test.each(widths)('an ARN that is cut to %d columns has a mark where words are left out', (width) => {
  const cell = shortened(arn, width);
  expect(stringWidth(cell)).toBeLessThanOrEqual(width);
  const [before, after = '', ...more] = cell.split('…');
  expect([before, more]).toEqual([expect.stringMatching(/^(backup)?$/), []]);
  expect(after).not.toBe('');
  expect(arn.endsWith(after)).toBe(true);
});

test('an ARN that fits is whole', () => {
  expect(shortened(arn, arn.length)).toBe(arn);
});

test.each([
  ['bytes', 1.2e12, '1.2 TB'],
  ['bytes_before', 1.2e12, '1.2 TB'],
  ['backup_size_in_bytes', 999, '999 B'],
  ['hours_to_loss', 12.5, '12 h 30 min'],
  ['hours_to_loss', -12.5, '-12 h 30 min'],
  ['rpo_hours', 36, '1 d 12 h'],
  ['days_without', 2.5, '2 d 12 h'],
  ['move_to_cold_storage_after_days', -1, '-1'],
  ['schedule_interval_ms', 60_000, '1 min'],
  ['jobs', 1.5, '1.5'],
])('a number of the column %s, %d, is %s', (name, value, text) => {
  expect(cellOf(value, { name, type: DOUBLE })).toBe(text);
});

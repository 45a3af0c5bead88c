import stringWidth from 'string-width';
import { expect, test } from 'vitest';
import { shortened } from '../../src/query/terminal-cells.ts';

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

import { describe, expect, it } from 'vitest';
import { isFullReadDue } from '../../src/ledger/full-read.ts';

const day = 24 * 3_600_000;
const start = Date.UTC(2026, 8, 1, 2);

describe('a full read', () => {
  it('is due in the second half of each period, on a night of its own for each target', () => {
    const nights = new Map<number, number>();
    const turns = new Set<number>();
    for (let target = 0; target < 1000; target += 1) {
      const name = `${target}/eu-west-1`;
      let last = start;
      for (let number = 1; number <= 84; number += 1) {
        const now = start + number * day;
        if (!isFullReadDue(28 * day, last, now, name)) continue;
        expect(now - last).toBeGreaterThanOrEqual(14 * day);
        expect(now - last).toBeLessThanOrEqual(28 * day);
        turns.add((now - last) / day);
        last = now;
        nights.set(number, (nights.get(number) ?? 0) + 1);
      }
      expect(start + 84 * day - last).toBeLessThan(28 * day);
    }
    // All were read on the same night. Then 1,000 targets share 14 nights, and later all: no night has much more than its share.
    expect(turns.size).toBeGreaterThanOrEqual(14);
    expect(Math.max(...nights.values())).toBeLessThan(1.5 * (1000 / 14));
  });

  it('is due at the end of the period without a name', () => {
    expect(isFullReadDue(28 * day, start, start + 28 * day - 1, undefined)).toBe(false);
    expect(isFullReadDue(28 * day, start, start + 28 * day, undefined)).toBe(true);
  });

  it('is due every night if the period is a day, though no night begins quite on time', () => {
    const due = Array.from({ length: 100 }, (_, n) => isFullReadDue(day, start, start + 0.999 * day, `${n}`));
    expect(due).not.toContain(false);
  });
});

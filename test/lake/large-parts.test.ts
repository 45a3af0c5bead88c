import { expect, it } from 'vitest';
import { warnOfLargeParts } from '../../src/lake/large-parts.ts';

const warned = (...sizes: readonly number[]) => {
  const told: unknown[] = [];
  const written = sizes.map((bytes, at) => ({ key: `part-${at}`, bytes }));
  warnOfLargeParts(written, { warn: (facts: unknown) => void told.push(facts) });
  return told;
};

it('a run tells once of parts that engines do not fetch in one request, with the largest', () => {
  expect(warned(1_000, 3 * 2 ** 20)).toEqual([]);
  expect(warned(4_000_000, 1_000, 12_000_000)).toEqual([{ parts: 2, largest: 'part-2', bytes: 12_000_000 }]);
});

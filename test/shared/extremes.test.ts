import { expect, it } from 'vitest';
import { largest, smallest } from '../../src/shared/extremes.ts';

const many = Array.from({ length: 300_000 }, (_, at) => at);

it('are found in any number of numbers', () => {
  expect(largest(many, 0)).toBe(299_999);
  expect(smallest(many, 7)).toBe(0);
  expect(largest(new Set([3, 5, 4]), 0)).toBe(5);
});

it('are the bound if nothing is beyond it', () => {
  expect(largest([], 3)).toBe(3);
  expect(largest([1, 2], 3)).toBe(3);
  expect(smallest([], 3)).toBe(3);
  expect(smallest([4, 5], 3)).toBe(3);
});

import { describe, expect, it } from 'vitest';
import {
  addIncomingRows,
  addRows,
  countedBy,
  countingRules,
  type RowsByRole,
  ruleThatFits,
} from '../../src/reconciliation/counting-rules.ts';
import { total } from '../../src/reconciliation/counts.ts';

const kind = { resourceType: 'EBS', state: 'COMPLETED', category: null };

describe('the rows that AWS counts', () => {
  it('are added up by each rule', () => {
    const rows: RowsByRole = new Map();
    addRows(rows, 'single', kind, 1);
    addRows(rows, 'parent', kind, 1);
    for (let child = 0; child < 3; child += 1) addRows(rows, 'child', kind, 1);
    for (let copy = 0; copy < 10; copy += 1) addIncomingRows(rows, 'single', kind, 1);
    for (let child = 0; child < 100; child += 1) addIncomingRows(rows, 'child', kind, 1);
    const sums = countingRules.map((rule) => [rule.name, total(countedBy(rule, rows))]);
    expect(Object.fromEntries(sums)).toEqual({
      'every job': 5,
      'without children': 2,
      'without parents': 4,
      'every job, in the destination too': 115,
      'without children, in the destination too': 12,
      'without parents, in the destination too': 114,
    });
  });
});

describe('the rule', () => {
  it('is that every job counts, unless another explains nearly all differences in several places', () => {
    const fits = (...differences: readonly [number, number][]) =>
      ruleThatFits(differences.map(([difference, slices]) => ({ difference, slices })));
    expect(fits([0, 0], [9, 9])).toBe(0);
    expect(fits([40, 8], [1, 1], [30, 6])).toBe(1);
    expect(fits([40, 8], [1, 1], [0, 0])).toBe(2);
  });

  it('does not take a single error for a rule', () => {
    const of = (difference: number, slices: number) => ({ difference, slices });
    expect(ruleThatFits([of(1, 1), of(0, 0)])).toBe(0);
    expect(ruleThatFits([of(40, 8), of(10, 2)])).toBe(0);
    expect(ruleThatFits([of(40, 2), of(0, 0)])).toBe(0);
  });
});

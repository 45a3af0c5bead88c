import { expect, it } from 'vitest';
import { type ComparedSlice, missingByTarget } from '../../src/reconciliation/reconcile.ts';

it('the missing jobs of a target name each day that was compared, also where none is missing', () => {
  const slice = (region: string, day: string, missing: number): ComparedSlice => ({
    target: { accountId: '111122223333', accountName: null, region },
    day,
    awsJobs: 10,
    lakeJobs: 10 - missing,
    missing,
    surplus: 0,
    differences: [],
  });
  const slices = [slice('eu-west-1', '2026-11-18', 0), slice('eu-west-1', '2026-11-19', 3)];
  expect(missingByTarget({ slices: [...slices, slice('eu-west-2', '2026-11-19', 0)] })).toEqual(
    new Map([
      [
        '111122223333/eu-west-1',
        new Map([
          ['2026-11-18', 0],
          ['2026-11-19', 3],
        ]),
      ],
      ['111122223333/eu-west-2', new Map([['2026-11-19', 0]])],
    ]),
  );
  expect(missingByTarget({ slices: [] })).toEqual(new Map());
});

import { describe, expect, it } from 'vitest';
import { differencesIn } from '../../src/reconciliation/compare.ts';
import { add, type Counts, total, withoutSums } from '../../src/reconciliation/counts.ts';

/** `EBS COMPLETED SUCCESS 3`; a dash: not said. */
function counts(...lines: readonly string[]): Counts {
  const found: Counts = new Map();
  for (const line of lines) {
    const [resourceType, state, category, jobs] = line.split(' ').map((word) => (word === '-' ? null : word));
    add(
      found,
      { resourceType: resourceType ?? null, state: state ?? null, category: category ?? null },
      Number(jobs),
    );
  }
  return found;
}

const found = (aws: Counts, lake: Counts) =>
  differencesIn(aws, lake).map(({ kind, missing, surplus }) => [kind.state, kind.category, missing, surplus]);

describe('a difference', () => {
  it('is what AWS counts and the lake lacks, or the other way round', () => {
    const aws = counts('EBS COMPLETED SUCCESS 5', 'EBS FAILED AccessDenied 1');
    expect(found(aws, counts('EBS COMPLETED SUCCESS 3', 'EBS FAILED AccessDenied 1'))).toEqual([
      ['COMPLETED', 'SUCCESS', 2, 0],
    ]);
    expect(found(aws, counts('EBS COMPLETED SUCCESS 6', 'EBS FAILED AccessDenied 1'))).toEqual([
      ['COMPLETED', 'SUCCESS', 0, 1],
    ]);
    expect(found(aws, counts())).toHaveLength(2);
    expect(found(counts('EBS COMPLETED SUCCESS 5'), aws)).toEqual([['FAILED', 'AccessDenied', 0, 1]]);
    expect(found(aws, aws)).toEqual([]);
  });

  it('is none where a job changed its state between the two observations', () => {
    const before = counts('EBS RUNNING - 2', 'EBS COMPLETED SUCCESS 1');
    const after = counts('EBS COMPLETED SUCCESS 2', 'EBS FAILED AccessDenied 1');
    expect(found(after, before)).toEqual([]);
    expect(found(before, after)).toEqual([]);
    expect(found(counts('EBS COMPLETING - 1'), counts('EBS COMPLETED SUCCESS 1'))).toEqual([]);
  });

  it('stays where a change of state cannot explain it', () => {
    expect(found(counts('EBS COMPLETED SUCCESS 1'), counts('EBS FAILED AccessDenied 1'))).toEqual([
      ['COMPLETED', 'SUCCESS', 1, 0],
      ['FAILED', 'AccessDenied', 0, 1],
    ]);
    expect(found(counts('EBS COMPLETED SUCCESS 1'), counts('S3 RUNNING - 1'))).toHaveLength(2);
    const jobsLeft = found(counts('EBS COMPLETED SUCCESS 3'), counts('EBS RUNNING - 1'));
    expect(jobsLeft).toEqual([['COMPLETED', 'SUCCESS', 2, 0]]);
  });

  it('is none where one of the two names no category, or writes it in other letters', () => {
    expect(found(counts('EBS FAILED AccessDenied 2'), counts('EBS FAILED - 2'))).toEqual([]);
    expect(found(counts('EBS COMPLETED Success 2'), counts('EBS COMPLETED SUCCESS 2'))).toEqual([]);
  });

  it('never hides how many jobs are missing', () => {
    const aws = counts('EBS COMPLETED SUCCESS 5', 'EBS RUNNING - 1', 'EBS FAILED - 2');
    const lake = counts('EBS COMPLETED SUCCESS 2', 'EBS RUNNING - 2', 'EBS FAILED AccessDenied 1');
    const sum = differencesIn(aws, lake).reduce((all, { missing, surplus }) => all + missing - surplus, 0);
    expect(sum).toBe(total(aws) - total(lake));
  });
});

describe('sums in AWS’s counts', () => {
  it('do not count jobs twice', () => {
    const both = counts('EBS COMPLETED SUCCESS 5', 'EBS ANY ANY 5', 'AGGREGATE_ALL COMPLETED SUCCESS 5');
    expect(total(withoutSums(both))).toBe(5);
    expect(total(withoutSums(counts('EBS COMPLETED SUCCESS 5', 'EBS COMPLETED ANY 5')))).toBe(5);
  });

  it('are compared where there is nothing else', () => {
    const sums = withoutSums(counts('ANY ANY ANY 3'));
    expect(found(sums, counts('EBS COMPLETED SUCCESS 1', 'S3 FAILED - 2'))).toEqual([]);
    expect(found(sums, counts('EBS COMPLETED SUCCESS 1'))).toEqual([['ANY', 'ANY', 2, 0]]);
  });
});

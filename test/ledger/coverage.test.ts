import { describe, expect, it } from 'vitest';
import { type Coverage, coverageOf, exitCodeOf } from '../../src/ledger/coverage.ts';
import type { Drained, Planned } from '../../src/ledger/planned.ts';
import { DeadlineReached, Interrupted } from '../../src/shared/abort.ts';
import { LakeError } from '../../src/shared/errors.ts';
import type { DrainStatus } from '../../src/source/source.ts';

const planned = {
  table: 'copy_jobs',
  target: {
    accountId: '111122223333',
    accountName: null,
    region: 'us-east-1',
    regionNamed: false,
    credentials: () => Promise.reject(new Error('not asked')),
  },
  window: { from: null, to: 1 },
} satisfies Partial<Planned>;

const ended = (status: DrainStatus) =>
  ({
    ...planned,
    report: {
      status,
      pages: 1,
      records: 1,
      retries: 0,
      firstRequestId: null,
      lastRequestId: null,
      durationMs: 1,
      errorName: null,
      errorMessage: null,
    },
    rows: 1,
    rejected: 0,
    rejectedFor: null,
    openDays: new Set<string>(),
  }) satisfies Partial<Drained>;

// Safe: only what is given here is read of the two, whatever else they carry.
const settledWith = (
  status: DrainStatus,
  problem: unknown,
  stop: Parameters<typeof coverageOf>[3],
): Coverage =>
  coverageOf(
    planned as Planned,
    ended(status) as unknown as Drained,
    new Map(problem === null ? [] : [['copy_jobs/111122223333/us-east-1', problem]]),
    stop,
  );

describe('what became of a target', () => {
  it.each(['deadline', 'interrupted'] as const)(
    'is PUBLISH_FAILED and 74 when the lake failed, though the run had to end (%s)',
    (stop) => {
      const one = settledWith('OK', new LakeError('The bucket is gone', 'Make it again.'), stop);
      expect(one).toMatchObject({ status: 'PUBLISH_FAILED', report: { errorName: 'LakeError' } });
      expect(exitCodeOf([one], { kind: 'any' }, stop === 'interrupted')).toBe(74);
    },
  );

  it.each([
    ['TIMED_OUT', new DeadlineReached(), 'deadline'],
    ['INTERRUPTED', new Interrupted(), 'interrupted'],
    // A signal after the deadline: what ended this part was still the deadline.
    ['TIMED_OUT', new DeadlineReached(), 'interrupted'],
  ] as const)(
    'is %s when it was read and the end of the run came before it was published',
    (status, problem, stop) => {
      expect(settledWith('OK', problem, stop)).toMatchObject({
        status,
        read: true,
        report: { errorName: problem.name },
      });
    },
  );

  it('is what ended its drain, whatever else stopped the run later', () => {
    expect(settledWith('TIMED_OUT', null, 'interrupted').status).toBe('TIMED_OUT');
    expect(settledWith('INTERRUPTED', null, 'deadline').status).toBe('INTERRUPTED');
  });
});

describe('the exit code', () => {
  it('is 75 and not 69 when targets were read, and none published in time', () => {
    const late = settledWith('OK', new DeadlineReached(), 'deadline');
    const unread = settledWith('TIMED_OUT', null, 'deadline');
    expect(exitCodeOf([late, unread], { kind: 'any' }, false)).toBe(75);
    expect(exitCodeOf([late, unread], { kind: 'share', share: 1 }, false)).toBe(75);
    expect(exitCodeOf([unread], { kind: 'any' }, false)).toBe(69);
  });

  it('makes a run end with 66 that would have said all is well, although AWS had deleted records', () => {
    const read = settledWith('OK', null, null);
    const other = { ...read.target, region: 'eu-west-1' };
    const denied = { ...settledWith('ACCESS_DENIED', null, null), target: other };
    const codes = (coverage: readonly Coverage[], hasLost: boolean) =>
      exitCodeOf(coverage, { kind: 'any' }, false, hasLost);
    expect([codes([read], false), codes([read], true)]).toEqual([0, 66]);
    expect([codes([{ ...read, status: 'REJECTED_RECORDS' }], true), codes([read, denied], true)]).toEqual([
      66, 77,
    ]);
    expect(exitCodeOf([read, denied], { kind: 'all' }, false, true)).toBe(66);
    expect(exitCodeOf([read], { kind: 'any' }, true, true)).toBe(75);
  });
});

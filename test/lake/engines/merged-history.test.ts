/** A job's history: of all observations, whatever the order in which runs publish them. */
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { mergeRows } from '../../../src/lake/engines/merge.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { firstSight, seenStates } from '../../../src/tables/state-history.ts';
import type { Row } from '../../../src/tables/table.ts';
import { batchesOf, lifeOfCopyJob } from './arbitraries.ts';

const start = Date.UTC(2026, 10, 20);
const minute = 60_000;

function seen(state: string, at: number, readBefore: number | null = null): Row {
  const time = start + at * minute;
  const row = {
    copy_job_id: 'job',
    state,
    message_category: `at ${at}`,
    observed_at: time,
    first_observed_at: time,
    run_id: `run-${at}`,
  };
  const before = readBefore === null ? null : start + readBefore * minute;
  return { ...row, state_history: firstSight(row, before) };
}

const merged = (published: readonly Row[], ...staged: readonly Row[]) => {
  const { rows, outcome } = mergeRows(copyJobs, published, staged, { creation_date: '2026-11-20' });
  const told = rows
    .flatMap(seenStates)
    .map(({ state, firstSeen, before, beforeLastSeen }) => [
      before,
      state,
      minutes(firstSeen),
      minutes(beforeLastSeen),
    ]);
  return { rows, told, outcome };
};

function minutes(text: string): number | null {
  return text === '' ? null : (Date.parse(`${text.replace(' ', 'T')}Z`) - start) / minute;
}

describe('the history of a job', () => {
  it('begins with its first sight, and gains each change once', () => {
    const first = merged([], seen('CREATED', 1));
    expect(first.told).toEqual([['', 'CREATED', 1, null]]);
    const same = merged(first.rows, { ...seen('CREATED', 2), message_category: 'at 1' });
    expect(same.outcome.changed).toBe(false);
    const then = merged(first.rows, seen('RUNNING', 3));
    const last = merged(then.rows, seen('FAILED', 4));
    expect(last.told).toEqual([
      ['', 'CREATED', 1, null],
      ['CREATED', 'RUNNING', 3, 1],
      ['RUNNING', 'FAILED', 4, 3],
    ]);
    expect(merged(last.rows, seen('FAILED', 4)).outcome.changed).toBe(false);
  });

  it('says when the state before was last seen, if a run has read it since without a change', () => {
    const first = merged([], seen('RUNNING', 1));
    expect(merged(first.rows, seen('COMPLETED', 9, 7)).told[1]).toEqual(['RUNNING', 'COMPLETED', 9, 7]);
    expect(merged(first.rows, seen('COMPLETED', 9, 0)).told[1]).toEqual(['RUNNING', 'COMPLETED', 9, 1]);
  });

  it('gains what a run saw that publishes after another one, which saw more', () => {
    const ahead = merged([], seen('COMPLETED', 6));
    const late = merged(ahead.rows, seen('RUNNING', 5));
    expect(late.told).toEqual([
      ['', 'RUNNING', 5, null],
      ['RUNNING', 'COMPLETED', 6, 5],
    ]);
    expect(late.rows).toMatchObject([
      { state: 'COMPLETED', observed_at: start + 6 * minute, run_id: 'run-6' },
    ]);
    expect(merged(late.rows, seen('RUNNING', 5)).outcome.changed).toBe(false);
  });

  it('counts a sight once that a job which is published twice has already', () => {
    const twice = [seen('CREATED', 1), seen('RUNNING', 1)];
    expect(merged(twice, seen('CREATED', 1)).told).toEqual([
      ['', 'CREATED', 1, null],
      ['CREATED', 'RUNNING', 1, 1],
    ]);
  });

  it('ignores other states after a terminal one', () => {
    const { rows } = merged([], seen('COMPLETED', 6));
    expect(merged(rows, seen('RUNNING', 8)).outcome.changed).toBe(false);
  });

  it('goes on from a row of an older version, and does not call that a first sight if it was none', () => {
    const { state_history: _, ...old } = seen('RUNNING', 3);
    expect(merged([old], { ...seen('RUNNING', 4), message_category: 'at 3' }).outcome.changed).toBe(false);
    expect(merged([old], seen('COMPLETED', 5)).told).toEqual([
      ['', 'RUNNING', 3, null],
      ['RUNNING', 'COMPLETED', 5, 3],
    ]);
    const changed = { ...old, first_observed_at: start };
    expect(merged([changed], seen('COMPLETED', 5)).told[0]?.[0]).toBe('?');
  });

  it('is the same in any order and any batches, and each state is there once', () => {
    const withHistory = (rows: readonly Row[]) =>
      rows.map((row): Row => {
        const at = start + Number(row.observed_at) * minute;
        const timed = { ...row, observed_at: at, first_observed_at: at };
        return { ...timed, state_history: firstSight(timed, null) };
      });
    const histories = lifeOfCopyJob
      .map(withHistory)
      .chain((rows) => fc.tuple(fc.constant(rows), batchesOf(rows)));
    fc.assert(
      fc.property(histories, ([rows, batches]) => {
        let part: readonly Row[] = [];
        for (const batch of batches) part = mergeRows(copyJobs, part, batch, {}).rows;
        const inOrder = [...rows].sort((a, b) => Number(a.observed_at) - Number(b.observed_at));
        const states = inOrder.map(({ state }) => state).filter((state, at, all) => state !== all[at - 1]);
        const [row] = part;
        const told = row === undefined ? [] : seenStates(row);
        expect(told.map(({ state }) => state)).toEqual(states);
        expect(told.at(-1)?.state).toBe(row?.state);
        expect(told.slice(1).map(({ before }) => before)).toEqual(states.slice(0, -1));
        for (const { beforeLastSeen, firstSeen } of told) expect(beforeLastSeen <= firstSeen).toBe(true);
        // What comes again together may show an earlier first sight, and then nothing more.
        const again = mergeRows(copyJobs, part, rows, {}).rows;
        expect(again.flatMap(seenStates).map(({ state }) => state)).toEqual(states);
        expect(mergeRows(copyJobs, again, rows, {}).outcome.changed).toBe(false);
      }),
    );
  });
});

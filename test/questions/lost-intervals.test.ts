/** What AWS deletes before a run reads it: told to the millisecond, for good, and never told of what was read. */
import { afterEach, expect, it } from 'vitest';
import { lostIntervals } from '../support/answers/lost-intervals.ts';
import { type Lab, openLab } from '../support/lab.ts';

const day = 24 * 3_600_000;
let lab: Lab;
afterEach(() => lab.close());

const asOf = async (flags = {}): Promise<number> => Date.parse((await lab.run(flags)).as_of);

it('tells of forty days without a run, and goes on telling of them after the run that reads again', async () => {
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 5, days: 3 });
  await lab.run();
  await lab.simulator.advance(day);
  const before = await asOf();
  expect(await lostIntervals(lab.lake)).toEqual([]);

  await lab.simulator.advance(40 * day);
  const run = await lab.run();
  const after = Date.parse(run.as_of);
  const accounts = [...new Set(lab.simulator.organization.active.map(({ id }) => id))].sort();
  const expected = [
    ...accounts.map((account) => ({
      table: 'copy_job_summaries',
      account,
      from: before,
      to: after - 14 * day,
    })),
    ...accounts.map((account) => ({ table: 'copy_jobs', account, from: before, to: after - 30 * day })),
  ].map((one) => ({ ...one, noticed: after }));
  expect(await lostIntervals(lab.lake)).toEqual(expected);
  const told = run.lost_intervals.map((one) => ({
    table: one.table,
    account: one.account_id,
    from: Date.parse(one.lost_from),
    to: Date.parse(one.lost_to),
    noticed: after,
  }));
  expect(told).toHaveLength(expected.length);
  expect(told).toEqual(expect.arrayContaining(expected));

  await lab.simulator.advance(day);
  expect((await lab.run()).lost_intervals).toEqual([]);
  expect(await lostIntervals(lab.lake)).toEqual(expected);

  // Asking for years gets what AWS still keeps.
  await lab.simulator.advance(day);
  await lab.run({ since: '2020-01-01' });
  expect(await lostIntervals(lab.lake)).toEqual(expected);
});

/** How long AWS is said to keep jobs decides what is lost. */
import { afterEach, expect, it } from 'vitest';
import { lostIntervals } from '../support/answers/lost-intervals.ts';
import { type Lab, openLab } from '../support/lab.ts';

const day = 24 * 3_600_000;
let lab: Lab;
afterEach(() => lab.close());

const asOf = async (flags = {}): Promise<number> => Date.parse((await lab.run(flags)).as_of);

it('goes by how long AWS is said to keep jobs, and tells of an account only while it could not be read', async () => {
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 5, days: 3 });
  const flags = { 'memory-days': '20' };
  const ofJobs = async () => (await lostIntervals(lab.lake)).filter(({ table }) => table === 'copy_jobs');
  const before = await asOf(flags);
  const account = lab.member(0);
  lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobs', account }]);
  await lab.simulator.advance(15 * day);
  await lab.run(flags);
  expect(await ofJobs()).toEqual([]);
  await lab.simulator.advance(8 * day);
  const denied = await lab.run(flags);
  const noticed = Date.parse(denied.as_of);
  const failure = denied.failures.find((one) => one.account_id === account && one.table === 'copy_jobs');
  expect(failure).toMatchObject({
    read_through: new Date(before).toISOString(),
    first_loss_at: new Date(before + 20 * day).toISOString(),
  });
  const lost = { table: 'copy_jobs', account, from: before, noticed };
  expect(await ofJobs()).toEqual([{ ...lost, to: noticed - 20 * day }]);

  lab.simulator.clearFaults();
  await lab.simulator.advance(day);
  const healed = await asOf(flags);
  expect(await ofJobs()).toEqual([{ ...lost, to: healed - 20 * day }]);
});

/** What AWS deletes before a run reads it: told to the millisecond, for good, and never told of what was read. */
import { afterEach, expect, it } from 'vitest';
import { openInDuckDb } from '../support/answers/duckdb.ts';
import { type Lab, openLab } from '../support/lab.ts';

const day = 24 * 3_600_000;
let lab: Lab;
afterEach(() => lab.close());

interface Lost {
  readonly table: unknown;
  readonly account: unknown;
  readonly from: number;
  readonly to: number;
  readonly noticed: number;
}

async function lostIntervals(): Promise<readonly Lost[]> {
  const duckdb = await openInDuckDb(lab.lake);
  try {
    const { rows } = await duckdb.ask(
      'SELECT * FROM lost_intervals ORDER BY table_name, account_id, lost_from',
    );
    return rows.map((row) => ({
      table: row.table_name,
      account: row.account_id,
      from: Number(row.lost_from),
      to: Number(row.lost_to),
      noticed: Number(row.noticed_time),
    }));
  } finally {
    duckdb.close();
  }
}

const asOf = async (flags = {}): Promise<number> => Date.parse((await lab.run(flags)).as_of);

it('tells of forty days without a run, and goes on telling of them after the run that reads again', async () => {
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 5, days: 3 });
  await lab.run();
  await lab.simulator.advance(day);
  const before = await asOf();
  expect(await lostIntervals()).toEqual([]);

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
    ...accounts.map((account) => ({ table: 'copy_jobs', account, from: before, to: after - 35 * day })),
  ].map((one) => ({ ...one, noticed: after }));
  expect(await lostIntervals()).toEqual(expected);
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
  expect(await lostIntervals()).toEqual(expected);

  // Asking for years gets what AWS still keeps.
  await lab.simulator.advance(day);
  await lab.run({ since: '2020-01-01' });
  expect(await lostIntervals()).toEqual(expected);
});

it('goes by how long AWS is said to keep jobs, and tells of an account only while it could not be read', async () => {
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 5, days: 3 });
  const flags = { 'memory-days': '20' };
  const ofJobs = async () => (await lostIntervals()).filter(({ table }) => table === 'copy_jobs');
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

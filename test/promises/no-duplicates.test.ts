import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('a job is one row, though two accounts list it, windows overlap and engines take turns', async () => {
  lab = await openLab({ accounts: 5, jobsPerDay: 10, listInDestination: true });
  await lab.run({ since: '2026-11-17', until: '2026-11-19' });
  await lab.run({ since: '2026-11-18', engine: 'parquetjs-lite' });
  await lab.simulator.advance(20 * 3_600_000);
  await lab.run({ since: 'all' });
  await lab.run({ since: 'all', engine: 'parquetjs-lite' });
  const rows = await lab.table('copy_jobs');
  expect(new Set(rows.map((row) => row.copy_job_id)).size).toBe(rows.length);
  expect(await lab.differences()).toEqual([]);

  const listedTwice = rows.filter((row) => row.is_cross_account === true);
  expect(listedTwice.length).toBeGreaterThan(0);
  for (const row of listedTwice) expect(row.queried_account_id).toBe(row.account_id);
});

it('a count that AWS moved from one state to another is not counted twice', async () => {
  lab = await openLab({ accounts: 4, jobsPerDay: 20, days: 3 });
  await lab.run();
  const running = (await lab.table('copy_job_summaries')).filter((row) => row.state === 'RUNNING');
  expect(running.length).toBeGreaterThan(0);
  await lab.simulator.advance(86_400_000);
  const run = await lab.run();
  expect(run.tables.copy_job_summaries?.removed).toBeGreaterThan(0);
  expect(await lab.differences()).toEqual([]);
});

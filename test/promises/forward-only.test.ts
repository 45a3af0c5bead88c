import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('a job that has ended never becomes a running one again, whatever AWS says later', async () => {
  lab = await openLab({ accounts: 2, jobsPerDay: 20 });
  await lab.run();
  const ended = (await lab.table('copy_jobs')).filter((row) => row.is_terminal === true);
  expect(ended.length).toBeGreaterThan(20);
  await lab.simulator.advance(3_600_000);
  lab.simulator.addFaults([{ kind: 'unknown-state', api: 'ListCopyJobs' }]);
  await lab.run({ since: 'all' });
  const later = new Map((await lab.table('copy_jobs')).map((row) => [row.copy_job_id, row]));
  for (const row of ended) expect(later.get(row.copy_job_id)?.state).toBe(row.state);
});

it('jobs move on as AWS says, and a row says when it last changed and when it was first seen', async () => {
  lab = await openLab({ accounts: 4, jobsPerDay: 20 });
  const first = lab.simulator.now();
  await lab.run();
  const open = (await lab.table('copy_jobs')).filter((row) => row.is_terminal === false);
  expect(open.length).toBeGreaterThan(0);
  await lab.simulator.advance(12 * 3_600_000);
  const run = await lab.run();
  expect(run.tables.copy_jobs?.updated).toBeGreaterThan(0);
  const now = new Map((await lab.table('copy_jobs')).map((row) => [row.copy_job_id, row]));
  const moved = open.flatMap((row) => {
    const later = now.get(row.copy_job_id);
    return later?.is_terminal === true ? [later] : [];
  });
  expect(moved.length).toBeGreaterThan(0);
  for (const row of moved) {
    expect(row).toMatchObject({
      first_observed_at: first,
      observed_at: first + 12 * 3_600_000,
      run_id: run.run_id,
    });
  }
  const untouched = [...now.values()].filter((row) => row.observed_at === first);
  expect(untouched.length).toBeGreaterThan(0);
  for (const row of untouched) expect(row.run_id).not.toBe(run.run_id);
});

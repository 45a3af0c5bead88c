import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('accounts that AWS throttles do not keep the others waiting, although there are more of them than places', async () => {
  lab = await openLab({ accounts: 24, regions: 1, days: 1, jobsPerDay: 1 });
  const members = Array.from({ length: 23 }, (_, index) => lab.member(index)).sort();
  const [throttled, others] = [members.slice(0, 20), members.slice(20)];
  lab.simulator.addFaults(
    throttled.map((account) => ({ kind: 'throttle' as const, api: 'ListCopyJobs', account })),
  );
  const running = lab.run({ tables: 'copy_jobs' });
  const read = () => {
    const { recent } = lab.simulator.requests();
    const pages = recent.filter(({ api, status }) => api === 'ListCopyJobs' && status === 200);
    return new Set(pages.map(({ account }) => account));
  };
  await lab.until(async () => others.every((account) => read().has(account)));
  await lab.until(async () => lab.simulator.faults().every(({ met }) => met > 0));
  expect(throttled.filter((account) => read().has(account))).toEqual([]);
  lab.simulator.clearFaults();
  const run = await running;
  expect(run.exit_code).toBe(0);
  expect(run.reading.retries).toBeGreaterThan(0);
});

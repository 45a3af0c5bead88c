/** A run that gets a signal while it reads. */
import { expect } from 'vitest';
import type { Lab } from '../support/lab.ts';
import { readTable } from '../support/lake-reader.ts';

/** It publishes what it has read, says INTERRUPTED of the rest, exits with 75, and the next run ends at the truth. */
export async function interruptedBy(signal: NodeJS.Signals, lab: Lab, targets: number): Promise<void> {
  const run = lab.start({ concurrency: '2' });
  await lab.until(async () =>
    lab.simulator.requests().counts.some(({ api, count }) => api === 'ListCopyJobs' && count > 4),
  );
  const asked = performance.now();
  run.child.kill(signal);
  const { code, stdout } = await run.ended;
  expect(code).toBe(75);
  expect(performance.now() - asked).toBeLessThan(20_000);
  const summary: unknown = JSON.parse(stdout);
  expect(summary).toMatchObject({
    exit_code: 75,
    coverage: { OK: expect.any(Number), INTERRUPTED: expect.any(Number) },
  });
  const coverage = await readTable(lab.lake, 'export_coverage');
  expect(coverage.length).toBe(targets * 2);
  expect(coverage.some((row) => row.status === 'INTERRUPTED')).toBe(true);
  const covered = new Set(
    coverage
      .filter((row) => row.table_name === 'copy_jobs' && row.status === 'OK')
      .map((row) => `${row.account_id}/${row.region}`),
  );
  const published = new Set((await lab.table('copy_jobs')).map((row) => `${row.account_id}/${row.region}`));
  expect(covered.size).toBeGreaterThan(0);
  for (const target of covered) expect(published.has(target)).toBe(true);
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
}

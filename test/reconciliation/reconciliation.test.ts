import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';
import type { readTable } from '../support/lake-reader.ts';

type Rows = Awaited<ReturnType<typeof readTable>>;
const dayMs = 24 * 3_600_000;

function windowsOf(coverage: Rows, region: string): number[] {
  const asked = coverage.filter((row) => row.region === region && row.table_name === 'copy_jobs');
  expect(asked.length).toBeGreaterThan(0);
  return asked.map(({ window_from: from, window_to: to }) => Number(to) - Number(from));
}
const shortestWindow = (coverage: Rows, region: string) => Math.min(...windowsOf(coverage, region));
const longestWindow = (coverage: Rows, region: string) => Math.max(...windowsOf(coverage, region));

it('AWS’s own counts agree with a lake that holds everything, and show when a region was served empty by mistake', async () => {
  const lab = await openLab();
  try {
    const good = await lab.run({ 'fail-on-mismatch': '0%' });
    expect(good.exit_code).toBe(0);
    expect(good.reconciliation).toMatchObject({ differing: 0, difference: 0, not_comparable: 0 });
    expect(good.reconciliation?.aws_jobs).toBeGreaterThan(20);

    const [lake, region] = [`${lab.lake}-of-half-a-night`, lab.region(1)];
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobs', region }]);
    const bad = await lab.run({ lake, 'fail-on-mismatch': '2%' });
    expect(bad.exit_code).toBe(76);
    const rows = (await lab.tableOf(lake, 'export_reconciliation')).filter((row) => row.scope === 'day');
    expect(rows.length).toBe(bad.reconciliation?.compared);
    for (const row of rows) {
      expect(row.missing_jobs).toBe(row.region === region ? row.aws_count : 0);
      expect(row.surplus_jobs).toBe(0);
    }
    expect(rows.some((row) => row.region === region)).toBe(true);

    // As long as AWS lists none of these jobs, it is asked for their days once more, and no more.
    const asked = async ({ run_id: id }: { readonly run_id: string }) =>
      (await lab.tableOf(lake, 'export_coverage')).filter((row) => row.run_id === id);
    const again = await lab.run({ lake });
    expect(again.reconciliation?.missing_jobs).toBe(bad.reconciliation?.missing_jobs);
    expect(shortestWindow(await asked(again), region)).toBeGreaterThan(2.5 * dayMs);
    expect(longestWindow(await asked(again), lab.region(0))).toBeLessThan(2.5 * dayMs);
    expect(longestWindow(await asked(await lab.run({ lake })), region)).toBeLessThan(2.5 * dayMs);
  } finally {
    await lab.close();
  }
});

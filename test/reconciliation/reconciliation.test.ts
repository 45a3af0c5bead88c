import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

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
  } finally {
    await lab.close();
  }
});

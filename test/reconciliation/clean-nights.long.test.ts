/** Clean nights: AWS's own counts agree with the lake on every one of them, whatever the time of day. */
import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

const hour = 3_600_000;

it.each([
  [30, 'every job is listed once', {}],
  [5, 'a copy is listed in its destination too', { listInDestination: true }],
  [5, 'children are listed only with their parent', { children: 'hidden' as const }],
])(
  '%i nights without a difference: %s',
  async (nights, _, options) => {
    const lab = await openLab({ accounts: 3, regions: 2, jobsPerDay: 12, days: 6, seed: 3, ...options });
    try {
      for (let night = 0; night < nights; night += 1) {
        const { reconciliation, exit_code } = await lab.run({ 'fail-on-mismatch': '0%' });
        expect(exit_code).toBe(0);
        expect(reconciliation).toMatchObject({
          missing_jobs: 0,
          surplus_jobs: 0,
          differing: 0,
          not_comparable: 0,
          unreadable_days: [],
        });
        expect(reconciliation?.aws_jobs).toBe(reconciliation?.lake_jobs);
        if (night > 12) expect(reconciliation?.days).toBe(13);
        // At another time each night: 19 to 30 hours later.
        await lab.simulator.advance((19 + ((night * 7) % 12)) * hour);
      }
      const rows = await lab.table('export_reconciliation');
      expect(rows.length).toBeGreaterThan(nights * 20);
      const differing = rows.filter((row) => row.missing_jobs !== 0 || row.surplus_jobs !== 0);
      expect(differing).toEqual([]);
    } finally {
      await lab.close();
    }
  },
  600_000,
);

import { expect, it } from 'vitest';
import { openLab } from '../../support/lab.ts';
import type { LakeRow } from '../../support/lake-reader.ts';

/** What says which run wrote a row; all else has to be the same. */
const ofTheRun = 'run_id';

const sorted = (rows: readonly LakeRow[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([name]) => name !== ofTheRun)
          .sort(),
      ),
    )
    .sort();

it('both engines make the same lake of the same organization, day after day, in every column', async () => {
  const lab = await openLab({ accounts: 4, jobsPerDay: 12, listInDestination: true });
  try {
    const lakes = { duckdb: `${lab.folder}/by-duckdb`, 'parquetjs-lite': `${lab.folder}/by-parquetjs-lite` };
    for (let night = 0; night < 3; night++) {
      for (const [engine, lake] of Object.entries(lakes))
        expect((await lab.run({ engine, lake })).exit_code).toBe(0);
      await lab.simulator.advance(86_400_000);
    }
    for (const table of ['copy_jobs', 'copy_job_summaries']) {
      const rows = await lab.tableOf(lakes.duckdb, table);
      expect(rows.length).toBeGreaterThan(50);
      expect(rows[0]).toHaveProperty(ofTheRun);
      expect(sorted(await lab.tableOf(lakes['parquetjs-lite'], table))).toEqual(sorted(rows));
    }
  } finally {
    await lab.close();
  }
});

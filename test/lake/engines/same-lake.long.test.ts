import { createHash } from 'node:crypto';
import { glob, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLab } from '../../support/lab.ts';
import type { LakeRow } from '../../support/lake-reader.ts';
import { withEarlierTimes } from './earlier-part.ts';

/** What says which run wrote a row; all else has to be the same. */
const ofTheRun = 'run_id';
const runs = /[\da-f]{8}-[\da-f]{4}-7[\da-f]{3}-[\da-f]{4}-[\da-f]{12}/g;
const withoutRuns = (history: unknown): string => String(history).replaceAll(runs, 'run');

const sorted = (rows: readonly LakeRow[]): string[] =>
  rows
    .map((row) =>
      JSON.stringify(
        Object.entries(row)
          .filter(([name]) => name !== ofTheRun)
          // A history names the runs that saw its states.
          .map(([name, value]) => [name, name === 'state_history' ? withoutRuns(value) : value] as const)
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

it.each(['duckdb', 'parquetjs-lite'])(
  'a lake with times of the earlier type is continued by %s: what did not change is not written again, and the lake ends at the truth',
  async (engine) => {
    const lab = await openLab({ accounts: 2, regions: 1, days: 8 });
    const parts = async (): Promise<ReadonlyMap<string, string>> => {
      const found = new Map<string, string>();
      for await (const file of glob('copy_job*/**/*.parquet', { cwd: lab.lake })) {
        found.set(
          file,
          createHash('sha256')
            .update(await readFile(join(lab.lake, file)))
            .digest('hex'),
        );
      }
      return found;
    };
    try {
      await lab.run({ engine: 'parquetjs-lite' });
      for (const file of (await parts()).keys()) await withEarlierTimes(join(lab.lake, file));
      const before = await parts();
      expect(before.size).toBeGreaterThan(3);
      for (let again = 0; again < 2; again++) {
        expect((await lab.run({ engine, since: 'all' })).exit_code).toBe(0);
        expect(await parts()).toEqual(before);
      }
      await lab.simulator.advance(86_400_000);
      expect((await lab.run({ engine, since: 'all' })).exit_code).toBe(0);
      const after = await parts();
      expect([...before].some(([file, hash]) => after.get(file) === hash)).toBe(true);
      expect([...before].some(([file, hash]) => after.get(file) !== hash)).toBe(true);
      expect(await lab.differences()).toEqual([]);
    } finally {
      await lab.close();
    }
  },
);

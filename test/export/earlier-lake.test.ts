/** A lake that an earlier program wrote is continued, not written anew: test/fixtures/README.md says how it was made. */
import { createHash } from 'node:crypto';
import { cp, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { schemaVersions } from '../../src/lake/lake-record.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../src/tables/export-reconciliation.ts';
import { type Lab, openLab } from '../support/lab.ts';

const fixture = fileURLToPath(new URL('../fixtures/lake-a2285a0', import.meta.url));
const day = 86_400_000;

let lab: Lab;
beforeEach(async () => {
  // As test/fixtures/README.md has it. The lake's second night is over, and AWS shows what it showed then.
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 4, days: 3, seed: 7, listInDestination: true });
  await lab.simulator.advance(day);
  await cp(fixture, lab.lake, { recursive: true });
});
afterEach(() => lab.close());

/** The SHA-256 of every file of a lake, by its key. */
async function filesOf(lake: string): Promise<ReadonlyMap<string, string>> {
  const entries = await readdir(lake, { recursive: true, withFileTypes: true });
  const files = entries
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
  return new Map(
    await Promise.all(
      files.sort().map(async (file) => {
        const sha256 = createHash('sha256')
          .update(await readFile(file))
          .digest('hex');
        return [file.slice(lake.length + 1), sha256] as const;
      }),
    ),
  );
}

it('a run over unchanged data writes no part of it, and nothing else but where it has read to and what it read', async () => {
  const before = await filesOf(fixture);
  const kinds = ['copy_jobs/', 'copy_job_summaries/', 'export_coverage/', '_ledger/creation-dates/'];
  for (const kind of kinds) expect([...before.keys()].filter((key) => key.startsWith(kind))).not.toEqual([]);
  const [last] = [...before.keys()].filter((key) => /\/runs\/.*(?<!begin)\.json$/.test(key)).slice(-1);

  // No target has its night of a full read.
  const run = await lab.run({ 'full-every': '3650d' });
  expect(run).toMatchObject({ exit_code: 0, foreign_objects: [], moved_jobs: 0, coverage: { OK: 4 } });
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  for (const { added, updated, removed, parts_written: written } of Object.values(run.tables)) {
    expect({ added, updated, removed, written }).toEqual({ added: 0, updated: 0, removed: 0, written: 0 });
  }
  const after = await filesOf(lab.lake);
  const changed = [...before].filter(([key, sha256]) => after.get(key) !== sha256).map(([key]) => key);
  expect(changed.filter((key) => !/^_ledger\/(watermarks\/|(probe|lake)\.json$)/.test(key))).toEqual([]);
  // The lake's record is raised to this program's schemas, and keeps everything else.
  const record = async (lake: string) => JSON.parse(await readFile(join(lake, '_ledger/lake.json'), 'utf8'));
  const { schema_versions: versions, sha256: _, ...rest } = await record(lab.lake);
  const { schema_versions: earlier, sha256: __, ...same } = await record(fixture);
  expect(rest).toEqual(same);
  expect(versions).toEqual(
    schemaVersions([copyJobs, copyJobSummaries, exportCoverage, exportReconciliation]),
  );
  expect(versions).not.toEqual(earlier);
  const added = [...after.keys()].filter((key) => !before.has(key));
  expect(
    added.filter(
      (key) =>
        !/^(export_coverage|export_reconciliation|_ledger\/(row-digests|part-counts|runs|checkpoints|lake-state))\//.test(
          key,
        ),
    ),
  ).toEqual([]);

  // The chain of manifests goes on from the earlier program's.
  const manifest = join(lab.lake, `_ledger/runs/2026-11-21/${run.run_id}.json`);
  expect(JSON.parse(await readFile(manifest, 'utf8')).previous).toEqual([
    { key: last, sha256: before.get(String(last)) },
  ]);
  // So do the windows: from the first day on which the lake holds an open job.
  const rows = (await lab.table('export_coverage')).filter((row) => row.run_id === run.run_id);
  const windows = rows.filter((row) => row.table_name === 'copy_jobs').map((row) => row.window_from);
  expect(windows).toEqual([Date.UTC(2026, 10, 18), Date.UTC(2026, 10, 18)]);
});

it('a later night adds what is new, and keeps each job in the day where the earlier program put it', async () => {
  const before = await daysOfJobs();
  expect(before.size).toBeGreaterThan(30);
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms: -day }]);
  const moved = await lab.run({ since: 'all' });
  expect(moved).toMatchObject({ exit_code: 0, moved_jobs: before.size });
  expect(await daysOfJobs()).toEqual(before);

  lab.simulator.clearFaults();
  await lab.simulator.advance(day);
  const night = await lab.run();
  expect(night.exit_code).toBe(0);
  expect(night.tables.copy_jobs?.added).toBeGreaterThan(0);
  const after = await daysOfJobs();
  expect(after.size).toBeGreaterThan(before.size);
  for (const [id, first] of before) expect(after.get(id)).toBe(first);
  expect(await lab.differencesFromNow()).toEqual([]);
});

/** The day of each job's row, and when it was seen first. */
async function daysOfJobs(): Promise<ReadonlyMap<string, string>> {
  const rows = await lab.table('copy_jobs');
  return new Map(
    rows.map((row) => [String(row.copy_job_id), `${row.creation_date} ${row.first_observed_at}`] as const),
  );
}

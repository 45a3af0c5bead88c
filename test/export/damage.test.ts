import { copyFile, readdir, rm, stat, symlink, truncate, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('names a damaged part by its key, leaves it as it is, and publishes all others', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run({ until: '2026-11-20' });
  const key = 'copy_jobs/creation_date=2026-11-18/part-00000.parquet';
  await truncate(join(lab.lake, key), 500);
  const run = await lab.run({ since: 'all' });
  expect(run.exit_code).toBe(74);
  const told = run.failures.filter(({ status }) => status === 'PUBLISH_FAILED');
  expect(told.length).toBeGreaterThan(0);
  for (const { error } of told) expect(error).toContain(`The part ${key} in ${lab.lake} is damaged`);
  expect((await stat(join(lab.lake, key))).size).toBe(500);

  await rm(join(lab.lake, key));
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

it('brings back what an earlier version of a part lacks: with --since all at once, and otherwise in the run after the one that compared', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  // The first night sees the first half of a day, the second one its rest.
  await lab.run({ until: '2026-11-18T12:00:00Z' });
  const part = join(lab.lake, 'copy_jobs/creation_date=2026-11-18/part-00000.parquet');
  const earlier = join(lab.folder, 'earlier-version.parquet');
  await copyFile(part, earlier);
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
  for (const since of ['all', 'auto']) {
    await copyFile(earlier, part);
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([expect.stringMatching(/^copy_jobs: \d+ missing/)]);
    expect((await lab.run({ since })).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  }
});

it('tells what was published even when the ledger cannot be closed', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run({ tables: 'copy_job_summaries' });
  // Where the coverage's folder should be there is a file.
  await rm(join(lab.lake, 'export_coverage'), { recursive: true });
  await writeFile(join(lab.lake, 'export_coverage'), '');
  const run = await lab.run();
  expect(run.exit_code).toBe(74);
  expect(run.ledger_error).toContain('the run shows as unfinished');
  expect(run.ledger_error).toContain('export_coverage');
  expect((await lab.ledger('runs')).filter((name) => name.includes(run.run_id))).toEqual([
    expect.stringMatching(/\.begin\.json$/),
  ]);
  expect(run.tables.copy_jobs?.added).toBeGreaterThan(0);
  await rm(join(lab.lake, 'export_coverage'));
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

it('says that only the watermarks are missing when only they are', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run({ tables: 'copy_job_summaries' });
  const watermarks = join(lab.lake, '_ledger/watermarks');
  await rm(watermarks, { recursive: true, force: true });
  await writeFile(watermarks, '');
  const run = await lab.run();
  expect(run.exit_code).toBe(74);
  expect(run.ledger_error).toContain('The run is complete');
  expect((await lab.ledger('runs')).some((name) => name.endsWith(`${run.run_id}.json`))).toBe(true);
  expect((await lab.table('export_coverage')).some((row) => row.run_id === run.run_id)).toBe(true);
});

it('prints what was published when scratch fails while the ledger is closed', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  // Nothing is read until the disk is as it has to be.
  lab.simulator.addFaults([{ kind: 'throttle' }]);
  const running = lab.run();
  await lab.until(async () => (await lab.everyFile()).some((name) => name.endsWith('/staging')));
  const staging = (await lab.everyFile()).find((name) => name.endsWith('/staging'));
  await symlink('/dev/full', join(lab.folder, dirname(String(staging)), 'coverage.csv'));
  lab.simulator.clearFaults();
  const run = await running;
  expect(run.exit_code).toBe(74);
  expect(run.ledger_error).toContain('coverage.csv could not be written (ENOSPC)');
  expect(run.tables.copy_jobs?.added).toBeGreaterThan(0);
});

it('ends with an error where no folder can be made, rather than trying for ever', async () => {
  lab = await openLab({ accounts: 1, regions: 1 });
  await expect(lab.run({ lake: '/proc/no-such-lake', accounts: 'self' })).rejects.toMatchObject({
    exitCode: 74,
  });
  await expect(lab.run({ scratch: '/proc/no-such-scratch', accounts: 'self' })).rejects.toMatchObject({
    exitCode: 74,
  });
  expect(await readdir(lab.folder)).not.toContain('proc');
});

it('says which unit is not there', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const run = lab.plan({ 'organizational-units': 'ou-ab12-cd34ef56' });
  await expect(run).rejects.toThrow(/--organizational-units/);
});

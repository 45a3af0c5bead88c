/** What lies in a lake and is none of its own: told by every job, read by none. */
import { copyFile, mkdir, rename, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { openScratch } from '../../src/lake/scratch.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { openLakeReader } from '../../src/query/lake-reader.ts';
import { LinkError } from '../../src/shared/errors.ts';
import { ask } from '../query/program.ts';
import { type Lab, openLab } from '../support/lab.ts';

vi.setConfig({ testTimeout: 180_000 });

let lab: Lab;
afterEach(() => lab.close());

const day = 'copy_jobs/creation_date=2026-11-18';

it('export names foreign objects in the partitions that it touches, and foreign partitions, and ends well', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run();
  const part = join(lab.lake, day, 'part-00000.parquet');
  const foreign = [
    'copy_jobs/archive/',
    'copy_jobs/creation_date=2026-1-5/',
    `${day}/part-00000 (conflicted copy).parquet`,
    `${day}/part-00001.parquet`,
    `${day}/sub/part-00000.parquet`,
  ];
  for (const key of foreign) {
    const copy = join(lab.lake, key.endsWith('/') ? `${key}part-00000.parquet` : key);
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(part, copy);
  }
  await writeFile(join(lab.lake, day, '.DS_Store'), '');
  const before = await lab.parts();
  const run = await lab.run({ since: 'all' });
  expect(run.exit_code).toBe(0);
  expect([...run.foreign_objects].sort()).toEqual([...foreign, `${day}/.DS_Store`].sort());
  expect(await lab.parts()).toEqual(before);
  expect((await lab.plan()).foreign_objects).toEqual(foreign.slice(0, 2));

  const asked = await ask([
    '--lake',
    lab.lake,
    '--sql',
    'SELECT count(*), count(DISTINCT copy_job_id) FROM copy_jobs',
    '--format',
    'json',
  ]);
  const [counts = {}]: Record<string, unknown>[] = JSON.parse(asked.stdout);
  expect(new Set(Object.values(counts)).size).toBe(1);
  expect(asked.stderr).toMatch(/6 objects are not parts of this lake: .*Move these objects out of the lake/);
});

it.each([
  ['a day', day],
  ['a table', 'copy_jobs'],
  ['a period', 'copy_job_summaries/aggregation_period=ONE_DAY'],
  ['the ledger', '_ledger'],
])('%s that is a link is refused by every job, with one error', async (_, linked) => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run();
  const outside = join(lab.folder, 'outside');
  await rename(join(lab.lake, linked), outside);
  await symlink(outside, join(lab.lake, linked));
  const before = await lab.parts();
  const store = await openLocalStore({ folder: lab.lake, create: false });
  const scratch = await openScratch({ parent: lab.folder, runId: 'links', limitBytes: 1e9 });
  const jobs = [
    () => lab.run({ since: 'all' }),
    () => lab.plan(),
    () => openLakeReader({ store, folder: lab.lake, scratch, memoryLimitBytes: 2e8 }),
  ];
  try {
    for (const job of jobs) {
      const error: unknown = await job().catch((one: unknown) => one);
      expect(error).toBeInstanceOf(LinkError);
      expect(error).toMatchObject({ exitCode: 74 });
      expect(String(error)).toContain(
        `${join(lab.lake, linked)} in the lake ${lab.lake} is a link to a place outside it`,
      );
    }
  } finally {
    await scratch.remove();
    await store.close();
  }
  expect(await lab.parts()).toEqual(before);
});

it('a part that is a link is refused, and nothing goes through it', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run({ until: '2026-11-18T12:00:00Z' });
  const part = join(lab.lake, day, 'part-00000.parquet');
  const outside = join(lab.folder, 'outside.parquet');
  await rename(part, outside);
  await symlink(outside, part);
  const run = await lab.run({ since: 'all' });
  expect(run.exit_code).toBe(74);
  const told = run.failures.filter(({ status }) => status === 'PUBLISH_FAILED');
  expect(told.length).toBeGreaterThan(0);
  for (const { error } of told) expect(error).toContain(`${part} in the lake ${lab.lake} is a link`);
  const asked = await ask(['--lake', lab.lake, '--sql', 'SELECT count(*) FROM copy_jobs']);
  expect(asked.code).toBe(74);
  expect(asked.stderr).toContain('is a link to a place outside it');
});

it('the lake’s own folder may be a link, for export and query alike', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await mkdir(join(lab.folder, 'disk'));
  await symlink(join(lab.folder, 'disk'), lab.lake);
  expect((await lab.run()).exit_code).toBe(0);
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
  const asked = await ask(['--lake', lab.lake, '--sql', 'SELECT count(*) > 0 AS found FROM copy_jobs']);
  expect([asked.code, asked.stdout.trim().split('\n').at(-1)]).toEqual([0, 'true']);
});

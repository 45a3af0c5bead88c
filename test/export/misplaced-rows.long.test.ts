/** Parts that were swapped, moved or copied by hand: told as damaged, never merged, nothing doubled. */
import { copyFile, readFile, rename, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { ask } from '../query/program.ts';
import { type Lab, openLab } from '../support/lab.ts';

vi.setConfig({ testTimeout: 180_000 });

let lab: Lab;
afterEach(() => lab.close());

async function swap(one: string, two: string): Promise<void> {
  await rename(one, `${one}.tmp`);
  await rename(two, one);
  await rename(`${one}.tmp`, two);
}

const day = (date: string, bucket = 0) => `copy_jobs/creation_date=${date}/part-0000${bucket}.parquet`;
const count = (period: string, date: string) =>
  `copy_job_summaries/aggregation_period=${period}/start_date=${date}/part-00000.parquet`;

describe.each(['duckdb', 'parquetjs-lite'])('engine %s', (engine) => {
  it.each([
    ['two days', {}, day('2026-11-18'), day('2026-11-19')],
    ['two buckets', { buckets: '2' }, day('2026-11-18', 0), day('2026-11-18', 1)],
    ['two days of counts', {}, count('ONE_DAY', '2026-11-18'), count('ONE_DAY', '2026-11-19')],
    ['two tables', {}, day('2026-11-18'), count('ONE_DAY', '2026-11-18')],
  ])('swapped parts of %s are damaged, for export and query', async (_, flags, one, two) => {
    lab = await openLab({ accounts: 4, regions: 1 });
    expect((await lab.run(flags)).exit_code).toBe(0);
    await swap(join(lab.lake, one), join(lab.lake, two));
    const before = await lab.parts();
    const run = await lab.run({ since: 'all', engine });
    expect(run.exit_code).toBe(74);
    const errors = run.failures.filter(({ status }) => status === 'PUBLISH_FAILED').map(({ error }) => error);
    expect(errors.length).toBeGreaterThan(0);
    for (const error of errors)
      expect(error).toMatch(/The part .* is damaged: it (contains rows|was written)/);
    expect(await lab.parts()).toEqual(before);
    const table = one.split('/')[0];
    const asked = await ask(['--lake', lab.lake, '--sql', `SELECT count(*) FROM ${table}`]);
    expect(asked.code).toBe(74);
    expect(asked.stderr).toMatch(
      /The part .* is damaged: it (contains rows|was written).*Restore its earlier version/,
    );

    await swap(join(lab.lake, one), join(lab.lake, two));
    expect((await lab.run({ since: 'all', engine })).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  });
});

it('swapped parts of two periods of counts are damaged', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 10 });
  const flags = { tables: 'copy_job_summaries', 'aggregation-periods': 'ONE_DAY,SEVEN_DAYS' };
  expect((await lab.run(flags)).exit_code).toBe(0);
  const seven = [...(await lab.parts()).keys()].find((key) => key.includes('SEVEN_DAYS'));
  const date = /start_date=([\d-]+)/.exec(seven ?? '')?.[1] ?? '';
  await swap(join(lab.lake, count('ONE_DAY', date)), join(lab.lake, count('SEVEN_DAYS', date)));
  const before = await lab.parts();
  const run = await lab.run(flags);
  expect(run.exit_code).toBe(74);
  expect(await lab.parts()).toEqual(before);
});

it('a part copied to a day that had none is told by query, and the days beside it stay as they are', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await lab.run();
  const copy = join(lab.lake, day('2026-11-18').replace('2026-11-18', '2026-11-19'));
  await copyFile(join(lab.lake, day('2026-11-18')), copy);
  const asked = await ask(['--lake', lab.lake, '--sql', 'SELECT count(*) FROM copy_jobs']);
  expect(asked.code).toBe(74);
  expect(asked.stderr).toMatch(
    /creation_date=2026-11-18, but its key is for partition creation_date=2026-11-19/,
  );
});

it.each([
  ['with its seal', (text: string) => text],
  ['and its seal taken away', (text: string) => text.replace(/,\s*"sha256": "\w+"/, '')],
])(
  'a lake.json edited from one bucket to two, %s, ends export and query before anything is doubled',
  async (_, unsealed) => {
    lab = await openLab({ accounts: 6, regions: 1 });
    await lab.run();
    const file = join(lab.lake, '_ledger/lake.json');
    const whole = await readFile(file, 'utf8');
    await writeFile(file, unsealed(whole.replace('"buckets": 1', '"buckets": 2')));
    const before = await lab.parts();
    await expect(lab.run({ since: 'all' })).rejects.toThrow(
      /lake\.json in .* is damaged: it (was edited|says 2 buckets)/,
    );
    expect(await lab.parts()).toEqual(before);
    const asked = await ask(['--lake', lab.lake, '--sql', 'SELECT count(*) FROM copy_jobs']);
    expect([asked.code, asked.stdout]).toEqual([74, '']);
    await writeFile(file, whole);
    expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  },
);

import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { daysOf } from '../../src/catalog/lake-days.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';

const tables = [copyJobs, copyJobSummaries];
let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-lake-objects-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

async function lakeWith(...keys: readonly string[]) {
  for (const key of keys) {
    await mkdir(dirname(join(folder, key)), { recursive: true });
    await writeFile(join(folder, key), '');
  }
  return await openLocalStore({ folder, create: false });
}

describe('the first day of a lake', () => {
  it('is the earliest partition of any table, behind whatever other partition columns', async () => {
    const store = await lakeWith(
      'copy_jobs/creation_date=2026-11-03/part-00000.parquet',
      'copy_job_summaries/aggregation_period=ONE_DAY/start_date=2026-11-04/part-00000.parquet',
      'copy_job_summaries/aggregation_period=SEVEN_DAYS/start_date=2026-10-30/part-00000.parquet',
    );
    expect(await daysOf(store, tables)).toEqual({ first: '2026-10-30', foreign: [] });
  });

  it('is not taken from folders that are no partitions, and these are named', async () => {
    const store = await lakeWith(
      'copy_jobs/creation_date=2026-11-03/part-00000.parquet',
      'copy_jobs/creation_date=0000-99-99/part-00000.parquet',
      'copy_jobs/backup=2001-01-01/part-00000.parquet',
      '_ledger/runs/2001-01-01/x.json',
    );
    expect(await daysOf(store, tables)).toEqual({
      first: '2026-11-03',
      foreign: ['copy_jobs/backup=2001-01-01/', 'copy_jobs/creation_date=0000-99-99/'],
    });
  });

  it('is unknown for an empty lake', async () => {
    expect(await daysOf(await lakeWith(), tables)).toEqual({ first: null, foreign: [] });
  });
});

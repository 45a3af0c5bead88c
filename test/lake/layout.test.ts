import { describe, expect, it } from 'vitest';
import {
  beginKey,
  bucketOf,
  coverageKey,
  manifestKey,
  parseTableKey,
  partKey,
  rejectedKey,
  watermarksKey,
} from '../../src/lake/layout.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';

describe('the layout of a lake', () => {
  it('is the one that the design draws', () => {
    expect(partKey(copyJobs, { creation_date: '2026-11-20' }, 0)).toBe(
      'copy_jobs/creation_date=2026-11-20/part-00000.parquet',
    );
    expect(partKey(copyJobSummaries, { start_date: '2026-11-20', aggregation_period: 'ONE_DAY' }, 12)).toBe(
      'copy_job_summaries/aggregation_period=ONE_DAY/start_date=2026-11-20/part-00012.parquet',
    );
    expect(coverageKey('2026-11-21', 'run')).toBe('export_coverage/run_date=2026-11-21/run.parquet');
    expect(beginKey('2026-11-21', 'run')).toBe('_ledger/runs/2026-11-21/run.begin.json');
    expect(manifestKey('2026-11-21', 'run')).toBe('_ledger/runs/2026-11-21/run.json');
    expect(rejectedKey('2026-11-21', 'run')).toBe('_ledger/rejected/2026-11-21/run.ndjson');
    expect(watermarksKey(3)).toBe('_ledger/watermarks/00003.json');
  });

  it('puts an account where any other program that knows the rule would', () => {
    // From Python: int.from_bytes(hashlib.sha256(account.encode()).digest()[:4], 'big') % buckets
    expect(bucketOf('111122223333', 100_000)).toBe(9542);
    expect(bucketOf('000000000001', 100_000)).toBe(574);
    expect(bucketOf('111122223333', 1)).toBe(0);
  });

  it.each([
    {},
    { creation_date: '' },
    { creation_date: '../x' },
    { creation_date: 'a/b' },
    { creation_date: '2026-02-30' },
  ])('refuses a partition that is not one: %j', (partition) => {
    expect(() => partKey(copyJobs, partition as Record<string, string>, 0)).toThrow(TypeError);
  });
});

describe('a key below a table', () => {
  const run = '01a1fbd4-f500-7b2a-9c3d-4e5f60718293';

  it('is taken apart into the partition and the bucket that it was made of', () => {
    const period = { aggregation_period: 'SEVEN_DAYS', start_date: '2026-11-20' };
    const job = partKey(copyJobs, { creation_date: '2026-11-20' }, 11);
    const count = partKey(copyJobSummaries, period, 0);
    const coverage = coverageKey('2026-11-21', run);
    expect(parseTableKey(copyJobs, job, 12)).toEqual({
      key: job,
      partition: { creation_date: '2026-11-20' },
      day: '2026-11-20',
      bucket: 11,
      runId: null,
    });
    expect(parseTableKey(copyJobSummaries, count, 1)).toEqual({
      key: count,
      partition: period,
      day: '2026-11-20',
      bucket: 0,
      runId: null,
    });
    expect(parseTableKey(exportCoverage, coverage, 1)).toEqual({
      key: coverage,
      partition: { run_date: '2026-11-21' },
      day: '2026-11-21',
      bucket: null,
      runId: run,
    });
  });

  it.each([
    'copy_jobs/part-00000.parquet',
    'copy_jobs/README.md',
    'copy_jobs/creation_date=2026-11-20',
    'copy_jobs/creation_date=2026-11-20/.DS_Store',
    'copy_jobs/creation_date=2026-11-20/notes.txt',
    'copy_jobs/creation_date=2026-11-20/part-00000.parquet.tmp',
    'copy_jobs/creation_date=2026-11-20/part-00000 (conflicted copy).parquet',
    'copy_jobs/creation_date=2026-11-20/part-00000-backup.parquet',
    'copy_jobs/creation_date=2026-11-20/PART-00000.parquet',
    'copy_jobs/creation_date=2026-11-20/part-0.parquet',
    'copy_jobs/creation_date=2026-11-20/part-000000.parquet',
    'copy_jobs/creation_date=2026-11-20/part-00002.parquet',
    `copy_jobs/creation_date=2026-11-20/${run}.parquet`,
    'copy_jobs/creation_date=2026-11-20/more/part-00000.parquet',
    'copy_jobs/creation_date=2026-11-20/part-00000.parquet/part-00000.parquet',
    'copy_jobs/creation_date=2026-11-20//part-00000.parquet',
    'copy_jobs/creation_date=2026-02-30/part-00000.parquet',
    'copy_jobs/creation_date=2026-1-5/part-00000.parquet',
    'copy_jobs/creation_date=20261120/part-00000.parquet',
    'copy_jobs/creation_date=2026-11-20 /part-00000.parquet',
    'copy_jobs/creation_date%3D2026-11-20/part-00000.parquet',
    'copy_jobs/CREATION_DATE=2026-11-20/part-00000.parquet',
    'copy_jobs/created=2026-11-20/part-00000.parquet',
    'copy_jobs/creation_date=__HIVE_DEFAULT_PARTITION__/part-00000.parquet',
    'copy_jobs.bak/creation_date=2026-11-20/part-00000.parquet',
  ])('%s is none that a lake of two buckets has', (key) => {
    expect(parseTableKey(copyJobs, key, 2)).toBeNull();
  });

  it.each([
    [
      copyJobSummaries,
      'copy_job_summaries/aggregation_period=one_day/start_date=2026-11-20/part-00000.parquet',
    ],
    [
      copyJobSummaries,
      'copy_job_summaries/aggregation_period=MONTH/start_date=2026-11-20/part-00000.parquet',
    ],
    [
      copyJobSummaries,
      'copy_job_summaries/start_date=2026-11-20/aggregation_period=ONE_DAY/part-00000.parquet',
    ],
    [exportCoverage, 'export_coverage/run_date=2026-11-21/part-00000.parquet'],
    [exportCoverage, `export_coverage/run_date=2026-11-21/${run.toUpperCase()}.parquet`],
    [exportCoverage, `export_coverage/run_date=2026-11-21/${run} copy.parquet`],
    [exportCoverage, `export_coverage/run_date=2026-11-22/${run}.parquet`],
    [exportCoverage, 'export_coverage/run_date=2026-11-21/0b7d3c3e-6f5b-4c57-9c3d-4e5f60718293.parquet'],
  ])('of $0.name, $1 is none', (table, key) => {
    expect(parseTableKey(table, key, 2)).toBeNull();
  });
});

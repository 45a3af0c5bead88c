import { describe, expect, it } from 'vitest';
import {
  beginKey,
  bucketOf,
  coverageKey,
  manifestKey,
  partKey,
  rejectedKey,
  watermarksKey,
} from '../../src/lake/layout.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';

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

  it.each([{}, { creation_date: '' }, { creation_date: '../x' }, { creation_date: 'a/b' }])(
    'refuses a partition that is not one: %j',
    (partition) => {
      expect(() => partKey(copyJobs, partition as Record<string, string>, 0)).toThrow(TypeError);
    },
  );
});

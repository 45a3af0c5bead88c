import { describe, expect, test } from 'vitest';
import { renderPlanSummary } from '../../src/telemetry/plan-summary-text.ts';
import type { PlannedTarget, PlanSummary, RunSize } from '../../src/telemetry/run-summary.ts';

const fine: PlannedTarget = {
  account_id: '111122223333',
  account_name: null,
  region: 'us-east-1',
  table: 'copy_jobs',
  status: 'OK',
  error: null,
  needs_person: false,
  read_through: null,
  first_loss_at: null,
  window_from: '2026-11-19T02:00:00.000Z',
  window_to: '2026-11-20T02:00:00Z',
  ended_since: null,
  expected_requests: 1,
};

const large: RunSize = {
  jobs: 40_000_000,
  counts: 8_000,
  parts: 1_030,
  parquet_bytes: 5e9,
  largest_part_bytes: 4.9e6,
  minutes: 61,
  cpu_minutes: 61,
  memory_bytes: 2.4e9,
  s3_reads: 4_000,
  s3_writes: 4_000,
  suggested_shards: 6,
  suggested_buckets: 1_024,
  us_dollars: { s3_requests: 0.0216, s3_storage_per_month: 0.115, athena_question: 0.004 },
};
const nothing: RunSize = { ...large, jobs: 0, counts: 0 };

const summary: PlanSummary = {
  lake: '/data/lake',
  lake_exists: false,
  foreign_objects: [],
  as_of: '2026-11-20T02:00:00Z',
  targets: 2,
  readable: 1,
  expected_requests: 1234,
  expected_minutes: 2.4,
  size: nothing,
  plan: [],
  exit_code: 77,
};

const noRole = {
  status: 'ASSUME_ROLE_FAILED',
  error: 'AccessDenied: not allowed to assume',
  needs_person: true,
  expected_requests: 0,
} as const;

/** Both tables of every account in every region. */
function estate(
  accounts: number,
  regions: number,
  change: (account: number, region: number) => Partial<PlannedTarget> = () => ({}),
): PlannedTarget[] {
  return Array.from({ length: accounts * regions * 2 }, (_, i) => {
    const [account, region] = [Math.floor(i / regions / 2), Math.floor(i / 2) % regions];
    const place = { account_id: String(111122220000 + account), region: `eu-west-${region}` };
    if (i % 2 === 0) return { ...fine, ...place, ...change(account, region) };
    return {
      ...fine,
      ...place,
      table: 'copy_job_summaries',
      window_from: null,
      window_to: null,
      ...change(account, region),
    } as const;
  });
}

describe('the summary of a plan', () => {
  test('says that nothing was written, who can be read, and what it would cost', () => {
    const text = renderPlanSummary(summary, 120);
    expect(text).toContain('Nothing was written');
    expect(text).toContain('2 targets, 1 readable; export would take about 1,234 requests and 2 minutes');
  });

  test('shows first who cannot be read, why and what to do; then the rest in a line, however many they are', () => {
    const plan = estate(500, 10, (account) => (account < 4 ? noRole : {}));
    const text = renderPlanSummary({ ...summary, plan, targets: 5000, readable: 4960 }, 100);
    expect(text.replace(/\s+/g, ' ')).toContain(
      '80 tables of 40 targets would not be read: ASSUME_ROLE_FAILED in 4 accounts: 111122220000, 111122220001, 111122220002, 111122220003 in eu-west-0 (copy_job_summaries, copy_jobs), ',
    );
    expect(text).toMatch(
      / more\n +(?:for example: )?AccessDenied: not allowed to assume\n +→ Create the role/,
    );
    expect(text).toContain(
      '\n496 accounts × 10 regions: fine, jobs created since 2026-11-19 02:00 UTC, 9,920 requests\n',
    );
    expect(text.indexOf('would not be read')).toBeLessThan(text.indexOf(': fine'));
    expect(text.trimEnd().split('\n').length).toBeLessThan(20);
    expect(text.trimEnd().split('\n').at(-1)).toBe('40 targets need a person: 40 ASSUME_ROLE_FAILED.');
  });

  test('says when the first of what it cannot read is lost', () => {
    const unread = { ...noRole, read_through: '2026-11-10T02:00:00.000Z' };
    const plan = estate(2, 1, (account) => ({
      ...unread,
      first_loss_at: `2026-11-2${account + 4}T02:00:00.000Z`,
    }));
    const text = renderPlanSummary({ ...summary, plan }, 400);
    expect(text).toContain('\nThe first loss is on 2026-11-24T02:00:00.000Z (in ');
    expect(text).toMatch(/The first loss is on .*: copy_job(s|_summaries) of 111122220000 in eu-west-0\.\n/);
  });

  test('what needs a person comes before what time heals', () => {
    const throttled = { status: 'THROTTLED', error: 'ThrottlingException: Rate exceeded' } as const;
    const plan = estate(3, 1, (account) => (account === 2 ? noRole : throttled));
    const text = renderPlanSummary({ ...summary, plan }, 100);
    expect(text.indexOf('ASSUME_ROLE_FAILED in')).toBeLessThan(text.indexOf('THROTTLED in'));
  });

  test('an account that is not fine everywhere has a line of its own for where it is', () => {
    const plan = estate(3, 2, (account, region) => (account === 0 && region === 1 ? noRole : {}));
    const text = renderPlanSummary({ ...summary, plan }, 100);
    expect(text).toContain('\n111122220001, 111122220002 × eu-west-0, eu-west-1: fine, ');
    expect(text).toContain('\n111122220000 × eu-west-0: fine, ');
  });

  test('names accounts where they are few, and nothing in their names is obeyed by a terminal', () => {
    const text = renderPlanSummary({ ...summary, plan: [{ ...fine, account_name: 'prod \u001b[31m' }] }, 100);
    expect(text).toMatch(
      /\n111122223333 prod .*× us-east-1: fine, jobs created since 2026-11-19 02:00 UTC, 1 request\n/,
    );
    expect(text).not.toContain('\u001b');
  });

  test('says from when on jobs would be read, and where it would be everything', () => {
    const from = (window_from: string | null) => (account: number) => ({
      window_from: account === 0 ? window_from : fine.window_from,
    });
    const line = (plan: PlannedTarget[]) =>
      renderPlanSummary({ ...summary, plan }, 200)
        .split('\n')
        .find((one) => one.includes('fine'));
    expect(line(estate(3, 1, from('2026-11-01T00:00:00Z')))).toContain(
      'jobs created since 2026-11-01 00:00 to 2026-11-19 02:00 UTC, depending on the target',
    );
    expect(line(estate(3, 1, from(null)))).toContain(
      'jobs created since 2026-11-19 02:00 UTC, everything AWS still has in 1 target, 6 requests',
    );
    expect(line(estate(1, 1, from(null)))).toContain('fine, everything AWS still has, 2 requests');
    expect(line([{ ...fine, table: 'copy_job_summaries', window_to: null, window_from: null }])).toMatch(
      /fine, 1 request$/,
    );
  });

  test('hundreds of accounts that differ in their regions are no hundreds of lines', () => {
    const plan = estate(300, 9, (account, region) => ((account >> region) % 2 === 0 ? noRole : {}));
    const text = renderPlanSummary({ ...summary, plan }, 100);
    expect(text.match(/: fine/g)?.length).toBe(11);
    expect(text).toMatch(/\n[\d,]+ more targets: fine \(--output json has all\)\.\n/);
  });

  test.each([30, 80, 120])('fits a terminal of %d columns', (columns) => {
    const plan = estate(20, 8, (account) => (account < 2 ? noRole : {}));
    const lines = renderPlanSummary({ ...summary, plan }, columns).split('\n');
    const broken = lines.filter((line) => line.length > columns && line.trim().includes(' '));
    expect(broken).toEqual([]);
  });
});

test('says how large the run is, and how many shards it needs', () => {
  const text = renderPlanSummary({ ...summary, size: large }, 400);
  expect(text).toContain(
    'Estimated: 40,000,000 copy jobs, which take 5.0 GB, in up to 1,030 files; 61 minutes of one core, 2.4 GB of memory, ' +
      '$0.02 for S3 requests and $0.12 for a month’s storage; share it among 6 shards and 1,024 buckets (docs/scale.md).',
  );
  const small = { ...large, suggested_shards: 1, suggested_buckets: 1 };
  expect(renderPlanSummary({ ...summary, size: small }, 400)).toContain('; one container is enough.');
});

test('says nothing about the size if there is nothing to read', () => {
  expect(renderPlanSummary({ ...summary, size: nothing }, 400)).not.toContain('Estimated');
});

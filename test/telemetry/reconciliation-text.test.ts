import { expect, it } from 'vitest';
import { renderReconciliation } from '../../src/telemetry/reconciliation-text.ts';
import type { ReconciliationSummary } from '../../src/telemetry/run-summary.ts';

const agreeing: ReconciliationSummary = {
  days: 13,
  compared: 52,
  differing: 0,
  aws_jobs: 1200,
  lake_jobs: 1200,
  missing_jobs: 0,
  surplus_jobs: 0,
  read_again: 0,
  difference: 0,
  not_comparable: 0,
  unreadable_days: [],
};

const text = (change: Partial<ReconciliationSummary>) =>
  renderReconciliation({ ...agreeing, ...change }, 10_000).trim();

it('says nothing where nothing was compared', () => {
  expect(renderReconciliation(null, 80)).toBe('');
  expect(text({ compared: 0 })).toBe('');
});

it('says that the counts agree, and on how much', () => {
  expect(text({})).toBe('AWS’s own counts agree with the lake: 1,200 copy jobs on 13 days.');
});

const missing = { differing: 2, lake_jobs: 1197, missing_jobs: 3, difference: 0.0025 };

it('says what is missing, where to find it, and how much the next run reads again', () => {
  expect(text({ ...missing, read_again: 2 })).toBe(
    'AWS’s own counts differ from the lake by 0.25%: 3 of 1,200 jobs are missing in the lake, and 0 of its rows are not counted by AWS. 2 of 52 accounts, regions and days differ. query record-against-aws lists them. Of those with missing jobs, the next run with --since auto reads 2 again.',
  );
});

it('says what to do where the next run does not read again, and nothing where that is not known', () => {
  expect(text({ ...missing, read_again: 0 })).toMatch(
    /lists them\. The next run does not ask .* run export --since all\.$/,
  );
  expect(text({ ...missing, read_again: null })).toMatch(/lists them\.$/);
});

it('promises no second read where only the lake has more', () => {
  const found = text({ differing: 1, lake_jobs: 1201, surplus_jobs: 1, difference: 0.00001 });
  expect(found).toContain('by less than 0.01%');
  expect(found).not.toContain('next run');
});

it('names what could not be compared', () => {
  expect(text({ not_comparable: 1500 })).toContain('1,500 of AWS’s daily counts could not be compared');
  expect(text({ unreadable_days: ['2026-11-02'] })).toContain('Parts of 1 day could not be read');
});

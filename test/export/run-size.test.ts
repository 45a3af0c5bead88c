import { expect, onTestFinished, test } from 'vitest';
import { runSize } from '../../src/export/run-size.ts';
import { openLab } from '../support/lab.ts';

const one = { accounts: 1, waitingMinutes: 0.1, memoryDays: 30, buckets: 1, shards: 1 };

test('what plan expects is what export then does', { timeout: 60_000 }, async () => {
  const lab = await openLab({ accounts: 4, regions: 2, jobsPerDay: 12, days: 30 });
  onTestFinished(() => lab.close());
  const { size } = await lab.plan();
  const { tables } = await lab.run();
  const { copy_jobs: jobs, copy_job_summaries: counts } = tables;
  const rows = jobs?.added ?? 0;
  expect(rows).toBeGreaterThan(1000);
  expect(size.jobs).toBe(rows);
  expect(size.counts).toBe(counts?.added);
  const written = (jobs?.parts_written ?? 0) + (counts?.parts_written ?? 0);
  expect(size.parts).toBeGreaterThanOrEqual(written);
  expect(size.parts).toBeLessThanOrEqual(written + 3);
  expect(size.suggested_shards).toBe(1);
});

test('a look at earlier jobs counts as a request, not as a page of new jobs', {
  timeout: 60_000,
}, async () => {
  const lab = await openLab({ accounts: 4, regions: 2, jobsPerDay: 12, days: 10 });
  onTestFinished(() => lab.close());
  await lab.run();
  await lab.simulator.advance(86_400_000);
  const { size, plan } = await lab.plan();
  expect(plan.filter(({ ended_since: since }) => since !== null).length).toBeGreaterThan(0);
  const { tables } = await lab.run();
  expect(size.jobs).toBeGreaterThan((tables.copy_jobs?.added ?? 0) / 2);
  expect(size.jobs).toBeLessThan((tables.copy_jobs?.added ?? 0) * 2);
});

test('a list of several pages counts what the first leaves, not whole pages', {
  timeout: 60_000,
}, async () => {
  const lab = await openLab({ accounts: 3, regions: 1, jobsPerDay: 60, days: 30 });
  onTestFinished(() => lab.close());
  const { size, plan } = await lab.plan();
  expect(plan.filter(({ expected_requests: requests }) => requests > 1).length).toBeGreaterThan(1);
  const { tables } = await lab.run();
  expect(size.jobs / (tables.copy_jobs?.added ?? 0)).toBeGreaterThan(0.8);
  expect(size.jobs / (tables.copy_jobs?.added ?? 0)).toBeLessThan(1.2);
});

test('the days of a long list share its jobs', () => {
  const size = runSize([{ table: 'copy_jobs', requests: 30, records: 30_000, windowDays: 10 }], one);
  expect(size.jobs).toBe(30_000);
  expect(size.parts).toBe(11);
  expect(size.largest_part_bytes).toBe((3000 * size.parquet_bytes) / 30_000);
});

test('a larger organization gets more shards, buckets, memory and cost', () => {
  const organization = (targets: number) =>
    runSize(
      Array.from({ length: targets }, () => ({
        table: 'copy_jobs' as const,
        requests: 1,
        records: 1000,
        windowDays: 1,
      })),
      { ...one, accounts: targets },
    );
  const [small, large] = [organization(10), organization(10_000)];
  expect(small).toMatchObject({ suggested_shards: 1, suggested_buckets: 1 });
  expect(large.jobs).toBe(10_000_000);
  expect(large.suggested_shards).toBeGreaterThan(5);
  expect(large.suggested_buckets).toBeGreaterThan(100);
  expect(large.memory_bytes).toBeGreaterThan(small.memory_bytes * 5);
  expect(large.us_dollars.s3_storage_per_month).toBeGreaterThan(small.us_dollars.s3_storage_per_month * 500);
});

test('shards of a night share its buckets, and what they suggest is for the whole night', () => {
  const drains = [{ table: 'copy_jobs' as const, requests: 1, records: 900, windowDays: 1 }];
  const size = runSize(drains, { ...one, buckets: 8, shards: 8 });
  expect(size.parts).toBe(2);
  expect(size.suggested_shards).toBe(8);
  expect(size.suggested_buckets).toBe(8);
});

test('nothing to read costs next to nothing', () => {
  expect(runSize([], one)).toMatchObject({
    jobs: 0,
    counts: 0,
    parts: 0,
    parquet_bytes: 0,
    suggested_shards: 1,
  });
});

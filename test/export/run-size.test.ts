import { expect, onTestFinished, test } from 'vitest';
import { runSize } from '../../src/export/run-size.ts';
import { openLab } from '../support/lab.ts';

const one = {
  accounts: 1,
  waiting: { all: 0.1, longest: 0.1 },
  periods: ['ONE_DAY' as const],
  memoryDays: 30,
  buckets: 1,
  shards: 1,
};

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
  const lab = await openLab({ accounts: 4, regions: 2, jobsPerDay: 40, days: 10 });
  onTestFinished(() => lab.close());
  await lab.run();
  await lab.simulator.advance(86_400_000);
  const { size, plan } = await lab.plan({ tables: 'copy_jobs' });
  const looked = plan.filter(({ ended_since: since }) => since !== null);
  expect(looked.length).toBeGreaterThan(0);
  for (const { expected_requests: requests } of looked) expect(requests).toBe(2);
  const { tables } = await lab.run({ tables: 'copy_jobs' });
  // Jobs of earlier days have ended, so their files change too.
  const written = tables.copy_jobs?.parts_written ?? 0;
  expect(written).toBeGreaterThan(3);
  expect(size.parts).toBeGreaterThanOrEqual(written);
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
  const size = runSize(
    [{ table: 'copy_jobs', requests: 30, records: 30_000, windowDays: 10, earlierDays: [] }],
    one,
  );
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
        earlierDays: [],
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

test('a shard has its share of the buckets, and its plan suggests the same as that of the whole night', () => {
  const drain = { table: 'copy_jobs' as const, requests: 1, records: 1000, windowDays: 1, earlierDays: [] };
  const night = (targets: number, shards: number) =>
    runSize(
      Array.from({ length: targets }, () => drain),
      {
        ...one,
        accounts: targets,
        buckets: 1000,
        shards,
        waiting: { all: (targets / 5000) * 90, longest: 1 },
      },
    );
  const all = night(50_000, 1);
  expect(all.suggested_shards).toBeGreaterThan(10);
  for (const shards of [10, 1000]) {
    const { suggested_shards: suggested, suggested_buckets: buckets, parts } = night(50_000 / shards, shards);
    expect(suggested).toBe(all.suggested_shards);
    expect(buckets).toBe(all.suggested_buckets);
    expect(parts).toBe((2 * 1000) / shards);
  }
});

test('more shards are no help to one slow target', () => {
  const size = runSize([], { ...one, waiting: { all: 5, longest: 300 } });
  expect(size).toMatchObject({ minutes: 300, suggested_shards: 1 });
});

test('days of earlier jobs that may have ended, and further periods of counts, have parts of their own', () => {
  const list = { table: 'copy_jobs' as const, requests: 2, records: 100, windowDays: 1 };
  const counts = {
    table: 'copy_job_summaries' as const,
    requests: 3,
    records: 500,
    windowDays: 0,
    earlierDays: [],
  };
  const [first, second] = [
    { ...list, earlierDays: ['2026-11-01', '2026-11-03'] },
    { ...list, earlierDays: ['2026-11-03'] },
  ];
  expect(runSize([first, second, counts], { ...one, buckets: 2 }).parts).toBe(2 * (2 + 2 + 14));
  const periods = ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'] as const;
  expect(runSize([first, second, counts], { ...one, buckets: 2, periods }).parts).toBe(2 * (2 + 2 + 16));
});

test('millions of jobs of one day take more memory than the same of a month', () => {
  const list = { table: 'copy_jobs' as const, requests: 1, records: 20_000_000, earlierDays: [] };
  const { memory_bytes: bytes } = runSize([{ ...list, windowDays: 1 }], { ...one, memoryDays: 1 });
  expect(bytes).toBeGreaterThan(1.65e9);
  expect(runSize([{ ...list, windowDays: 30 }], one).memory_bytes).toBeLessThan(bytes);
});

test('plan asks for every period of counts, and says how long the rate of one target takes', async () => {
  const lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 10, days: 20 });
  onTestFinished(() => lab.close());
  const flags = { 'aggregation-periods': 'ONE_DAY,SEVEN_DAYS,FOURTEEN_DAYS', 'requests-per-second': '1' };
  const { size, expected_minutes: minutes } = await lab.plan(flags);
  // Four requests for each target, one every second.
  expect(minutes).toBeGreaterThanOrEqual(4 / 60);
  const { tables } = await lab.run({ 'aggregation-periods': flags['aggregation-periods'] });
  expect(size.counts).toBe(tables.copy_job_summaries?.added);
});

test('a shard without accounts has nothing to read, which is no failure', async () => {
  const lab = await openLab({ accounts: 1, regions: 1, days: 2 });
  onTestFinished(() => lab.close());
  const plans = [];
  for (const shard of ['0/5', '1/5', '2/5', '3/5', '4/5'])
    plans.push(await lab.plan({ shard, buckets: '5' }));
  expect(plans.map(({ exit_code: code }) => code)).toEqual([0, 0, 0, 0, 0]);
  expect(plans.filter(({ targets }) => targets > 0)).toHaveLength(1);
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

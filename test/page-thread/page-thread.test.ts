import { afterEach, expect, it } from 'vitest';
import { CompactTimeMap } from '../../src/lake/compact-time-map.ts';
import { JobLines, type JobLinesOptions } from '../../src/lake/job-lines.ts';
import { PageThread } from '../../src/page-thread/page-thread.ts';
import { dayMs } from '../../src/shared/time.ts';
import { ScannedJobs } from '../../src/tables/scanned-jobs.ts';
import type { Observation } from '../../src/tables/table.ts';
import { bytesOf } from '../support/job-texts.ts';
import { openLab } from '../support/lab.ts';
import { stagedRows, undated } from '../support/staged-rows.ts';
import { readTruth } from '../support/truth.ts';

const seen: Observation = {
  accountId: '111122223333',
  region: 'us-east-1',
  observedAt: Date.UTC(2026, 10, 20, 2),
  runId: 'run-1',
};
const created = Date.UTC(2026, 10, 19);

let thread: PageThread;
afterEach(() => thread.close());

const pageOf = (records: readonly unknown[]) =>
  bytesOf(JSON.stringify({ CopyJobs: records, NextToken: 'next' }));

const jobs = (count: number) =>
  Array.from({ length: count }, (_, n) => ({
    CopyJobId: `job-${n}`,
    CreationDate: created / 1000 + n,
    State: n % 10 === 0 ? 'RUNNING' : 'COMPLETED',
    ...(n % 100 === 7 ? { Brand: 'new' } : {}),
    ...(n % 100 === 8 ? { BackupSizeInBytes: 2 ** 53 } : {}),
  }));

async function recordsOf(bytes: Buffer) {
  const { list } = await thread.scan(bytes);
  if (list === null) throw new TypeError('the page was not scanned');
  return list.records;
}

it('starts after so many records, and takes none before', async () => {
  thread = new PageThread(20, 0);
  for (const count of [10, 10]) {
    const bytes = pageOf(jobs(count));
    expect((await thread.scan(bytes)).bytes).toBe(bytes);
  }
  const bytes = pageOf(jobs(10));
  const scanned = await thread.scan(bytes);
  expect([bytes.length, scanned.bytes.toString()]).toEqual([0, pageOf(jobs(10)).toString()]);
  expect(scanned.list?.nextToken).toBe('next');
});

it('gives back the bytes of what is no list of jobs', async () => {
  thread = new PageThread(0, 0);
  const bytes = bytesOf('<html>');
  const { bytes: back, list } = await thread.scan(bytes);
  expect([back.toString(), list]).toEqual(['<html>', null]);
});

it('leaves bytes alone that share their memory', async () => {
  thread = new PageThread(0, 0);
  const all = pageOf(jobs(2));
  const page = Buffer.from(all.buffer, 0, all.length - 1);
  expect((await thread.scan(page)).bytes).toBe(page);
});

it('lends a page while it writes its lines, and gives it back', async () => {
  thread = new PageThread(0, 0);
  const records = await recordsOf(pageOf(jobs(200)));
  const writing = thread.lines(records, seen, 2);
  expect(() => records.at(0)?.field('CopyJobId')).toThrow(/are lent/);
  const done = await writing;
  expect(records.map((record) => record.field('CopyJobId'))).toEqual(
    jobs(200).map(({ CopyJobId: id }) => id),
  );
  expect(done?.lines.odd).toEqual([7, 8, 107, 108]);
  expect(done?.lines.open.length).toBe(20);
});

/** The dates of one run, as CreationDates keeps them, once their bucket is loaded. */
function datesOf(known: CompactTimeMap): JobLinesOptions['creationDates'] {
  const loaded = new Set<number>();
  const sameDay = (a: number, b: number) => Math.floor(a / dayMs) === Math.floor(b / dayMs);
  const first = (key: Parameters<CompactTimeMap['get']>[0], date: number) => {
    const before = known.get(key) ?? date;
    return sameDay(before, date) ? date : before;
  };
  return {
    firstDate: (bucket, id, date) => (loaded.has(bucket) ? first(id, date) : null),
    isFirstDate: (bucket, key, date) => (loaded.has(bucket) ? first(key, date) === date : null),
    load: async (bucket) => void loaded.add(bucket),
  };
}

it.each([0, 1])(
  'a page with %i jobs that were first seen on another day has the same lines as without it',
  async (moved) => {
    thread = new PageThread(0, 0);
    const known = new CompactTimeMap();
    if (moved === 1) known.set('job-5', created - 3 * dayMs);
    const rowsWith = async (elsewhere: Partial<JobLinesOptions>) => {
      const lines = new JobLines({ buckets: 2, creationDates: datesOf(known), ...elsewhere });
      const page = await lines.encode(await recordsOf(pageOf(jobs(50))), seen);
      expect(page.parts.map(({ partition }) => partition.creation_date)).toHaveLength(1 + moved);
      return stagedRows(page.parts);
    };
    expect(await rowsWith({ elsewhere: thread })).toEqual(await rowsWith({}));
  },
);

it('says so if it cannot write a page, and writes the next one', async () => {
  thread = new PageThread(0, 0);
  const records = await recordsOf(
    pageOf([{ CopyJobId: 'job', CreationDate: created / 1000, State: 'FAILED' }]),
  );
  if (!(records instanceof ScannedJobs)) throw new TypeError('the page was not scanned');
  // The end of the state, the last value.
  records.page.values[records.page.values.length - 1] = 1_000_000;
  await expect(thread.lines(records, seen, 1)).rejects.toThrow(RangeError);
  const lines = new JobLines({ buckets: 1, creationDates: undated, elsewhere: thread });
  const page = await lines.encode(await recordsOf(pageOf(jobs(5))), seen);
  expect([page.rows, page.odd.length]).toEqual([5, 0]);
});

it('a run that is large enough for it ends at the truth', { timeout: 120_000 }, async () => {
  thread = new PageThread(0, 0);
  const lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 5_000 });
  try {
    await lab.run();
    const truth = await readTruth(lab.truthFile);
    expect(truth.copy_jobs.size).toBeGreaterThan(25_000);
    const rows = new Map((await lab.table('copy_jobs')).map((row) => [String(row.copy_job_id), row]));
    expect([...rows.keys()].sort()).toEqual([...truth.copy_jobs.keys()].sort());
    for (const [id, expected] of truth.copy_jobs) expect(rows.get(id)).toMatchObject(expected);
  } finally {
    await lab.close();
  }
});

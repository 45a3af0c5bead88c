import { availableParallelism } from 'node:os';
import workerThreads, { Worker } from 'node:worker_threads';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { CompactTimeMap } from '../../src/lake/compact-time-map.ts';
import { JobLines, type JobLinesOptions } from '../../src/lake/job-lines.ts';
import { PageThread } from '../../src/page-thread/page-thread.ts';
import { PageLost } from '../../src/shared/page-lost.ts';
import { dayMs } from '../../src/shared/time.ts';
import { ScannedJobs } from '../../src/tables/scanned-jobs.ts';
import type { Observation } from '../../src/tables/table.ts';
import { bytesOf } from '../support/job-texts.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { stagedRows, undated } from '../support/staged-rows.ts';
import { readTruth } from '../support/truth.ts';

const seen: Observation = {
  accountId: '111122223333',
  region: 'us-east-1',
  observedAt: Date.UTC(2026, 10, 20, 2),
  runId: 'run-1',
};
const created = Date.UTC(2026, 10, 19);

const warned: unknown[] = [];
const log = { debug: () => undefined, warn: (...words: unknown[]) => void warned.push(words) };
const open = (from = 0) => new PageThread({ from, smallest: 0, log });

let thread = open();
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
  thread = open(20);
  for (const count of [10, 10]) {
    const bytes = pageOf(jobs(count));
    expect((await thread.scan(bytes)).bytes).toBe(bytes);
  }
  const bytes = pageOf(jobs(10));
  const scanned = await thread.scan(bytes);
  expect([bytes.length, scanned.bytes.toString()]).toEqual([0, pageOf(jobs(10)).toString()]);
  expect(scanned.list?.nextToken).toBe('next');
});

it('counts only records of pages that it would take', async () => {
  const [few, many] = [2, 50];
  thread = new PageThread({ from: 1, smallest: pageOf(jobs(many)).length, log });
  const scanned = async (count: number) => {
    const bytes = pageOf(jobs(count));
    return (await thread.scan(bytes)).bytes === bytes ? 'here' : 'in the thread';
  };
  expect([await scanned(few), await scanned(many), await scanned(few), await scanned(many)]).toEqual([
    'here',
    'here',
    'here',
    'in the thread',
  ]);
});

it('gives back the bytes of what is no list of jobs', async () => {
  thread = open();
  const bytes = bytesOf('<html>');
  const { bytes: back, list } = await thread.scan(bytes);
  expect([back.toString(), list]).toEqual(['<html>', null]);
});

it('leaves bytes alone that share their memory', async () => {
  thread = open();
  const all = pageOf(jobs(2));
  const page = Buffer.from(all.buffer, 0, all.length - 1);
  expect((await thread.scan(page)).bytes).toBe(page);
});

it('lends a page while it writes its lines, and gives it back', async () => {
  thread = open();
  const records = await recordsOf(pageOf(jobs(200)));
  const writing = thread.lines(records, seen, 2);
  // It goes there in a later microtask, and no answer comes before the next turn.
  for (let turn = 0; turn < 20; turn += 1) await Promise.resolve();
  expect(() => records.at(0)?.field('CopyJobId')).toThrow(/in another thread/);
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
    thread = open();
    const known = new CompactTimeMap();
    if (moved === 1) known.set('job-5', created - 3 * dayMs);
    const rowsWith = async (other: Partial<JobLinesOptions>) => {
      const lines = new JobLines({ buckets: 2, creationDates: datesOf(known), ...other });
      const page = await lines.encode(await recordsOf(pageOf(jobs(50))), seen);
      expect(page.parts.map(({ partition }) => partition.creation_date)).toHaveLength(1 + moved);
      return stagedRows(page.parts);
    };
    expect(await rowsWith({ thread })).toEqual(await rowsWith({}));
  },
);

it('says so if it cannot write a page, and writes the next one', async () => {
  thread = open();
  const records = await recordsOf(
    pageOf([{ CopyJobId: 'job', CreationDate: created / 1000, State: 'FAILED' }]),
  );
  if (!(records instanceof ScannedJobs)) throw new TypeError('the page was not scanned');
  // The end of the state, the last value.
  records.page.values[records.page.values.length - 1] = 1_000_000;
  await expect(thread.lines(records, seen, 1)).rejects.toThrow(PageLost);
  expect(warned.splice(0)).toHaveLength(1);
  const bytes = pageOf(jobs(5));
  const { bytes: same, list } = await thread.scan(bytes);
  expect(same).toBe(bytes);
  const lines = new JobLines({ buckets: 1, creationDates: undated, thread });
  expect((await lines.encode(list?.records ?? [], seen)).rows).toBe(5);
});

describe('a thread of the operating system', () => {
  const refused = (): never => {
    throw new Error('no more threads');
  };
  afterEach(() => vi.restoreAllMocks());

  it('that cannot start leaves all work to this one, and says so once', async () => {
    class None extends Worker {
      constructor(file: string | URL) {
        super(file, refused());
      }
    }
    vi.spyOn(workerThreads, 'Worker').mockImplementation(None);
    thread = open();
    for (const count of [5, 6]) {
      const bytes = pageOf(jobs(count));
      const { bytes: same, list } = await thread.scan(bytes);
      expect(same).toBe(bytes);
      const lines = new JobLines({ buckets: 1, creationDates: undated, thread });
      expect((await lines.encode(list?.records ?? [], seen)).rows).toBe(count);
    }
    expect(warned.splice(0)).toEqual([[{ err: new Error('no more threads') }, expect.any(String)]]);
    await thread.close();
  });

  it('that dies loses the pages that it has, and later ones are done in this one', async () => {
    const started: Worker[] = [];
    process.once('worker', (worker) => started.push(worker));
    thread = open();
    await recordsOf(pageOf(jobs(1)));
    const lost = Array.from({ length: 8 }, () => thread.scan(pageOf(jobs(1_000))));
    const ends = Promise.allSettled(lost);
    await started[0]?.terminate();
    const reasons = (await ends).flatMap((end) => (end.status === 'rejected' ? [end.reason] : []));
    expect(reasons.length).toBeGreaterThan(0);
    for (const reason of reasons) expect(reason).toBeInstanceOf(PageLost);
    expect(warned.splice(0)).toHaveLength(1);
    const bytes = pageOf(jobs(5));
    expect((await thread.scan(bytes)).bytes).toBe(bytes);
  });
});

describe('a run that is large enough for it', () => {
  const sizes = { accounts: 2, regions: 1, jobsPerDay: 5_000 };
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab(sizes);
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await lab.close();
  });

  async function expectTruth(): Promise<void> {
    const truth = await readTruth(lab.truthFile);
    expect(truth.copy_jobs.size).toBeGreaterThan(25_000);
    const rows = new Map((await lab.table('copy_jobs')).map((row) => [String(row.copy_job_id), row]));
    expect([...rows.keys()].sort()).toEqual([...truth.copy_jobs.keys()].sort());
    for (const [id, expected] of truth.copy_jobs) expect(rows.get(id)).toMatchObject(expected);
  }

  it('ends at the truth, also if page tokens expire', { timeout: 120_000 }, async () => {
    const lines = vi.spyOn(PageThread.prototype, 'lines');
    lab.simulator.addFaults([{ kind: 'expire-token', api: 'ListCopyJobs', count: 2, after: 12 }]);
    const run = await lab.run();
    expect(run.exit_code).toBe(0);
    const done = await Promise.all(lines.mock.results.map(({ value }) => value));
    const [inThread, processors] = [done.filter((one) => one !== null).length, availableParallelism()];
    expect(inThread > 0).toBe(processors > 1);
    await expectTruth();
  });

  it('asks again for a page that its thread loses while it scans', { timeout: 120_000 }, async () => {
    vi.spyOn(PageThread.prototype, 'scan').mockRejectedValueOnce(new PageLost(new Error('gone')));
    const run = await lab.run();
    expect([run.exit_code, run.reading.retries]).toEqual([0, 0]);
    await expectTruth();
  });

  it('covers no target whose page its thread loses while it writes lines, and the next run reads it', {
    timeout: 120_000,
  }, async () => {
    vi.spyOn(PageThread.prototype, 'lines').mockRejectedValueOnce(new PageLost(new Error('gone')));
    const run = await lab.run();
    expect([run.exit_code, run.failures.map(({ status, error }) => [status, error])]).toEqual([
      75,
      [
        [
          'FAILED',
          expect.stringMatching(/a thread of this program broke down .*the next run reads the target again/),
        ],
      ],
    ]);
    expect((await lab.run()).exit_code).toBe(0);
    await expectTruth();
  });
});

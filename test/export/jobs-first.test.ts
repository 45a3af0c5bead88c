import { globSync, mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { JobsCountedAhead } from '../../src/export/compare-with-aws.ts';
import { JobsFirst } from '../../src/export/jobs-first.ts';
import { PublishBatches } from '../../src/lake/publish-batches.ts';
import type { Planned } from '../../src/ledger/planned.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import type { DrainedTable } from '../../src/tables/table.ts';
import { type Lab, openLab } from '../support/lab.ts';

const drain = (table: DrainedTable): Planned => ({
  table,
  target: {
    accountId: '111122223333',
    region: 'eu-west-1',
    accountName: null,
    regionNamed: false,
    credentials: () => Promise.reject(new Error('nobody asks')),
  },
  window: null,
  coveredTo: null,
});
const [job, otherJob, count] = [drain('copy_jobs'), drain('copy_jobs'), drain('copy_job_summaries')];

function following() {
  let read = 0;
  const jobs = new JobsFirst(() => {
    read += 1;
  });
  return { jobs, read: () => read };
}

it('tells once when the last copy jobs are read and counts are still to be read', () => {
  const { jobs, read } = following();
  jobs.add([job, count]);
  jobs.ended(job);
  jobs.add([otherJob, count]);
  jobs.complete();
  expect(read()).toBe(0);
  jobs.ended(otherJob);
  expect(read()).toBe(1);
  jobs.ended(count);
  jobs.ended(count);
  expect(read()).toBe(1);
});

it('tells when no more are added, if they were read by then', () => {
  const { jobs, read } = following();
  jobs.add([job, count]);
  jobs.ended(job);
  expect(read()).toBe(0);
  jobs.complete();
  expect(read()).toBe(1);
});

it('tells nothing where only jobs are read, or counts are read before them', () => {
  const onlyJobs = following();
  onlyJobs.jobs.add([job]);
  onlyJobs.jobs.complete();
  onlyJobs.jobs.ended(job);
  const countsFirst = following();
  countsFirst.jobs.add([job, count]);
  countsFirst.jobs.complete();
  countsFirst.jobs.ended(count);
  countsFirst.jobs.ended(job);
  expect([onlyJobs.read(), countsFirst.read()]).toEqual([0, 0]);
});

describe('a run', () => {
  let lab: Lab;
  beforeEach(async () => {
    lab = await openLab({ latencyMs: 30 });
  });
  afterEach(async () => {
    vi.restoreAllMocks();
    await lab.close();
  });

  it('begins to publish copy jobs before it has read all counts', async () => {
    const rowsOfCounts: number[] = [];
    const stage = vi.spyOn(PublishBatches.prototype, 'stage');
    const finish = vi.spyOn(PublishBatches.prototype, 'finishTable');
    finish.mockImplementation(async function (this: PublishBatches, table) {
      finish.mockRestore();
      rowsOfCounts.push(stage.mock.calls.length);
      await this.finishTable(table);
    });
    await lab.run({ concurrency: '1' });
    const all = stage.mock.calls.filter(([table]) => table === copyJobSummaries).length;
    expect(rowsOfCounts).toHaveLength(1);
    expect(rowsOfCounts[0]).toBeLessThan(all);
    expect(await lab.differences()).toEqual([]);
  });

  it('adds up copy jobs before their comparison with AWS’s counts', { timeout: 60_000 }, async () => {
    const files = (table: string) =>
      globSync(`_ledger/part-counts/${table}/**/part-*.json`, { cwd: lab.lake });
    let ended = 0;
    const end = vi.spyOn(JobsCountedAhead.prototype, 'end').mockImplementation(async function (
      this: JobsCountedAhead,
    ) {
      end.mockRestore();
      ended += 1;
      // All is read, and counts are neither published nor compared before this resolves.
      await vi.waitFor(() => expect(files('copy_jobs').length).toBeGreaterThan(0), 30_000);
      expect(files('copy_job_summaries')).toEqual([]);
      await this.end();
    });
    const done = await lab.run({ concurrency: '1' });
    expect(ended).toBe(1);
    expect(done.reconciliation).toMatchObject({ differing: 0, difference: 0, not_comparable: 0 });
    expect(files('copy_job_summaries').length).toBeGreaterThan(0);
  });

  it('ends well if copy jobs cannot be added up before their comparison', async () => {
    let begun = 0;
    const counted = vi.spyOn(JobsCountedAhead.prototype, 'begin');
    counted.mockImplementation(function (this: JobsCountedAhead) {
      counted.mockRestore();
      // Its folder in scratch is taken.
      const [scratch = ''] = globSync('scratch/backup-copy-export-*', { cwd: lab.folder });
      mkdirSync(join(lab.folder, scratch, 'counted-ahead'));
      begun += 1;
      this.begin();
    });
    const done = await lab.run({ concurrency: '1' });
    expect([begun, done.exit_code]).toEqual([1, 0]);
    expect(done.reconciliation).toMatchObject({ differing: 0, difference: 0, not_comparable: 0 });
  });

  it('waits for its end if it is a shard, whose rows others may read', async () => {
    const finish = vi.spyOn(PublishBatches.prototype, 'finishTable');
    await lab.run({ shard: '0/1' });
    expect(finish).not.toHaveBeenCalled();
  });
});

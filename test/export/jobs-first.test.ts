import { expect, it } from 'vitest';
import { JobsFirst } from '../../src/export/jobs-first.ts';
import type { Planned } from '../../src/ledger/planned.ts';
import type { DrainedTable } from '../../src/tables/table.ts';

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

/** Days of a lake, made of a few jobs and of AWS's counts. */
import { mkdir } from 'node:fs/promises';
import { join } from 'node:path';
import { writePart } from '../../src/lake/engines/part-writer.ts';
import { partKey } from '../../src/lake/layout.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';

export const day = '2026-11-20';
export const midnight = Date.UTC(2026, 10, 20);
export const home = '111122223333';
export const other = '444455556666';

export function jobsKeyOf(date: string): string {
  return partKey(copyJobs, { creation_date: date }, 0);
}

export function countsKeyOf(date: string): string {
  return partKey(copyJobSummaries, { aggregation_period: 'ONE_DAY', start_date: date }, 0);
}

export function job(change: Row = {}): Row {
  return {
    ...{ copy_job_id: 'j', account_id: home, region: 'eu-west-1', resource_type: 'EBS', state: 'COMPLETED' },
    ...{ message_category: 'SUCCESS', destination_account_id: other, destination_region: 'eu-west-2' },
    ...change,
  };
}

/** Of `day`, unless `change` says otherwise. */
export function count(jobs: number, change: Row = {}): Row {
  return {
    ...{ account_id: home, region: 'eu-west-1', resource_type: 'EBS', state: 'COMPLETED' },
    ...{
      message_category: 'SUCCESS',
      job_count: jobs,
      start_time: midnight,
      end_time: midnight + 86_400_000,
    },
    ...change,
  };
}

/** Replaces both parts of a day. */
export async function put(
  store: Store,
  jobs: readonly Row[],
  counts: readonly Row[],
  date: string = day,
): Promise<void> {
  for (const [table, key, rows] of [
    [copyJobs, jobsKeyOf(date), jobs],
    [copyJobSummaries, countsKeyOf(date), counts],
  ] as const) {
    const file = join(store.url, key);
    await mkdir(join(file, '..'), { recursive: true });
    await writePart(table, rows, file, {});
  }
}

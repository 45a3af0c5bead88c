/** How far back AWS keeps records. A drain without a lower bound proves nothing about the time before. */
import { dayMs } from '../shared/time.ts';
import type { DrainedTable } from '../tables/table.ts';

/**
 * How many days AWS keeps copy jobs, and its counts of them. ListCopyJobSummaries counts up to 14 days
 * (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html).
 */
export interface AwsMemory {
  readonly memoryDays: number;
  readonly countMemoryDays: number;
}

/**
 * The program assumes that AWS has deleted everything created before this time, in milliseconds since the epoch.
 * @param run.asOf milliseconds since the epoch
 */
export function rememberedFrom(
  table: DrainedTable,
  { asOf, memoryDays, countMemoryDays }: AwsMemory & { readonly asOf: number },
): number {
  return asOf - (table === 'copy_jobs' ? memoryDays : countMemoryDays) * dayMs;
}

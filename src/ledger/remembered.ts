/** How far back AWS keeps records. A drain without a lower bound proves nothing about the time before. */
import { dayMs } from '../shared/time.ts';
import type { DrainedTable } from '../tables/table.ts';

/** ListCopyJobSummaries counts up to 14 days (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html). */
const countDays = 14;

/**
 * The program assumes that AWS has deleted everything created before this time, in milliseconds since the epoch.
 * @param run.asOf milliseconds since the epoch; @param run.memoryDays how long AWS keeps copy jobs
 */
export function rememberedFrom(
  table: DrainedTable,
  { asOf, memoryDays }: { readonly asOf: number; readonly memoryDays: number },
): number {
  return asOf - (table === 'copy_jobs' ? memoryDays : countDays) * dayMs;
}

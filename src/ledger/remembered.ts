/** How far back AWS remembers, which bounds what a drain without a lower bound can prove. */
import { dayMs } from '../shared/time.ts';
import type { DrainedTable } from '../tables/table.ts';

/** ListCopyJobSummaries counts up to 14 days (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html). */
const countDays = 14;

/**
 * AWS is taken to have deleted what was created before this time, in milliseconds since the epoch.
 * @param run.asOf milliseconds since the epoch; @param run.memoryDays how long AWS keeps copy jobs
 */
export function rememberedFrom(
  table: DrainedTable,
  { asOf, memoryDays }: { readonly asOf: number; readonly memoryDays: number },
): number {
  return asOf - (table === 'copy_jobs' ? memoryDays : countDays) * dayMs;
}

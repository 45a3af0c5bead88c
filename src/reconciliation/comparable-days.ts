/**
 * Which days of which accounts and regions can be compared. AWS does not document how it aligns its days, or how late its
 * counts are. So a day is compared only if
 * - it is a UTC day, and AWS's count of it begins and ends with it;
 * - it ended at least an hour before the run, and AWS still counts all of it;
 * - this run has read the counts of the account and region completely, and AWS's counts in this region have reached the day;
 * - all jobs of the day are proven to be read: the target's proven interval holds the whole day, and an hour after it.
 */
import type { CoverageStatus } from '../ledger/coverage.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';

/** ListCopyJobSummaries counts up to 14 days (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html). */
const countedMs = 14 * dayMs;

/** So long after the end of a day, the program assumes that AWS lists all of its jobs and counts. */
const settleMs = 3_600_000;

/** For so long after a day's end, AWS may still be counting: jobs that only the lake has are no difference yet. */
const countingMs = dayMs;

/** What a run knows of an account and region. */
export interface ComparedTarget {
  readonly target: Pick<Target, 'accountId' | 'accountName' | 'region'>;
  /** The proven interval of copy_jobs after this run, in milliseconds since the epoch; null: none. */
  readonly proven: { readonly from: number; readonly to: number } | null;
  readonly counts: CoverageStatus;
  /** The UTC days that this run's drain of daily counts contained. */
  readonly countedDays: ReadonlySet<string>;
}

export interface ComparableDay {
  /** `yyyy-MM-dd`. */
  readonly day: string;
  /** Whether AWS may still add jobs to its count. */
  readonly stillCounting: boolean;
  readonly targets: readonly ComparedTarget[];
}

/** Oldest first; only days with targets. @param asOf the run's, in milliseconds since the epoch */
export function comparableDays(asOf: number, targets: readonly ComparedTarget[]): readonly ComparableDay[] {
  const reached = lastCountedDays(targets);
  const days: ComparableDay[] = [];
  for (const start of countedDays(asOf)) {
    const day = utcDay(start);
    const comparable = targets.filter(
      ({ target, proven, counts }) =>
        (counts === 'OK' || counts === 'OK_EMPTY') &&
        (reached.get(target.region) ?? '') >= day &&
        proven !== null &&
        proven.from <= start &&
        proven.to >= start + dayMs + settleMs,
    );
    const stillCounting = asOf < start + dayMs + countingMs;
    if (comparable.length > 0) days.push({ day, stillCounting, targets: comparable });
  }
  return days;
}

/** When the days begin that AWS counts completely, whoever was read. Oldest first. @param asOf as for `comparableDays` */
export function* countedDays(asOf: number): Generator<number> {
  const oldest = Math.ceil((asOf - countedMs) / dayMs) * dayMs;
  for (let start = oldest; start + dayMs + settleMs <= asOf; start += dayMs) yield start;
}

/** The last day that AWS has counted in each region. */
function lastCountedDays(targets: readonly ComparedTarget[]): ReadonlyMap<string, string> {
  const last = new Map<string, string>();
  for (const { target, countedDays } of targets) {
    for (const day of countedDays) {
      if (day > (last.get(target.region) ?? '')) last.set(target.region, day);
    }
  }
  return last;
}

/** Whether AWS's count is of this UTC day and no other time. Times in milliseconds since the epoch; null: not given. */
export function isUtcDay(day: string, start: number | null, end: number | null): boolean {
  const midnight = Date.parse(`${day}T00:00:00Z`);
  return start === midnight && (end === null || Math.abs(end - (midnight + dayMs)) <= 1000);
}

/**
 * The days of a target on which AWS counts more jobs than the lake has, and when a run reads them again. AWS may have listed a job
 * too late, a response may have lacked some, or a part may have lost them. A day is read again once for each number of missing
 * jobs: where AWS counts jobs that it does not list, to ask every night would find nothing.
 */
import { dayMs } from '../shared/time.ts';
import type { Window } from '../source/source.ts';

/** A day with missing jobs. */
export interface MissingJobs {
  /** The UTC day of creation, `yyyy-MM-dd`. */
  readonly day: string;
  /** How many: 1 or more. */
  readonly jobs: number;
  /** Whether the whole day was read again since so many were missing, without finding them. */
  readonly isRead: boolean;
}

/**
 * What is missing after a run, ascending by day.
 * @param found the days that the comparison found to lack jobs, with their number; undefined: nothing was compared
 * @param forgotten AWS keeps no jobs from before this time
 */
export function missingAfter(
  before: readonly MissingJobs[],
  found: ReadonlyMap<string, number> | undefined,
  window: Window,
  forgotten: number,
): readonly MissingJobs[] {
  const known = new Map(before.map((one) => [one.day, one]));
  const now = found ?? new Map(before.map(({ day, jobs }) => [day, jobs]));
  return [...now]
    .filter(([day]) => isKept(day, forgotten))
    .map(([day, jobs]): MissingJobs => {
      const same = known.get(day)?.jobs === jobs ? known.get(day) : undefined;
      return { day, jobs, isRead: same !== undefined && (same.isRead || isWithin(day, window)) };
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** When the first day begins that is to be read again; null: none is. @param forgotten AWS keeps no jobs from before this time */
export function readAgainFrom(missing: readonly MissingJobs[], forgotten: number): number | null {
  const unread = missing.filter(({ day, isRead }) => !isRead && isKept(day, forgotten));
  return unread.length === 0 ? null : Math.min(...unread.map(({ day }) => Date.parse(day)));
}

function isKept(day: string, forgotten: number): boolean {
  return Date.parse(day) + dayMs > forgotten;
}

function isWithin(day: string, { from, to }: Window): boolean {
  const start = Date.parse(day);
  return (from === null || from <= start) && to >= start + dayMs;
}

/** As the watermarks hold it: `2026-11-10 3`, and `2026-11-10 3 read` once it was read again. */
export function formatMissing({ day, jobs, isRead }: MissingJobs): string {
  return `${day} ${jobs}${isRead ? ' read' : ''}`;
}

/** Null: it is none. */
export function parseMissing(text: unknown): MissingJobs | null {
  const match = typeof text === 'string' ? /^(\d{4}-\d\d-\d\d) ([1-9]\d{0,14})( read)?$/.exec(text) : null;
  const [, day = '', jobs, read] = match ?? [];
  return match === null || Number.isNaN(Date.parse(day))
    ? null
    : { day, jobs: Number(jobs), isRead: read !== undefined };
}

/**
 * The days of a target on which AWS counts more jobs than the lake has, and when a run reads them again. AWS may have listed a job
 * too late, a response may have lacked some, or a part may have lost them: then reading again helps. But AWS may also count jobs
 * that it never lists, and a longer window may fail where the ordinary one ends well. So a day is read again until one good
 * read, some hours later, has found as many missing, and for two nights at most.
 */
import { dayMs } from '../shared/time.ts';
import type { Window } from '../source/source.ts';

/** A day with missing jobs. */
export interface MissingJobs {
  /** The UTC day of creation, `yyyy-MM-dd`. */
  readonly day: string;
  /** How many: 1 or more. */
  readonly jobs: number;
  /** The as-of of the run from which on the day is to be read again: the first that found this number, as a rule. */
  readonly foundAt: number;
  /** Whether the whole day was read since. */
  readonly wasReadAgain: boolean;
}

/** How many jobs the lake lacks, by day: also 0, for days that were compared. */
export type MissingByDay = ReadonlyMap<string, number>;

/** The same of targets, by `targetName`. */
export type MissingByTarget = ReadonlyMap<string, MissingByDay>;

/** A scheduler tries again within minutes, and may meet what the first try met: an earlier read does not count. */
const soonestMs = dayMs / 4;

/** Two nights, and half a day for schedules that vary. */
const latestMs = 2.5 * dayMs;

interface GoodRead {
  readonly window: Window;
  readonly asOf: number;
  /** AWS keeps no jobs from before this time. */
  readonly forgotten: number;
}

/**
 * What is missing after a target was read, ascending by day. If jobs of a day were found, AWS may list others again, too: so the days
 * that this read left out are to be read again, even if that was in vain before.
 * @param found undefined: nothing was compared
 */
export function missingAfter(
  before: readonly MissingJobs[],
  found: MissingByDay | undefined,
  { window, asOf, forgotten }: GoodRead,
): readonly MissingJobs[] {
  const known = new Map(before.map((one) => [one.day, one]));
  const hasFoundSome = before.some(({ day, jobs }) => (found?.get(day) ?? jobs) < jobs);
  const now = new Map([...before.map(({ day, jobs }) => [day, jobs] as const), ...(found ?? [])]);
  return [...now]
    .filter(([day, jobs]) => jobs > 0 && isKept(day, forgotten))
    .map(([day, jobs]): MissingJobs => {
      const same = known.get(day);
      const isRead = isWithin(day, window);
      if (same?.jobs !== jobs || (hasFoundSome && !isRead)) {
        return { day, jobs, foundAt: asOf, wasReadAgain: false };
      }
      const isLater = asOf >= same.foundAt + soonestMs;
      return { ...same, wasReadAgain: same.wasReadAgain || (isRead && isLater) };
    })
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

/** When the first day begins that a run reads again; null: it reads none. */
export function readAgainFrom(
  missing: readonly MissingJobs[],
  { asOf, forgotten }: Omit<GoodRead, 'window'>,
): number | null {
  const due = missing.filter(
    ({ day, foundAt, wasReadAgain }) => !wasReadAgain && asOf < foundAt + latestMs && isKept(day, forgotten),
  );
  return due.length === 0 ? null : Math.min(...due.map(({ day }) => Date.parse(day)));
}

function isKept(day: string, forgotten: number): boolean {
  return Date.parse(day) + dayMs > forgotten;
}

function isWithin(day: string, { from, to }: Window): boolean {
  const start = Date.parse(day);
  return (from === null || from <= start) && to >= start + dayMs;
}

/** As the watermarks hold it: `2026-11-10 3 2026-11-12T02:00:00.000Z`, with ` read` at the end once it was read again. */
export function formatMissing({ day, jobs, foundAt, wasReadAgain }: MissingJobs): string {
  return `${day} ${jobs} ${new Date(foundAt).toISOString()}${wasReadAgain ? ' read' : ''}`;
}

/** Null: it is none. */
export function parseMissing(text: unknown): MissingJobs | null {
  const match =
    typeof text === 'string' ? /^(\d{4}-\d\d-\d\d) ([1-9]\d{0,14}) (\S+)( read)?$/.exec(text) : null;
  const [, day = '', jobs, time = '', read] = match ?? [];
  const foundAt = Date.parse(time);
  return match === null || Number.isNaN(Date.parse(day)) || Number.isNaN(foundAt)
    ? null
    : { day, jobs: Number(jobs), foundAt, wasReadAgain: read !== undefined };
}

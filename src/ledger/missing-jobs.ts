/**
 * The days of a target on which AWS counts more jobs than the lake has, and when a run reads them again. AWS may have listed a job
 * too late, a response may have lacked some, or a part may have lost them: then reading again helps. But AWS may also count jobs
 * that it never lists, and a longer window may fail where the ordinary one ends well. So a day is read again until one good
 * read, some hours later, has found as many missing, and for two nights at most. If none of these was good, it has two more after the
 * next good run.
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
  /** Whether the whole day was read since, or is still to be read: for the first time, or once more because nothing was read. */
  readonly state: 'due' | 'due once more' | 'read';
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
 * that this read left out are to be read again, even if that was in vain before. A day that is no longer compared, because AWS counts
 * 14 days only, stays until it was read again.
 * @param found undefined: nothing was compared
 */
export function missingAfter(
  before: readonly MissingJobs[],
  found: MissingByDay | undefined,
  { window, asOf, forgotten }: GoodRead,
): readonly MissingJobs[] {
  const known = new Map(before.map((one) => [one.day, one]));
  const hasFoundSome = before.some(({ day, jobs }) => (found?.get(day) ?? jobs) < jobs);
  const firstCounted = [...(found?.keys() ?? [])].toSorted()[0] ?? '';
  const now = new Map([...before.map(({ day, jobs }) => [day, jobs] as const), ...(found ?? [])]);
  return [...now]
    .filter(([day, jobs]) => jobs > 0 && isKept(day, forgotten))
    .map(([day, jobs]): MissingJobs => {
      const same = known.get(day);
      if (same?.jobs !== jobs) return { day, jobs, foundAt: asOf, state: 'due' };
      const isRead = isWithin(day, window);
      if (hasFoundSome && !isRead && day >= firstCounted) return { day, jobs, foundAt: asOf, state: 'due' };
      return afterRead(same, isRead, asOf);
    })
    .filter((one) => one.day >= firstCounted || isOpen(one, asOf))
    .sort((a, b) => (a.day < b.day ? -1 : 1));
}

function afterRead(one: MissingJobs, isRead: boolean, asOf: number): MissingJobs {
  if (one.state === 'read' || asOf < one.foundAt + soonestMs) return one;
  if (isRead) return { ...one, state: 'read' };
  const isOver = one.state === 'due' && asOf >= one.foundAt + latestMs;
  return isOver ? { ...one, foundAt: asOf, state: 'due once more' } : one;
}

function isOpen({ state, foundAt }: MissingJobs, asOf: number): boolean {
  return state !== 'read' && asOf < foundAt + latestMs;
}

/** The days that a run reads again, in the order of `missing`. */
export function daysToReadAgain(
  missing: readonly MissingJobs[],
  { asOf, forgotten }: Omit<GoodRead, 'window'>,
): readonly string[] {
  return missing.filter((one) => isOpen(one, asOf) && isKept(one.day, forgotten)).map(({ day }) => day);
}

function isKept(day: string, forgotten: number): boolean {
  return Date.parse(day) + dayMs > forgotten;
}

function isWithin(day: string, { from, to }: Window): boolean {
  const start = Date.parse(day);
  return (from === null || from <= start) && to >= start + dayMs;
}

/** How the ledger says it. */
const stateNames = { due: '', 'due once more': ' once more', read: ' read' } as const;

/** As the watermarks hold it: `2026-11-10 3 2026-11-12T02:00:00.000Z`, with ` read` or ` once more` at the end. */
export function formatMissing({ day, jobs, foundAt, state }: MissingJobs): string {
  return `${day} ${jobs} ${new Date(foundAt).toISOString()}${stateNames[state]}`;
}

/** Null: it is none. */
export function parseMissing(text: unknown): MissingJobs | null {
  const match =
    typeof text === 'string'
      ? /^(\d{4}-\d\d-\d\d) ([1-9]\d{0,14}) (\S+)( read| once more)?$/.exec(text)
      : null;
  const [, day = '', jobs, time = '', end] = match ?? [];
  const foundAt = Date.parse(time);
  if (match === null || Number.isNaN(Date.parse(day)) || Number.isNaN(foundAt)) return null;
  const state = end === undefined ? 'due' : end === stateNames.read ? 'read' : 'due once more';
  return { day, jobs: Number(jobs), foundAt, state };
}

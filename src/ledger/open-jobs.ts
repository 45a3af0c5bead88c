/**
 * The jobs of a target that had not ended when they were last read, and when a run looks for their ends. Jobs within tonight's
 * window are read anyway. For older ones, AWS is asked which jobs have ended since they were last looked at
 * (ListCopyJobs, ByCompleteAfter), so a job that never ends does not make every night read weeks again.
 */
import { createHash } from 'node:crypto';
import { dayMs } from '../shared/time.ts';
import type { Window } from '../source/source.ts';

export interface OpenJob {
  /** Milliseconds since the epoch. */
  readonly created: number;
  /** See `jobDigest`. */
  readonly job: string;
}

/** What a drain found out about open jobs. */
export interface OpenJobsRead {
  /** All that it saw; null: more than `mostOpenJobs`. */
  readonly open: readonly OpenJob[] | null;
  /** By `jobDigest`: the jobs created before the window that it saw, in whatever state. */
  readonly earlier: ReadonlySet<string>;
  /** It read all jobs, created before the window, that ended since this time; null: it did not ask. */
  readonly endedSince: number | null;
}

/** Watermarks name at most so many open jobs for each target; with more, only their days are kept. */
export const mostOpenJobs = 100;

/** 48 bits of the SHA-256 of a job's id: enough to tell the open jobs of one target apart. */
export function jobDigest(id: string): string {
  return createHash('sha256').update(id).digest('base64url').slice(0, 8);
}

/** When open jobs were created, as far as it is known. */
export interface CreatedBetween {
  readonly from: number;
  readonly to: number;
}

export function createdTimes(
  openJobs: readonly OpenJob[] | null | undefined,
  openDays: readonly string[],
): readonly CreatedBetween[] {
  if (openJobs != null) return openJobs.map(({ created }) => ({ from: created, to: created }));
  return openDays.map((day) => ({ from: Date.parse(day), to: Date.parse(day) + dayMs }));
}

/**
 * Whether a run looks for the ends of jobs that its window leaves out: whenever there are such jobs, and time has passed since
 * the last look. A run that is repeated at once asks nothing twice.
 */
export function isLookDue(open: readonly CreatedBetween[], lookedAt: number, asOf: number): boolean {
  return open.length > 0 && asOf > lookedAt;
}

/** The jobs that are open after a drain; null: too many, or not known. */
export function openAfter(
  before: readonly OpenJob[] | null | undefined,
  { open, earlier }: OpenJobsRead,
  window: Window,
  forgotten: number,
): readonly OpenJob[] | null {
  if (open === null || before == null) return null;
  const after = new Map<string, OpenJob>();
  for (const one of before) {
    if (!isInside(one, window) && !earlier.has(one.job)) after.set(one.job, one);
  }
  for (const one of open) after.set(one.job, one);
  const remembered = [...after.values()].filter(({ created }) => created > forgotten);
  return remembered.length > mostOpenJobs ? null : remembered.sort(byTime);
}

export function isInside({ created }: OpenJob, { from, to }: Window): boolean {
  return created < to && (from === null || created >= from);
}

function byTime(a: OpenJob, b: OpenJob): number {
  return a.created - b.created || (a.job < b.job ? -1 : 1);
}

/** As the watermarks hold it: `2026-11-10T03:04:05.678Z dGhpcyBp`. */
export function formatOpenJob({ created, job }: OpenJob): string {
  return `${new Date(created).toISOString()} ${job}`;
}

/** Null: it is none. */
export function parseOpenJob(text: unknown): OpenJob | null {
  const match = typeof text === 'string' ? /^(\S+) ([\w-]{8})$/.exec(text) : null;
  const [, time = '', job = ''] = match ?? [];
  const created = Date.parse(time);
  return match === null || Number.isNaN(created) ? null : { created, job };
}

/**
 * How far each target has been read. A watermark is an interval of creation time that was read and published completely,
 * plus the jobs in it that have not ended. Watermarks are a cache: without them, a run reads everything.
 */

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import type { Since } from '../config/typed-values.ts';
import { watermarksKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { LakeError } from '../shared/errors.ts';
import { isJsonObject } from '../shared/json-object.ts';
import { dayMs } from '../shared/time.ts';
import type { Window } from '../source/source.ts';
import { utcDay } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import { isFullReadDue } from './full-read.ts';
import {
  daysToReadAgain,
  formatMissing,
  type MissingByDay,
  type MissingJobs,
  missingAfter,
  parseMissing,
} from './missing-jobs.ts';
import {
  type CreatedBetween,
  createdTimes,
  formatOpenJob,
  isInside,
  isLookDue,
  type OpenJob,
  type OpenJobsRead,
  openAfter,
  parseOpenJob,
} from './open-jobs.ts';

/**
 * Every run reads this much again, because AWS may list jobs and their ends late. AWS does not document how late; the
 * regular full read finds what was later than that.
 */
export const overlapMs = dayMs / 4;

/** If no open job was created earlier than this before the end of what was read, the window reaches back to the oldest. */
const reachMs = 2 * dayMs;

/** Times in milliseconds since the epoch. */
export interface Watermark {
  /** The interval `[coveredFrom, coveredTo)`; null: an older version wrote it and did not record how far back AWS kept jobs. */
  readonly coveredFrom: number | null;
  readonly coveredTo: number;
  /** UTC days of creation with unfinished jobs, ascending. */
  readonly openDays: readonly string[];
  /** The unfinished jobs; null: too many to name; absent: an older program wrote it. */
  readonly openJobs?: readonly OpenJob[] | null;
  /** When all unfinished jobs were last read, or looked for by their ends: the as-of of that run; null: unknown. */
  readonly openReadAt: number | null;
  /** The end of the latest drain without a lower bound; null: there was none. */
  readonly fullAt: number | null;
  /** The days on which AWS counts jobs that the lake lacks, ascending; absent: none. */
  readonly missing?: readonly MissingJobs[];
  /** Since when AWS has called the region disabled; absent: it was read since. */
  readonly disabledAt?: number;
}

/** The target was read before, and its region is disabled now. */
export interface SwitchedOff {
  readonly disabledAt: number;
}

/** One successful drain of a target, with all its parts published. */
export interface Covered {
  readonly window: Window;
  /** AWS had deleted everything created before this time, so no window proves anything before it. */
  readonly rememberedFrom: number;
  readonly openDays: ReadonlySet<string>;
  /** Absent: nothing is known but the days. */
  readonly openJobs?: OpenJobsRead;
  /** Absent: the target was not compared with AWS's counts. */
  readonly missingByDay?: MissingByDay;
  readonly asOf: number;
}

/** What a run knows when it plans. */
export interface PlanningTime {
  readonly asOf: number;
  readonly memoryDays: number;
  readonly fullEveryMs: number;
  /** Of the target, for its turn: see `isFullReadDue`. */
  readonly name?: string;
}

/** The window to read from a target. */
export function windowFor(
  since: Since,
  to: number,
  mark: Watermark | undefined,
  memory: PlanningTime,
): Window {
  switch (since.kind) {
    case 'all':
      return { from: null, to };
    case 'instant':
      return { from: since.epochMs, to };
    case 'ago':
      return { from: memory.asOf - since.ms, to };
    case 'auto':
      return { from: automaticFrom(mark, memory), to };
  }
}

function automaticFrom(mark: Watermark | undefined, memory: PlanningTime): number | null {
  const forgotten = forgottenBefore(memory);
  if (mark === undefined || mark.fullAt === null) return null;
  if (isFullReadDue(memory.fullEveryMs, mark.fullAt, memory.asOf, memory.name)) return null;
  if (mark.coveredFrom !== null && mark.coveredFrom > forgotten) return null;
  const overlap = mark.coveredTo - overlapMs;
  const oldest = Math.min(overlap, ...openBefore(mark, overlap, forgotten).map(({ from }) => from));
  // Without the time of the last look, ends cannot be asked for.
  const reaches = mark.openReadAt === null || oldest >= mark.coveredTo - reachMs;
  const from = Math.min(reaches ? oldest : overlap, ...missingDays(mark, memory).map(Date.parse));
  return from <= forgotten ? null : from;
}

/** The days with missing jobs that are read again, ascending. */
export function missingDays(
  mark: Watermark | undefined,
  memory: Pick<PlanningTime, 'asOf' | 'memoryDays'>,
): readonly string[] {
  return daysToReadAgain(mark?.missing ?? [], { asOf: memory.asOf, forgotten: forgottenBefore(memory) });
}

function forgottenBefore({ asOf, memoryDays }: Pick<PlanningTime, 'asOf' | 'memoryDays'>): number {
  return asOf - memoryDays * dayMs;
}

/** The open jobs that were created before a time, and that AWS still keeps. */
function openBefore(mark: Watermark, before: number, forgotten: number): readonly CreatedBetween[] {
  return createdTimes(mark.openJobs, mark.openDays).filter(({ from, to }) => from < before && to > forgotten);
}

/**
 * From when on the run asks for the ends of jobs that were created before its window; null: it does not ask.
 * @param window from `windowFor`
 */
export function endsFor(
  since: Since,
  window: Window,
  mark: Watermark | undefined,
  memory: PlanningTime,
): number | null {
  if (since.kind !== 'auto' || window.from === null || mark?.openReadAt == null) return null;
  // A window that ends early (--until) leaves out jobs that lie after it.
  if (window.from >= window.to || window.to < mark.coveredTo) return null;
  const open = openBefore(mark, window.from, forgottenBefore(memory));
  return isLookDue(open, mark.openReadAt, memory.asOf) ? mark.openReadAt - overlapMs : null;
}

/**
 * The watermark after a drain. If the window does not touch it, the watermark stays as it was, because a later drain can
 * still close the gap. But after a drain of everything that AWS keeps, no drain can, and a new watermark begins.
 */
export function extended(mark: Watermark | undefined, covered: Covered, memoryDays: number): Watermark {
  const { window, rememberedFrom, asOf } = covered;
  const fullAt = window.from === null ? window.to : null;
  const from = Math.min(Math.max(window.from ?? rememberedFrom, rememberedFrom), window.to);
  const forgotten = forgottenBefore({ asOf, memoryDays });
  const read = covered.openJobs;
  const begun: Watermark = {
    coveredFrom: from,
    coveredTo: window.to,
    ...openIn(read === undefined ? undefined : openAfter([], read, window, forgotten), covered.openDays, {
      asOf,
      memoryDays,
    }),
    openReadAt: asOf,
    fullAt,
    ...withMissing(mark, covered, forgotten),
  };
  if (mark === undefined) return begun;
  const touches = from <= mark.coveredTo && (mark.coveredFrom === null || window.to >= mark.coveredFrom);
  if (!touches) {
    const isAll = window.from === null || window.from <= rememberedFrom;
    if (isAll && window.to > mark.coveredTo) return begun;
    const { disabledAt: _, ...same } = mark;
    return same;
  }

  const seenWhole = (day: string) => {
    const start = Date.parse(day);
    const end = Math.min(start + dayMs, mark.coveredTo);
    return (window.from === null || window.from <= start) && end <= window.to;
  };
  const isWhole = window.from === null && window.to >= mark.coveredTo;
  const openDays = new Set([...mark.openDays.filter((day) => !seenWhole(day)), ...covered.openDays]);
  const openJobs =
    read === undefined ? undefined : openAfter(isWhole ? [] : mark.openJobs, read, window, forgotten);
  const isLookedAt =
    read?.endedSince != null && mark.openReadAt !== null && read.endedSince <= mark.openReadAt;
  const isReadAgain =
    mark.openJobs == null
      ? mark.openDays.every(seenWhole)
      : mark.openJobs.every((one) => isInside(one, window) || one.created <= forgotten);
  return {
    coveredFrom: unionBegin(mark, window, from),
    coveredTo: Math.max(window.to, mark.coveredTo),
    ...openIn(openJobs, openDays, { asOf, memoryDays }),
    openReadAt: isLookedAt || isReadAgain ? latest(asOf, mark.openReadAt) : mark.openReadAt,
    fullAt: latest(fullAt, mark.fullAt),
    ...withMissing(mark, covered, forgotten),
  };
}

function withMissing(
  mark: Watermark | undefined,
  { missingByDay, window, asOf }: Covered,
  forgotten: number,
): Pick<Watermark, 'missing'> {
  const missing = missingAfter(mark?.missing ?? [], missingByDay, { window, asOf, forgotten });
  return missing.length === 0 ? {} : { missing };
}

/** The days are those of the jobs, where these are known. */
function openIn(
  openJobs: readonly OpenJob[] | null | undefined,
  openDays: ReadonlySet<string>,
  { asOf, memoryDays }: Pick<PlanningTime, 'asOf' | 'memoryDays'>,
): Pick<Watermark, 'openDays' | 'openJobs'> {
  if (openJobs == null) {
    const days = stillRemembered(openDays, asOf, memoryDays);
    return { openDays: days, ...(openJobs === undefined ? {} : { openJobs: null }) };
  }
  const days = new Set(openJobs.map(({ created }) => utcDay(created)));
  return { openDays: [...days].sort(), openJobs };
}

function unionBegin({ coveredFrom }: Watermark, window: Window, from: number): number | null {
  if (coveredFrom !== null) return Math.min(from, coveredFrom);
  return window.from === null ? from : null;
}

function stillRemembered(days: ReadonlySet<string>, asOf: number, memoryDays: number): string[] {
  const oldest = utcDay(asOf - memoryDays * dayMs);
  return [...days].filter((day) => day >= oldest).sort();
}

function latest(a: number | null, b: number | null): number | null {
  return a === null ? b : b === null ? a : Math.max(a, b);
}

/**
 * Whether a watermark can be true: nothing in it lies in the future.
 * @param latest AWS's time now, plus a tolerance: other runs may have begun a little later
 */
function isPlausible(mark: Watermark, latest: number): boolean {
  const { coveredFrom, coveredTo, fullAt, missing = [], openDays, openJobs, openReadAt } = mark;
  return (
    coveredTo <= latest &&
    (coveredFrom === null || coveredFrom <= coveredTo) &&
    (fullAt === null || fullAt <= latest) &&
    (openReadAt === null || openReadAt <= latest) &&
    openDays.every((day) => Date.parse(day) <= latest) &&
    missing.every(({ day, foundAt }) => Date.parse(day) <= latest && foundAt <= latest) &&
    (openJobs ?? []).every(({ created }) => created <= latest)
  );
}

/** Watermarks by `<table>/<account>/<region>`. */
export type Watermarks = ReadonlyMap<string, Watermark>;

export function watermarkName(table: string, accountId: string, region: string): string {
  return `${table}/${targetName({ accountId, region })}`;
}

/**
 * The targets that were read while AWS still keeps their jobs, and whose regions AWS has not called disabled since.
 * @param memory how long AWS keeps jobs
 */
export function targetsRead(
  marks: Watermarks,
  tables: readonly string[],
  memory: { readonly asOf: number; readonly memoryDays: number },
): { readonly accountId: string; readonly region: string }[] {
  return [...marks].flatMap(([name, { coveredTo, disabledAt }]) => {
    const [table = '', accountId = '', region = ''] = name.split('/');
    const isForgotten = coveredTo <= memory.asOf - memory.memoryDays * dayMs;
    // The region becomes part of a host name, and the file may have been edited.
    const isRegion = /^[a-z][a-z0-9-]*$/.test(region);
    const isRead = tables.includes(table) && isRegion && disabledAt === undefined && !isForgotten;
    return isRead ? [{ accountId, region }] : [];
  });
}

interface Stored {
  readonly etag: string | null;
  readonly marks: Watermarks;
  /** Watermarks that cannot be true: they lie in the future, or end before they begin. They do not count. */
  readonly impossible: Watermarks;
  /** Why the file could not be used; null if it could, or if there is none. */
  readonly damage: string | null;
}

/**
 * The watermarks of a bucket. Damaged ones are returned separately and do not count.
 * @param latest see isPlausible
 */
export async function readWatermarks(
  store: Store,
  bucket: number,
  latest: number,
  signal?: AbortSignal,
): Promise<Stored> {
  const nothing = { marks: new Map(), impossible: new Map() };
  const object = await store.read(watermarksKey(bucket), signal);
  if (object === null) return { etag: null, ...nothing, damage: null };
  const { etag } = object;
  try {
    const all = [...parsed(Buffer.from(object.bytes).toString('utf8'))];
    const marks = new Map(all.filter(([, mark]) => isPlausible(mark, latest)));
    const impossible = new Map(all.filter(([, mark]) => !isPlausible(mark, latest)));
    return { etag, marks, impossible, damage: null };
  } catch (error) {
    return { etag, ...nothing, damage: String(error) };
  }
}

/** How many times another run may write in between before this one gives up. */
const attempts = 12;

/**
 * Extends the watermarks of a bucket by what was covered, on top of what other runs have written meanwhile.
 * @returns what the bucket holds now; empty if nothing was covered
 * @throws LakeError when they cannot be written. Nothing is lost then; the next run only takes longer
 */
export async function extendWatermarks(
  store: Store,
  bucket: number,
  covered: ReadonlyMap<string, Covered | SwitchedOff>,
  options: {
    readonly runId: string;
    readonly memoryDays: number;
    /** See isPlausible. A watermark that cannot be true is replaced by what was covered. */
    readonly latest: number;
  },
  signal?: AbortSignal,
): Promise<Watermarks> {
  if (covered.size === 0) return new Map();
  for (let attempt = 1; attempt <= attempts; attempt++) {
    const { etag, marks, impossible } = await readWatermarks(store, bucket, options.latest, signal);
    const next = new Map([...impossible, ...marks]);
    for (const [name, one] of covered) {
      const mark = marks.get(name);
      if (!('disabledAt' in one)) next.set(name, extended(mark, one, options.memoryDays));
      else if (mark !== undefined) next.set(name, { ...mark, disabledAt: one.disabledAt });
    }
    const put = await store.put(
      {
        key: watermarksKey(bucket),
        body: { bytes: Buffer.from(formatted(next)) },
        condition: etag === null ? { ifAbsent: true } : { ifMatch: etag },
        writeId: randomUUID(),
        metadata: { 'run-id': options.runId },
        contentType: 'application/json',
      },
      signal,
    );
    if (put.written) return next;
    await sleep(Math.random() * 100 * attempt);
  }
  throw new LakeError(
    `${watermarksKey(bucket)} could not be written: other runs kept changing it`,
    'Nothing is lost; the next run reads a longer window. Start fewer runs at the same time.',
  );
}

/** Replaces the watermarks of a bucket: only `rebucket` does. @returns false if somebody else has replaced them meanwhile */
export async function replaceWatermarks(
  store: Store,
  bucket: number,
  marks: Watermarks,
  { etag, runId }: { readonly etag: string | null; readonly runId: string },
  signal?: AbortSignal,
): Promise<boolean> {
  const put = await store.put(
    {
      key: watermarksKey(bucket),
      body: { bytes: Buffer.from(formatted(marks)) },
      condition: etag === null ? { ifAbsent: true } : { ifMatch: etag },
      writeId: randomUUID(),
      metadata: { 'run-id': runId },
      contentType: 'application/json',
    },
    signal,
  );
  return put.written;
}

const iso = (epochMs: number | null) => (epochMs === null ? null : new Date(epochMs).toISOString());

function formatted(marks: Watermarks): string {
  const names = [...marks.keys()].sort();
  const targets = Object.fromEntries(
    names.map((name) => {
      const mark = marks.get(name);
      return [
        name,
        mark && {
          covered_from: iso(mark.coveredFrom),
          covered_to: iso(mark.coveredTo),
          open_days: mark.openDays,
          ...(mark.openJobs === undefined ? {} : { open_jobs: mark.openJobs?.map(formatOpenJob) ?? null }),
          open_read_at: iso(mark.openReadAt),
          full_at: iso(mark.fullAt),
          ...(mark.missing === undefined ? {} : { missing: mark.missing.map(formatMissing) }),
          ...(mark.disabledAt === undefined ? {} : { disabled_at: iso(mark.disabledAt) }),
        },
      ];
    }),
  );
  return `${JSON.stringify({ format: 1, targets }, null, 1)}\n`;
}

function parsed(text: string): Watermarks {
  const file: unknown = JSON.parse(text);
  if (!isJsonObject(file) || file.format !== 1 || !isJsonObject(file.targets))
    throw new Error('not a watermarks file');
  return new Map(
    Object.entries(file.targets).map(([name, value]) => {
      if (!isJsonObject(value) || !Array.isArray(value.open_days))
        throw new Error(`${name} is not a watermark`);
      const coveredTo = instant(value.covered_to);
      if (coveredTo === null) throw new Error(`${name} has no covered_to`);
      const openDays = value.open_days.map((day: unknown) => {
        if (typeof day !== 'string' || !/^\d{4}-\d\d-\d\d$/.test(day))
          throw new Error(`${name} has a bad day`);
        return day;
      });
      return [
        name,
        {
          ...{
            coveredFrom: instant(value.covered_from),
            coveredTo,
            openDays,
            // Older programs did not write it.
            openReadAt: instant(value.open_read_at ?? null),
            fullAt: instant(value.full_at),
          },
          ...openJobsIn(name, value.open_jobs),
          ...parsedMissing(name, value.missing),
          ...disabled(value.disabled_at),
        },
      ];
    }),
  );
}

/** Most have none. */
function parsedMissing(name: string, value: unknown): Pick<Watermark, 'missing'> {
  if (value === undefined) return {};
  if (!Array.isArray(value)) throw new Error(`${name} has bad missing jobs`);
  return {
    missing: value.map((text: unknown) => {
      const missing = parseMissing(text);
      if (missing === null) throw new Error(`${name} has bad missing jobs`);
      return missing;
    }),
  };
}

/** Older programs did not write them. */
function openJobsIn(name: string, value: unknown): Pick<Watermark, 'openJobs'> {
  if (value === undefined) return {};
  if (value === null) return { openJobs: null };
  if (!Array.isArray(value)) throw new Error(`${name} has bad open jobs`);
  return {
    openJobs: value.map((text: unknown) => {
      const job = parseOpenJob(text);
      if (job === null) throw new Error(`${name} has a bad open job`);
      return job;
    }),
  };
}

/** Older programs did not write it. */
function disabled(value: unknown): Partial<SwitchedOff> {
  const disabledAt = instant(value ?? null);
  return disabledAt === null ? {} : { disabledAt };
}

function instant(value: unknown): number | null {
  if (value === null) return null;
  const epochMs = typeof value === 'string' ? Date.parse(value) : Number.NaN;
  if (Number.isNaN(epochMs)) throw new Error(`${String(value)} is not an instant`);
  return epochMs;
}

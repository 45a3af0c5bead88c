/** Adds up the rows of one day's parts, and reads only the parts that have changed since they were counted. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import type { Logger } from 'pino';
import { currentEtag } from '../lake/current-etag.ts';
import { openPart } from '../lake/engines/part-reader.ts';
import { partKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { Table } from '../tables/table.ts';
import { countPart, type Group } from './count-part.ts';
import { addIncomingRows, addRows, type Family, type RowsByRole } from './counting-rules.ts';
import { add, type Counts, kindOf } from './counts.ts';
import { type FoundCounts, keepPartCounts, readPartCounts } from './part-counts.ts';

export interface ReadCountsOptions {
  readonly store: Store;
  readonly buckets: number;
  /** Must exist. Files created in it are removed again. */
  readonly scratchFolder: string;
  readonly reserve: (bytes: number) => () => void;
  readonly log: Pick<Logger, 'warn'>;
  /**
   * The ETags of parts that the run has just published, by key. The store is asked for those of the others. If a part was replaced
   * since, either content may be counted.
   */
  readonly published: ReadonlyMap<string, string>;
  readonly signal: AbortSignal;
}

/** The rows of one part at a time are in memory, however many days are read at once. */
const oneCounted = pLimit(1);

/** One account and region on one day. */
export interface Slice {
  readonly aws: Counts;
  readonly lake: RowsByRole;
  /** False: AWS's count begins or ends within a UTC day. */
  aligned: boolean;
}

/** @param slices by account and region (`sliceName`): rows of others are left out */
export async function readCounts(
  day: string,
  slices: ReadonlyMap<string, Slice>,
  options: ReadCountsOptions,
): Promise<void> {
  for (let bucket = 0; bucket < options.buckets; bucket += 1) {
    const counts = partKey(copyJobSummaries, { aggregation_period: 'ONE_DAY', start_date: day }, bucket);
    for (const { texts, jobs } of await groupsOf(copyJobSummaries, day, counts, options)) {
      const [account, region, resourceType, state, category, role] = texts;
      const slice = slices.get(sliceName(account, region));
      if (slice === undefined) continue;
      add(slice.aws, kindOf(resourceType, state, category), jobs);
      if (role !== 'day') slice.aligned = false;
    }
    const jobs = partKey(copyJobs, { creation_date: day }, bucket);
    for (const group of await groupsOf(copyJobs, day, jobs, options)) addJobs(group, slices);
  }
}

/**
 * Adds up the jobs of some days ahead, part by part: `readCounts` then finds their sums, unless a part has changed.
 * @param stop ends it after the part that is being read
 * @throws as readCounts
 */
export async function countJobs(
  days: Iterable<string>,
  options: ReadCountsOptions,
  stop: AbortSignal,
): Promise<void> {
  for (const day of days) {
    for (let bucket = 0; bucket < options.buckets; bucket += 1) {
      if (stop.aborted) return;
      await groupsOf(copyJobs, day, partKey(copyJobs, { creation_date: day }, bucket), options);
    }
  }
}

export function sliceName(account: string | null | undefined, region: string | null | undefined): string {
  return `${account ?? ''}/${region ?? ''}`;
}

function addJobs({ texts, jobs }: Group, slices: ReadonlyMap<string, Slice>): void {
  const [account, region, resourceType, state, category, role, toAccount, toRegion] = texts;
  const kind = kindOf(resourceType, state, category);
  // Safe: `countPart` gives jobs no other role.
  const family = role as Family;
  const home = sliceName(account, region);
  const own = slices.get(home);
  if (own !== undefined) addRows(own.lake, family, kind, jobs);
  const destination = sliceName(toAccount, toRegion);
  const there = destination === home ? undefined : slices.get(destination);
  if (there !== undefined) addIncomingRows(there.lake, family, kind, jobs);
}

/**
 * What the part's rows add up to, by its content as it is now, or as the run has published it.
 * @throws EngineError when the part cannot be read; LakeError; ScratchError; the signal's reason
 */
async function groupsOf(
  table: Table,
  day: string,
  key: string,
  { store, scratchFolder, reserve, log, published, signal }: ReadCountsOptions,
): Promise<readonly Group[]> {
  const [etag, found] = await Promise.all([
    published.get(key) ?? currentEtag(store, key, signal),
    readPartCounts(store, key, signal).catch((err: unknown): FoundCounts => {
      signal.throwIfAborted();
      log.warn({ err, key }, 'the counts of a part cannot be read, so its rows are counted again');
      return { counts: null, etag: null };
    }),
  ]);
  if (etag === null) return [];
  if (found.counts?.partEtag === etag) return found.counts.groups;
  const file = join(scratchFolder, `${randomUUID()}.counted.parquet`);
  let release: () => void = () => undefined;
  try {
    const downloaded = await store.download(key, file, signal);
    if (downloaded === null) return [];
    release = reserve(downloaded.size);
    const groups = await oneCounted(async () => countPart(await openPart(file), table, day));
    signal.throwIfAborted();
    await keepPartCounts(store, key, { partEtag: downloaded.etag, groups }, found.etag, signal).catch(
      (err: unknown) => {
        signal.throwIfAborted();
        log.warn({ err, key }, 'the counts of a part cannot be kept, so the next run counts its rows again');
      },
    );
    return groups;
  } finally {
    await rm(file, { force: true });
    release();
  }
}

/** What the ledger says about runs that wrote no coverage, and about what each run was asked to read. */
import pLimit from 'p-limit';
import { beginKey, bucketOf, coverageKey, ownsBucket } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { type BeginFacts, listRuns, readBegin } from '../ledger/read-runs.ts';
import { asShard } from '../ledger/shard-runs.ts';
import { watermarkName } from '../ledger/watermarks.ts';
import type { UnreadObjects } from '../query/unread-objects.ts';
import { isJsonObject } from '../shared/json-object.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import type { CoverageFacts, DrainFacts, EndedRun } from './coverage-facts.ts';

/** A run that has begun and whose manifest is missing. */
export interface UnfinishedRun {
  readonly runId: string;
  readonly asOf: number;
  /** Its latest end has not passed, so it may still be at work. */
  readonly mayBeRunning: boolean;
  readonly planned: readonly Pick<DrainFacts, 'table' | 'accountId' | 'region'>[];
}

/** The part of a begin record that is read here. */
interface Begun {
  readonly runId: string;
  readonly asOf: number;
  readonly settings: Readonly<Record<string, unknown>>;
  /** When it has ended at the latest. */
  readonly endsBy: number;
  readonly planned: UnfinishedRun['planned'];
  /** Whether the run would read this account: a shard reads only its own. */
  readonly reads: (accountId: string) => boolean;
}

/** Older runs that died do not matter any more: whatever they should have read, AWS has deleted or a later run has read. */
const daysSearched = 40;
/** Begin records of a large organization are some megabytes each. */
const mostUnfinished = 20;
/** Nights: the shards of one count together. */
const mostCompared = 40;
const readAtOnce = 4;
const askedAtOnce = 16;

export interface LedgerReading {
  readonly store: Pick<Store, 'read' | 'list' | 'head' | 'url'>;
  /** Takes the records that are gone or unreadable. */
  readonly unread: UnreadObjects;
  readonly signal: AbortSignal;
}

/**
 * Runs without a manifest and without coverage, newest first. Notes coverage that is gone although its run has a manifest.
 */
export async function unfinishedRuns(
  reading: LedgerReading,
  { runs }: CoverageFacts,
  now: number,
): Promise<readonly UnfinishedRun[]> {
  const { store, unread, signal } = reading;
  const since = utcDay(now - daysSearched * dayMs);
  const withCoverage = new Set(runs.map(({ runId }) => runId));
  const found = await listRuns(store, { signal });
  const limit = pLimit(askedAtOnce);
  const withoutRows = found.runs.filter(
    ({ runId, asOf, hasManifest }) => hasManifest && asOf <= now && !withCoverage.has(runId),
  );
  // The run may have ended after the coverage was read; and one that merges for a shard that has ended plans nothing.
  const ask = async ({ date, runId }: (typeof withoutRows)[number]): Promise<void> => {
    const key = coverageKey(date, runId);
    if ((await store.head(key, signal)) === null)
      unread.add(key, 'it is gone, although its run has a manifest');
  };
  await Promise.all(withoutRows.map((run) => limit(() => ask(run))));
  const open = found.runs
    .filter(
      ({ runId, asOf, date, hasBegin, hasManifest }) =>
        hasBegin && !hasManifest && asOf <= now && date >= since && !withCoverage.has(runId),
    )
    .reverse();
  // The record of a shard has only its share of the targets.
  const [newest] = await readBegun(reading, open.slice(0, 1));
  const shards = asShard(newest?.settings.shard)?.count ?? 1;
  const records = await readBegun(reading, open.slice(0, mostUnfinished * shards));
  return records.map(({ runId, asOf, planned, endsBy }) => ({
    runId,
    asOf,
    mayBeRunning: now < endsBy,
    planned,
  }));
}

/**
 * The drains that no run plans any more, although runs with the same selection of accounts and regions go on: the
 * account left the organization, or the region was disabled and forgotten. If only runs with another selection go on,
 * nobody knows whether a schedule has stopped, so the drain still counts as planned.
 */
export async function plannedNoMore(
  reading: LedgerReading,
  { drains, runs }: CoverageFacts,
): Promise<ReadonlySet<DrainFacts>> {
  const gone = new Set<DrainFacts>();
  const newest = runs.at(-1);
  if (newest === undefined) return gone;
  const asOfs = new Map(runs.map(({ runId, asOf }) => [runId, asOf]));
  const open = new Set(drains.filter(({ last }) => last.runId !== newest.runId));
  const cache = new Map<string, Begun | null>();
  const load = async ({ runId, asOf }: Pick<EndedRun, 'runId' | 'asOf'>): Promise<Begun | null> => {
    const known = cache.get(runId);
    if (known !== undefined) return known;
    const [record = null] = await readBegun(reading, [{ runId, asOf }]);
    cache.set(runId, record);
    return record;
  };
  const shards = asShard((await load(newest))?.settings.shard)?.count ?? 1;
  for (const run of runs.slice(-mostCompared * shards).reverse()) {
    const later = [...open].filter(({ lastAsked }) => lastAsked < run.asOf);
    if (later.length === 0) continue;
    const record = await load(run);
    if (record === null) continue;
    const planned = new Set(record.planned.map(nameOf));
    for (const drain of later) {
      if (planned.has(nameOf(drain)) || !record.reads(drain.accountId)) continue;
      const asOf = asOfs.get(drain.last.runId);
      const before = asOf === undefined ? null : await load({ runId: drain.last.runId, asOf });
      if (!covers(record.settings, drain) && !sameSelection(before?.settings, record.settings)) continue;
      gone.add(drain);
      open.delete(drain);
    }
  }
  return gone;
}

/** Whether the run read every account of the organization, and so the drain's, had it been there. */
function covers(settings: Begun['settings'], { table, accountId, region }: DrainFacts): boolean {
  const { accounts, excludeAccounts, regions, tables } = settings;
  return (
    isJsonObject(accounts) &&
    accounts.kind === 'all' &&
    !(Array.isArray(excludeAccounts) && excludeAccounts.includes(accountId)) &&
    (regions === 'enabled' || (Array.isArray(regions) && regions.includes(region))) &&
    Array.isArray(tables) &&
    tables.includes(table)
  );
}

/** Whether two runs were asked to read the same, by the same options. */
function sameSelection(a: Begun['settings'] | undefined, b: Begun['settings']): boolean {
  if (a === undefined) return false;
  const selection = ({ accounts, excludeAccounts, regions, tables }: Begun['settings']) =>
    JSON.stringify([accounts, excludeAccounts, regions, tables]);
  return selection(a) === selection(b);
}

/** Records that cannot be read are noted and left out: they say nothing about any target. */
async function readBegun(
  { store, unread, signal }: LedgerReading,
  runs: readonly Pick<EndedRun, 'runId' | 'asOf'>[],
): Promise<readonly Begun[]> {
  const limit = pLimit(readAtOnce);
  const read = async ({ runId, asOf }: Pick<EndedRun, 'runId' | 'asOf'>): Promise<Begun[]> => {
    const date = utcDay(asOf);
    const record = await readBegin(store, { runId, asOf, date }, signal);
    if (record === null) {
      unread.add(beginKey(date, runId), 'it is gone, or is not the begin record of this run');
      return [];
    }
    const { settings, endsBy, plan, buckets } = record;
    const shard = asShard(settings.shard);
    const reads = (accountId: string) => ownsBucket(shard, bucketOf(accountId, buckets));
    return [{ runId, asOf, settings, endsBy, planned: plan.flatMap(drainOf), reads }];
  };
  return (await Promise.all(runs.map((run) => limit(() => read(run))))).flat();
}

function drainOf({
  table,
  account_id: accountId,
  region,
}: BeginFacts['plan'][number]): UnfinishedRun['planned'] {
  return table === 'copy_jobs' || table === 'copy_job_summaries' ? [{ table, accountId, region }] : [];
}

/** A key for maps. */
export function nameOf({ table, accountId, region }: Pick<DrainFacts, 'table' | 'accountId' | 'region'>) {
  return watermarkName(table, accountId, region);
}

/** What the ledger says about runs that wrote no coverage, and about what each run was asked to read. */
import pLimit from 'p-limit';
import { beginKey, parseRunKey, runsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import type { CoverageFacts, DrainFacts, EndedRun } from './coverage-facts.ts';

/** A run that has begun and whose manifest is missing. */
export interface UnfinishedRun {
  readonly runId: string;
  readonly asOf: number;
  /** Its deadline has not passed, so it may still be at work. */
  readonly mayBeRunning: boolean;
  readonly planned: readonly Pick<DrainFacts, 'table' | 'accountId' | 'region'>[];
}

/** The part of a begin record that is read here. */
interface Begun {
  readonly runId: string;
  readonly asOf: number;
  readonly settings: Readonly<Record<string, unknown>>;
  readonly planned: UnfinishedRun['planned'];
}

/** Older runs that died do not matter any more: whatever they should have read, AWS has deleted or a later run has read. */
const daysSearched = 40;
/** Begin records of a large organization are some megabytes each. */
const mostUnfinished = 20;
const mostCompared = 40;
const readAtOnce = 4;

/** A run ends within its deadline, plus what it may spend on closing the ledger; and clocks differ by some minutes. */
const graceMs = 10 * 60_000;
const longestRunMs = dayMs;

/** Runs without a manifest and without coverage, newest first. */
export async function unfinishedRuns(
  store: Pick<Store, 'read' | 'list'>,
  { runs }: CoverageFacts,
  now: number,
  signal: AbortSignal,
): Promise<readonly UnfinishedRun[]> {
  const withCoverage = new Set(runs.map(({ runId }) => runId));
  const begun = new Map<string, number>();
  const ended = new Set<string>();
  const since = utcDay(now - daysSearched * dayMs);
  const folders: string[] = [];
  for await (const folder of store.list(runsPrefix, { folders: true }, signal)) {
    if (folder.slice(runsPrefix.length, -1) >= since) folders.push(folder);
  }
  for (const folder of folders) {
    for await (const key of store.list(folder, {}, signal)) {
      const run = parseRunKey(key);
      const runId = /([0-9a-f-]{36})(?:\.begin)?\.json$/.exec(key)?.[1];
      if (run === null || runId === undefined || run.asOf > now) continue;
      if (run.record === 'manifest') ended.add(runId);
      else begun.set(runId, run.asOf);
    }
  }
  const open = [...begun]
    .filter(([runId]) => !ended.has(runId) && !withCoverage.has(runId))
    .sort(([, a], [, b]) => b - a)
    .slice(0, mostUnfinished);
  const records = await readBegun(store, open, signal);
  return records.map((record) => {
    const { deadlineMs } = record.settings;
    const endsBy = record.asOf + (typeof deadlineMs === 'number' ? deadlineMs : longestRunMs) + graceMs;
    return {
      runId: record.runId,
      asOf: record.asOf,
      mayBeRunning: now < endsBy,
      planned: record.planned,
    };
  });
}

/**
 * The drains that no run plans any more, although runs with the same selection of accounts and regions go on: the
 * account left the organization, or the region was disabled and forgotten. If only runs with another selection go on,
 * nobody knows whether a schedule has stopped, so the drain still counts as planned.
 */
export async function plannedNoMore(
  store: Pick<Store, 'read' | 'list'>,
  { drains, runs }: CoverageFacts,
  signal: AbortSignal,
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
    const [record = null] = await readBegun(store, [[runId, asOf]], signal);
    cache.set(runId, record);
    return record;
  };
  for (const run of runs.slice(-mostCompared).reverse()) {
    const later = [...open].filter(({ lastAsked }) => lastAsked < run.asOf);
    if (later.length === 0) continue;
    const record = await load(run);
    if (record === null) continue;
    const planned = new Set(record.planned.map(nameOf));
    for (const drain of later) {
      if (planned.has(nameOf(drain))) continue;
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
    isRecord(accounts) &&
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

/** Records that cannot be read are left out: they say nothing about any target. */
async function readBegun(
  store: Pick<Store, 'read' | 'list'>,
  runs: readonly (readonly [runId: string, asOf: number])[],
  signal: AbortSignal,
): Promise<readonly Begun[]> {
  const limit = pLimit(readAtOnce);
  const records = await Promise.all(
    runs.map(([runId, asOf]) =>
      limit(async () => {
        const object = await store.read(beginKey(utcDay(asOf), runId), signal);
        return object === null ? null : parsed(runId, asOf, object.bytes);
      }),
    ),
  );
  return records.filter((record) => record !== null);
}

function parsed(runId: string, asOf: number, bytes: Uint8Array): Begun | null {
  let record: unknown;
  try {
    record = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch {
    return null;
  }
  if (!isRecord(record) || !isRecord(record.settings) || !Array.isArray(record.plan)) return null;
  const planned = record.plan.flatMap((entry: unknown) => {
    if (!isRecord(entry)) return [];
    const { table, account_id: accountId, region } = entry;
    const isTable = table === 'copy_jobs' || table === 'copy_job_summaries';
    if (!isTable || typeof accountId !== 'string' || typeof region !== 'string') return [];
    return [{ table, accountId, region }] as const;
  });
  return { runId, asOf, settings: record.settings, planned };
}

/** A key for maps. */
export function nameOf({ table, accountId, region }: Pick<DrainFacts, 'table' | 'accountId' | 'region'>) {
  return `${table}/${accountId}/${region}`;
}

function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

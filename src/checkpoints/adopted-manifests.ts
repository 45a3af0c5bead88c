/**
 * What no checkpoint includes yet of other runs: manifests of runs that end now, died before their checkpoint, or are older; and
 * begin records of runs that have no manifest.
 */
import { hash } from 'node:crypto';
import pLimit from 'p-limit';
import { parseRunKey, runsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { parseManifest } from '../ledger/read-runs.ts';
import type { WrittenPart } from '../ledger/runs.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import type { LakeState, StateEntry } from './lake-state.ts';
import { recordEntries } from './run-records.ts';

export interface CountedRun {
  readonly manifest: StateEntry;
  /** Its coverage, and its comparison with AWS's counts and rejected records if it had any. */
  readonly records: readonly StateEntry[];
  readonly parts: readonly WrittenPart[];
  /** Keys of parts that it removed. */
  readonly removed: readonly string[];
}

/**
 * How far before the newest checkpoint other runs are searched. One that ended after it has begun at most `longestRunMs`
 * (src/ledger/run-end.ts) before it; folders are listed by the month.
 */
const searchedMs = 31 * dayMs;
const readAtOnce = 8;

export interface UncountedRuns {
  readonly ended: readonly CountedRun[];
  /** Begin records of runs without a manifest: they died, or are still running. */
  readonly begun: readonly StateEntry[];
}

/**
 * @param since when the newest checkpoint's run began; null: no run is counted yet
 * @param own the manifest of the run that asks
 */
export async function uncountedRuns(
  store: Store,
  state: LakeState,
  { since, asOf, own, signal }: { since: number | null; asOf: number; own: string; signal: AbortSignal },
): Promise<UncountedRuns> {
  const withManifest = new Set<string>();
  const begins: { readonly key: string; readonly runId: string }[] = [];
  const keys: string[] = [];
  for (const prefix of since === null
    ? ['']
    : monthsBetween(Math.min(since, asOf) - searchedMs, Math.max(since, asOf))) {
    for await (const key of store.list(runsPrefix + prefix, {}, signal)) {
      const run = parseRunKey(key);
      if (run?.record === 'manifest') withManifest.add(run.runId);
      if (run === null || key === own || (await state.get(key)) !== null) continue;
      if (run.record === 'manifest') keys.push(key);
      // A begin record names every target: of an older lake's runs, not all of them are read.
      else if (run.asOf > asOf - searchedMs) begins.push({ key, runId: run.runId });
    }
  }
  const limit = pLimit(readAtOnce);
  const read = async (key: string): Promise<CountedRun[]> => {
    const found = await store.read(key, signal);
    return found === null ? [] : [countedRun(key, found.bytes)];
  };
  const readBegun = async (key: string): Promise<StateEntry[]> => {
    const found = await store.read(key, signal);
    if (found === null) return [];
    return [{ key, sha256: hash('sha256', found.bytes), bytes: found.bytes.length, rows: null }];
  };
  const died = begins.filter(({ runId }) => !withManifest.has(runId));
  const [ended, begun] = await Promise.all([
    Promise.all(keys.map((key) => limit(() => read(key)))),
    Promise.all(died.map(({ key }) => limit(() => readBegun(key)))),
  ]);
  return { ended: ended.flat(), begun: begun.flat() };
}

function monthsBetween(from: number, to: number): string[] {
  const months: string[] = [];
  for (let at = utcDay(from).slice(0, 7); at <= utcDay(to).slice(0, 7); at = nextMonth(at)) months.push(at);
  return months;
}

function nextMonth(month: string): string {
  return utcDay(Date.parse(`${month}-01`) + 31 * dayMs).slice(0, 7);
}

/** A manifest that cannot be read counts by its hash alone. */
function countedRun(key: string, bytes: Uint8Array): CountedRun {
  const manifest = { key, sha256: hash('sha256', bytes), bytes: bytes.length, rows: null };
  const said = parseManifest(bytes);
  const records = said === null ? [] : recordEntries(said);
  const parts = said?.parts ?? [];
  const removed = said?.removed ?? [];
  return [...records, ...parts].every(isEntry)
    ? { manifest, records, parts, removed }
    : { manifest, records: [], parts: [], removed: [] };
}

/** A line of the state can hold it. */
function isEntry({ key, sha256, bytes, rows }: StateEntry): boolean {
  const isCount = (value: unknown) => value === null || (Number.isSafeInteger(value) && Number(value) >= 0);
  return (
    typeof key === 'string' &&
    /^[\x21-\x7e]+$/.test(key) &&
    /^[0-9a-f]{64}$/.test(sha256) &&
    isCount(bytes) &&
    isCount(rows)
  );
}

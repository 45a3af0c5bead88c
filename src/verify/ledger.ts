/** The ledger as a whole: which runs there were, what they wrote, and whether their records are all there. */
import { createHash } from 'node:crypto';
import pLimit from 'p-limit';
import { beginKey, parseRunKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import {
  type BeginFacts,
  listRuns,
  type ManifestFacts,
  parseManifest,
  type RunRecords,
  readBegin,
} from '../ledger/read-runs.ts';
import { latestEnd } from '../ledger/run-end.ts';
import { ExpectedObjects, type Write } from './expected-objects.ts';
import { type Finding, finding } from './finding.ts';
import { type ChainLink, checkChain, type MissingLink, manifestOf } from './manifest-chain.ts';
import type { WitnessedManifests } from './witnessed-manifests.ts';

export interface KnownRun extends RunRecords {
  /**
   * `ended`: its manifest says what it wrote. `unfinished`: it has none, because it died or still runs. `lost`: it had one,
   * which is gone or changed.
   */
  readonly state: 'ended' | 'unfinished' | 'lost';
}

export interface Ledger {
  readonly runs: ReadonlyMap<string, KnownRun>;
  readonly expected: ExpectedObjects;
  readonly findings: readonly Finding[];
  /** How many manifests were read. */
  readonly manifests: number;
  /** The SHA-256 of each manifest, by key. */
  readonly manifestHashes: ReadonlyMap<string, string>;
  /** The key of each manifest, by run. */
  readonly manifestKeys: ReadonlyMap<string, string>;
  /** Manifests that no other names. */
  readonly heads: readonly string[];
  /** From the newest begin record; null: there is none. */
  readonly buckets: number | null;
  /** The begin record of a run; null: it is gone or unreadable. */
  begin(runId: string): Promise<BeginFacts | null>;
  /** When a run had certainly ended, in milliseconds since the epoch, by AWS's time. */
  latestEnd(runId: string): Promise<number>;
}

export interface LedgerOptions {
  readonly store: Pick<Store, 'list' | 'read'>;
  /** What the newest checkpoint says of manifests. */
  readonly witnessed: WitnessedManifests;
  /** Objects whose whole history is kept. */
  readonly histories: ReadonlySet<string>;
  readonly signal: AbortSignal;
  /** Called after each manifest. */
  readonly onManifest?: (done: number, of: number) => void;
}

/** A request each. */
const readAtOnce = 8;

/** @throws LakeError when the ledger cannot be listed or read */
export async function readLedger(options: LedgerOptions): Promise<Ledger> {
  const { store, witnessed, histories, signal } = options;
  const { runs, foreign } = await listRuns(store, { signal });
  const begins = new Map<string, Promise<BeginFacts | null>>();
  const begin = (runId: string): Promise<BeginFacts | null> => {
    const run = byId.get(runId);
    const known =
      begins.get(runId) ?? (run === undefined ? Promise.resolve(null) : readBegin(store, run, signal));
    begins.set(runId, known);
    return known;
  };
  const byId = new Map(runs.map((run) => [run.runId, run]));
  const endOf = async (runId: string): Promise<number> =>
    latestEnd(byId.get(runId)?.asOf ?? 0, await begin(runId));

  const links: ChainLink[] = [];
  const first = new ExpectedObjects(histories);
  const withManifest = runs.filter(({ hasManifest }) => hasManifest);
  for await (const { link, manifest } of readManifests(withManifest, options)) {
    links.push(link);
    if (manifest !== null) first.add(link.asOf, manifest);
  }
  const missing = await missingLinks(links, witnessed, store, signal);
  const ends = new Map<string, number>();
  for (const { runId } of unnamed(links)) ends.set(runId, await endOf(runId));
  const chain = checkChain(
    links,
    missing,
    (run, other) => other.asOf > (ends.get(run.runId) ?? Infinity),
    witnessed,
  );

  let expected = first;
  if (links.some(({ runId }) => chain.lost.has(runId))) {
    // What a changed manifest says does not count.
    expected = new ExpectedObjects(histories);
    const trusted = withManifest.filter(({ runId }) => !chain.lost.has(runId));
    for await (const { link, manifest } of readManifests(trusted, options)) {
      if (manifest !== null) expected.add(link.asOf, manifest);
    }
  }
  await settle(expected, endOf);

  const known = new Map<string, KnownRun>();
  for (const run of runs) {
    const state = chain.lost.has(run.runId) ? 'lost' : run.hasManifest ? 'ended' : 'unfinished';
    known.set(run.runId, { ...run, state });
  }
  const beginFindings = await checkBegins([...known.values()], store, begin, begins, signal);
  const newest = runs.findLast(({ hasBegin }) => hasBegin);
  return {
    runs: known,
    expected,
    findings: [
      ...chain.findings,
      ...beginFindings,
      ...foreign.map((key) => finding('foreign-object', key, 'it is neither a begin record nor a manifest')),
    ],
    manifests: links.length,
    manifestHashes: new Map(links.map(({ key, sha256 }) => [key, sha256])),
    manifestKeys: new Map(links.map(({ runId, key }) => [runId, key])),
    heads: chain.heads,
    buckets: newest === undefined ? null : ((await begin(newest.runId))?.buckets ?? null),
    begin,
    latestEnd: endOf,
  };
}

/** In the order of the runs. A manifest that names another run than its key says nothing. */
async function* readManifests(
  runs: readonly RunRecords[],
  { store, signal, onManifest }: LedgerOptions,
): AsyncGenerator<{ readonly link: ChainLink; readonly manifest: ManifestFacts | null }> {
  const limit = pLimit(readAtOnce);
  const read = async (run: RunRecords) => {
    const key = manifestOf(run);
    const found = await store.read(key, signal);
    return { run, key, bytes: found?.bytes ?? null };
  };
  let done = 0;
  for (let at = 0; at < runs.length; at += readAtOnce) {
    const chunk = runs.slice(at, at + readAtOnce);
    for (const { run, key, bytes } of await Promise.all(chunk.map((one) => limit(() => read(one))))) {
      done += 1;
      onManifest?.(done, runs.length);
      // It was listed and is gone: a later manifest says so, if there is one.
      if (bytes === null) continue;
      const parsed = parseManifest(bytes);
      const manifest = parsed?.run_id === run.runId ? parsed : null;
      const { runId, asOf, date } = run;
      const sha256 = createHash('sha256').update(bytes).digest('hex');
      yield { link: { key, runId, asOf, date, sha256, previous: manifest?.previous ?? null }, manifest };
    }
  }
}

function unnamed(links: readonly ChainLink[]): readonly ChainLink[] {
  const named = new Set(links.flatMap(({ previous }) => (previous ?? []).map(({ key }) => key)));
  return links.filter(({ key }) => !named.has(key));
}

/** Manifests that others name and that are not there. One may have come after the listing. */
async function missingLinks(
  links: readonly ChainLink[],
  witnessed: WitnessedManifests,
  store: Pick<Store, 'read'>,
  signal: AbortSignal,
): Promise<readonly MissingLink[]> {
  const there = new Set(links.map(({ key }) => key));
  const named = new Set([
    ...links.flatMap(({ previous }) => (previous ?? []).map(({ key }) => key)),
    ...witnessed.keys(),
  ]);
  const missing: MissingLink[] = [];
  for (const key of named) {
    if (there.has(key)) continue;
    const run = parseRunKey(key);
    if (run !== null && (await store.read(key, signal)) !== null) continue;
    missing.push({ key, runId: run?.runId ?? null, asOf: run?.asOf ?? null });
  }
  return missing;
}

/**
 * If an object has several writes, drops those of runs that had ended before the run of another began: that one was last,
 * whatever an unfinished run wrote in between.
 */
async function settle(expected: ExpectedObjects, endOf: (runId: string) => Promise<number>): Promise<void> {
  for (const key of expected.keys()) {
    const object = expected.get(key);
    if (object === undefined || object.writes.length < 2) continue;
    const kept: Write[] = [];
    for (const write of object.writes) {
      const end = await endOf(write.runId);
      const isOver = object.writes.some(
        (other) =>
          other.asOf > end ||
          (other.runId === write.runId && other !== write && isLater(object, other, write)),
      );
      if (!isOver) kept.push(write);
    }
    object.writes = kept;
  }
}

function isLater({ writes }: { readonly writes: readonly Write[] }, one: Write, than: Write): boolean {
  return writes.indexOf(one) > writes.indexOf(than);
}

/**
 * Runs without a begin record, and begin records that cannot be read. Only those of unfinished runs, of the newest run and
 * of runs whose end is needed are read: a begin record names every target, so all of them would be gigabytes.
 */
async function checkBegins(
  runs: readonly KnownRun[],
  store: Pick<Store, 'read'>,
  begin: (runId: string) => Promise<BeginFacts | null>,
  wereRead: ReadonlyMap<string, unknown>,
  signal: AbortSignal,
): Promise<readonly Finding[]> {
  const newest = runs.findLast(({ hasBegin }) => hasBegin);
  const findings: Finding[] = [];
  for (const run of runs) {
    const { runId, date, hasBegin, state } = run;
    const key = beginKey(date, runId);
    if (!hasBegin) {
      // It is written first, so it is there before the manifest; but it may have been listed before.
      if ((await store.read(key, signal)) !== null) continue;
      findings.push(
        finding('begin-record-missing', key, `the run ${runId} has a manifest, but no begin record`, {
          run_id: runId,
        }),
      );
    } else if (
      (state === 'unfinished' || run === newest || wereRead.has(runId)) &&
      (await begin(runId)) === null
    ) {
      findings.push(
        finding('begin-record-changed', key, 'it is not the begin record of this run', { run_id: runId }),
      );
    }
  }
  return findings;
}

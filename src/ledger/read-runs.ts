/** Reads the records of past runs: which there are, and what they say. */
import { beginKey, manifestKey, parseRunKey, runsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { isJsonObject } from '../shared/json-object.ts';
import { utcDay } from '../tables/table.ts';
import { recordedEnd } from './run-end.ts';
import type { BeginRecord, Manifest, WrittenPart, WrittenRecord, WrittenTable } from './runs.ts';

/** A run by the names of its records. */
export interface RunRecords {
  readonly runId: string;
  /** Milliseconds since the epoch; from the run's id. */
  readonly asOf: number;
  /** `yyyy-MM-dd`, the folder of its records. */
  readonly date: string;
  readonly hasBegin: boolean;
  readonly hasManifest: boolean;
}

export interface FoundRuns {
  /** By as-of, ascending. */
  readonly runs: readonly RunRecords[];
  /** Keys that no run writes. */
  readonly foreign: readonly string[];
}

/**
 * Lists runs. Reads only names.
 * @param since the first day to list, `yyyy-MM-dd`; default: all
 * @throws LakeError when the store cannot be listed
 */
export async function listRuns(
  store: Pick<Store, 'list'>,
  { since, signal }: { readonly since?: string; readonly signal?: AbortSignal } = {},
): Promise<FoundRuns> {
  const found = new Map<string, { asOf: number; date: string; hasBegin: boolean; hasManifest: boolean }>();
  const foreign: string[] = [];
  for await (const key of runKeys(store, since, signal)) {
    const parsed = parseRunKey(key);
    const date = parsed === null ? '' : utcDay(parsed.asOf);
    const own = parsed?.record === 'begin' ? beginKey : manifestKey;
    if (parsed === null || key !== own(date, parsed.runId)) {
      foreign.push(key);
      continue;
    }
    const run = found.get(parsed.runId) ?? { asOf: parsed.asOf, date, hasBegin: false, hasManifest: false };
    if (parsed.record === 'begin') run.hasBegin = true;
    else run.hasManifest = true;
    found.set(parsed.runId, run);
  }
  // A run's id begins with its as-of.
  const runs = [...found].map(([runId, run]) => ({ runId, ...run }));
  return { runs: runs.sort((a, b) => (a.runId < b.runId ? -1 : 1)), foreign };
}

async function* runKeys(
  store: Pick<Store, 'list'>,
  since: string | undefined,
  signal: AbortSignal | undefined,
): AsyncGenerator<string> {
  if (since === undefined) {
    yield* store.list(runsPrefix, {}, signal);
    return;
  }
  for await (const folder of store.list(runsPrefix, { folders: true }, signal)) {
    if (folder.slice(runsPrefix.length, -1) >= since) yield* store.list(folder, {}, signal);
  }
}

/** What a begin record says that others need; null: it is not one. */
export type BeginFacts = Pick<BeginRecord, 'run_id' | 'as_of' | 'buckets' | 'plan' | 'settings'> & {
  /** When the run has ended at the latest, in milliseconds since the epoch, by AWS's time. */
  readonly endsBy: number;
};

/** Null: the record is gone, unreadable, or of another run. @throws LakeError when the store fails */
export async function readBegin(
  store: Pick<Store, 'read'>,
  run: Pick<RunRecords, 'runId' | 'asOf' | 'date'>,
  signal?: AbortSignal,
): Promise<BeginFacts | null> {
  const found = await store.read(beginKey(run.date, run.runId), signal);
  return found === null ? null : beginOf(run, found.bytes);
}

/** Null: the bytes are not the begin record of this run. */
export function beginOf(
  { runId, asOf }: Pick<RunRecords, 'runId' | 'asOf'>,
  bytes: Uint8Array,
): BeginFacts | null {
  const begin = parseBegin(bytes);
  return begin?.run_id === runId && Date.parse(begin.as_of) === asOf ? begin : null;
}

function parseBegin(bytes: Uint8Array): BeginFacts | null {
  const record = parsedObject(bytes);
  if (record === null || typeof record.run_id !== 'string' || typeof record.as_of !== 'string') return null;
  if (typeof record.buckets !== 'number' || !Array.isArray(record.plan)) return null;
  const settings = isJsonObject(record.settings) ? record.settings : {};
  return {
    run_id: record.run_id,
    as_of: record.as_of,
    buckets: record.buckets,
    // Safe: nobody but this program writes plans, and their readers compare texts only.
    plan: record.plan as BeginRecord['plan'],
    settings,
    endsBy: recordedEnd({ as_of: record.as_of, ends_by: record.ends_by, settings }),
  };
}

/** What a manifest says about the lake. */
export type ManifestFacts = Pick<
  Manifest,
  'run_id' | 'previous' | 'parts' | 'coverage' | 'reconciliation' | 'rejected' | 'begin'
> & { readonly removed: readonly string[] };

/** Null: the bytes are not a manifest. */
export function parseManifest(bytes: Uint8Array): ManifestFacts | null {
  const record = parsedObject(bytes);
  if (record === null || typeof record.run_id !== 'string' || !Array.isArray(record.parts)) return null;
  const previous = linksIn(record.previous);
  const { coverage, reconciliation = null, rejected, begin } = record;
  if (previous === null || !record.parts.every(isWrittenPart)) return null;
  if (!isWrittenTable(coverage)) return null;
  if (reconciliation !== null && !isWrittenTable(reconciliation)) return null;
  if (rejected !== null && (!isJsonObject(rejected) || !isNamed(rejected))) return null;
  if (begin !== undefined && !isWrittenRecord(begin)) return null;
  return {
    run_id: record.run_id,
    previous,
    parts: record.parts,
    removed: Array.isArray(record.removed) ? record.removed.map(String) : [],
    coverage: writtenTable(coverage),
    reconciliation: reconciliation === null ? null : writtenTable(reconciliation),
    rejected:
      rejected === null
        ? null
        : { key: rejected.key, records: Number(rejected.records), sha256: rejected.sha256 },
    ...(begin === undefined ? {} : { begin: { key: begin.key, bytes: begin.bytes, sha256: begin.sha256 } }),
  };
}

/** The first versions named one manifest or none. */
function linksIn(previous: unknown): Manifest['previous'] | null {
  const links: readonly unknown[] = Array.isArray(previous) ? previous : previous == null ? [] : [previous];
  const named = links.flatMap((link) => (isJsonObject(link) && isNamed(link) ? [link] : []));
  return named.length === links.length ? named.map(({ key, sha256 }) => ({ key, sha256 })) : null;
}

function isWrittenRecord(value: unknown): value is WrittenRecord {
  return isJsonObject(value) && isNamed(value) && typeof value.bytes === 'number';
}

function isWrittenTable(value: unknown): value is WrittenTable {
  return isJsonObject(value) && isNamed(value) && typeof value.rows === 'number';
}

function writtenTable({ key, rows, sha256, bytes }: WrittenTable): WrittenTable {
  return { key, rows, sha256, ...(typeof bytes === 'number' ? { bytes } : {}) };
}

function isWrittenPart(part: unknown): part is WrittenPart {
  return (
    isJsonObject(part) &&
    isNamed(part) &&
    typeof part.rows === 'number' &&
    typeof part.bytes === 'number' &&
    typeof part.etag_after === 'string' &&
    (part.etag_before === null || typeof part.etag_before === 'string')
  );
}

function isNamed(
  value: Readonly<Record<string, unknown>>,
): value is Readonly<Record<string, unknown>> & { readonly key: string; readonly sha256: string } {
  return typeof value.key === 'string' && typeof value.sha256 === 'string';
}

function parsedObject(bytes: Uint8Array): Readonly<Record<string, unknown>> | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return isJsonObject(value) ? value : null;
  } catch {
    return null;
  }
}

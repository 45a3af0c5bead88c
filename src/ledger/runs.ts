/**
 * The records of a run: at the start its plan (the begin record), at the end what it wrote (the manifest). A run without a
 * manifest did not finish.
 */
import { createHash, hash } from 'node:crypto';
import pLimit from 'p-limit';
import { v7 } from 'uuid';
import type { Shard } from '../config/typed-values.ts';
import { beginKey, manifestKey, parseRunKey, runsPrefix } from '../lake/layout.ts';
import { compareKeys } from '../lake/stores/key.ts';
import type { Store } from '../lake/stores/store.ts';
import { writeOnce } from '../lake/write-once.ts';
import { utcDay } from '../tables/table.ts';
import type { Totals } from './totals.ts';

/** `seq` counts tenths of a second from here. An unsigned 32-bit number lasts for 13 years. */
const counterStart = Date.UTC(2026, 0, 1);

/**
 * A UUIDv7 with the run's as-of as its time, so that ids sort by AWS's time. The local clock only orders runs with the same
 * as-of.
 */
export function newRunId(asOf: number, localNow: number): string {
  const seq = Math.max(0, Math.floor((localNow - counterStart) / 100)) % 2 ** 32;
  return v7({ msecs: asOf, seq });
}

/**
 * The run that began last, by the time in its id; null: no run has begun. Reads only names.
 * @param until later ones do not count unless they have ended, in milliseconds since the epoch. Default: all count
 * @throws LakeError when the store cannot be listed
 */
export async function newestRun(
  store: Store,
  signal?: AbortSignal,
  until = Number.POSITIVE_INFINITY,
): Promise<{ readonly key: string; readonly asOf: number } | null> {
  const folders: string[] = [];
  for await (const folder of store.list(runsPrefix, { folders: true }, signal)) folders.push(folder);
  for (const folder of folders.sort().reverse()) {
    let newest: { readonly key: string; readonly asOf: number } | null = null;
    for await (const key of store.list(folder, {}, signal)) {
      const { asOf, record } = parseRunKey(key) ?? {};
      if (asOf === undefined || (asOf > until && record === 'begin')) continue;
      if (newest === null || asOf > newest.asOf) newest = { key, asOf };
    }
    if (newest !== null) return newest;
  }
  return null;
}

export interface BeginRecord {
  readonly format: 1;
  readonly run_id: string;
  /** ISO 8601 UTC, like all times here. */
  readonly as_of: string;
  /** By the local clock. Only for people. */
  readonly started_at: string;
  /** When the run has ended at the latest, by AWS's time. Older programs did not write it. */
  readonly ends_by?: string;
  readonly program_version: string;
  /** The lake's bucket count, as this run knew it. */
  readonly buckets: number;
  readonly caller: { readonly account_id: string; readonly arn: string };
  /** The settings without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly plan: readonly {
    readonly table: string;
    readonly account_id: string;
    readonly region: string;
    readonly window_from: string | null;
    readonly window_to: string | null;
    /** Jobs created before the window were asked for if they ended since; absent: they were not. */
    readonly ended_since?: string;
  }[];
}

/** One write of a part. A run may write a part several times; the list is in that order. */
export interface WrittenPart {
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  /** The content that was replaced; null: there was none. Older programs did not write it. */
  readonly sha256_before?: string | null;
  readonly etag_before: string | null;
  readonly etag_after: string;
}

/** What a run added to a table of its own. */
export interface WrittenTable {
  readonly key: string;
  readonly rows: number;
  /** Older programs did not write it. */
  readonly bytes?: number;
  readonly sha256: string;
}

export interface Manifest {
  readonly format: 1;
  readonly run_id: string;
  readonly as_of: string;
  /** By AWS's time. Older programs wrote the local clock's. */
  readonly ended_at: string;
  readonly program_version: string;
  /** The manifests that no other manifest named when this one was written, with the SHA-256 of their bytes. */
  readonly previous: readonly { readonly key: string; readonly sha256: string }[];
  readonly parts: readonly WrittenPart[];
  readonly coverage: WrittenTable;
  /** Null if AWS's own counts were not compared. Older manifests lack it. */
  readonly reconciliation: WrittenTable | null;
  readonly rejected: { readonly key: string; readonly records: number; readonly sha256: string } | null;
  /** The run's begin record. Older manifests lack it. */
  readonly begin?: WrittenRecord;
  /** Of a run that is one of several: which, and what it has in common with the others. */
  readonly shard?: Shard;
  readonly night?: string | null;
  /** Rows that it read and other shards own: what it handed over to them. */
  readonly handed_over?: readonly WrittenTable[];
  /** Keys of parts that `rebucket` has removed, because their rows are in others now. */
  readonly removed?: readonly string[];
  readonly totals: Totals;
  readonly exit_code: number;
}

export async function writeBegin(
  store: Store,
  begin: BeginRecord,
  signal?: AbortSignal,
): Promise<WrittenRecord> {
  return await writeRecord(store, beginKey(runDate(begin.as_of), begin.run_id), begin, signal);
}

/** An object of the ledger that was written. */
export interface WrittenRecord {
  readonly key: string;
  readonly bytes: number;
  readonly sha256: string;
}

export async function writeManifest(
  store: Store,
  manifest: Manifest,
  signal?: AbortSignal,
): Promise<WrittenRecord> {
  return await writeRecord(store, manifestKey(runDate(manifest.as_of), manifest.run_id), manifest, signal);
}

async function writeRecord(
  store: Store,
  key: string,
  content: BeginRecord | Manifest,
  signal?: AbortSignal,
): Promise<WrittenRecord> {
  const bytes = Buffer.from(`${JSON.stringify(content, null, 1)}\n`);
  const request = { key, body: { bytes }, runId: content.run_id, contentType: 'application/json' };
  await writeOnce(store, request, signal);
  return { key, bytes: bytes.length, sha256: hash('sha256', bytes) };
}

/** How many of the newest days with manifests are searched. A run that overlaps others for longer is not linked. */
export const daysLinked = 3;
const readAtOnce = 4;

/**
 * The manifests of the last days that no other manifest names, sorted by key. There are several if runs overlapped. The
 * next manifest names them all, which joins the chain again.
 */
export async function manifestHeads(store: Store, signal?: AbortSignal): Promise<Manifest['previous']> {
  const heads = new Map<string, string>();
  const named = new Set<string>();
  const limit = pLimit(readAtOnce);
  const look = async (key: string): Promise<void> => {
    const object = await store.read(key, signal);
    if (object === null) return;
    heads.set(key, createHash('sha256').update(object.bytes).digest('hex'));
    for (const earlier of keysNamedIn(object.bytes)) named.add(earlier);
  };
  for (const keys of await latestManifests(store, signal)) {
    await Promise.all(keys.map((key) => limit(() => look(key))));
  }
  return [...heads]
    .filter(([key]) => !named.has(key))
    .map(([key, sha256]) => ({ key, sha256 }))
    .sort((a, b) => compareKeys(a.key, b.key));
}

/** The keys of the manifests, day by day. */
async function latestManifests(store: Store, signal?: AbortSignal): Promise<string[][]> {
  const folders: string[] = [];
  for await (const folder of store.list(runsPrefix, { folders: true }, signal)) folders.push(folder);
  const days: string[][] = [];
  for (const folder of folders.sort().reverse()) {
    if (days.length === daysLinked) break;
    const keys: string[] = [];
    for await (const key of store.list(folder, {}, signal)) {
      if (parseRunKey(key)?.record === 'manifest') keys.push(key);
    }
    if (keys.length > 0) days.push(keys);
  }
  return days;
}

/** Empty for an unreadable manifest. Its own hash still goes into the chain. */
function keysNamedIn(bytes: Uint8Array): string[] {
  try {
    const manifest: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof manifest !== 'object' || manifest === null || !('previous' in manifest)) return [];
    const links: unknown[] = Array.isArray(manifest.previous) ? manifest.previous : [manifest.previous];
    return links.flatMap((link) =>
      typeof link === 'object' && link !== null && 'key' in link && typeof link.key === 'string'
        ? [link.key]
        : [],
    );
  } catch {
    return [];
  }
}

function runDate(asOf: string): string {
  return utcDay(Date.parse(asOf));
}

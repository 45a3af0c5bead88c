/**
 * What a run says of itself: that it began, with what plan; and, when it ended, what it wrote. A run with
 * a begin record and no manifest did not end.
 */
import { createHash, randomUUID } from 'node:crypto';
import { v7 } from 'uuid';
import { LakeError } from '../errors.ts';
import { beginKey, manifestKey, runsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import type { RunSummary } from '../run-summary.ts';
import { utcDay } from '../tables/table.ts';

/** The instant that counters start at: tenths of a second fill `seq`, an unsigned 32-bit number, in 13 years. */
const counterStart = Date.UTC(2026, 0, 1);

/**
 * A UUIDv7 whose time is the run's as-of (AWS's clock), so that ids sort as the runs' instants do. Between runs
 * of one instant the local clock decides; it counts only there.
 */
export function newRunId(asOf: number, localNow: number): string {
  const seq = Math.max(0, Math.floor((localNow - counterStart) / 100)) % 2 ** 32;
  return v7({ msecs: asOf, seq });
}

export interface BeginRecord {
  readonly format: 1;
  readonly run_id: string;
  /** ISO 8601 UTC, as all times here. */
  readonly as_of: string;
  /** By the local clock; for people only. */
  readonly started_at: string;
  readonly program_version: string;
  readonly caller: { readonly account_id: string; readonly arn: string };
  /** The settings without secrets. */
  readonly settings: Readonly<Record<string, unknown>>;
  readonly plan: readonly {
    readonly table: string;
    readonly account_id: string;
    readonly region: string;
    readonly window_from: string | null;
    readonly window_to: string | null;
  }[];
}

/** One write of a part; a run may write a part more than once, in this order. */
export interface WrittenPart {
  readonly key: string;
  readonly rows: number;
  readonly bytes: number;
  readonly sha256: string;
  readonly etag_before: string | null;
  readonly etag_after: string;
}

export interface Manifest {
  readonly format: 1;
  readonly run_id: string;
  readonly as_of: string;
  readonly ended_at: string;
  readonly program_version: string;
  /** The manifest that was the latest when this one was written: its key and the SHA-256 of its bytes. */
  readonly previous: { readonly key: string; readonly sha256: string } | null;
  readonly parts: readonly WrittenPart[];
  readonly coverage: { readonly key: string; readonly rows: number; readonly sha256: string };
  readonly rejected: { readonly key: string; readonly records: number; readonly sha256: string } | null;
  readonly totals: RunSummary['tables'];
  readonly exit_code: number;
}

export async function writeBegin(store: Store, begin: BeginRecord, signal?: AbortSignal): Promise<void> {
  await writeOnce(store, beginKey(runDate(begin.as_of), begin.run_id), begin, begin.run_id, signal);
}

export async function writeManifest(store: Store, manifest: Manifest, signal?: AbortSignal): Promise<void> {
  const key = manifestKey(runDate(manifest.as_of), manifest.run_id);
  await writeOnce(store, key, manifest, manifest.run_id, signal);
}

/** The latest manifest of the lake, by run id; null in a lake where no run has ended. */
export async function latestManifest(store: Store, signal?: AbortSignal): Promise<Manifest['previous']> {
  const folders: string[] = [];
  for await (const folder of store.list(runsPrefix, { folders: true }, signal)) folders.push(folder);
  for (const folder of folders.sort().reverse()) {
    const keys: string[] = [];
    for await (const key of store.list(folder, {}, signal)) {
      if (key.endsWith('.json') && !key.endsWith('.begin.json')) keys.push(key);
    }
    const key = keys.sort().at(-1);
    if (key === undefined) continue;
    const object = await store.read(key, signal);
    if (object !== null) return { key, sha256: createHash('sha256').update(object.bytes).digest('hex') };
  }
  return null;
}

function runDate(asOf: string): string {
  return utcDay(Date.parse(asOf));
}

async function writeOnce(
  store: Store,
  key: string,
  content: BeginRecord | Manifest,
  runId: string,
  signal?: AbortSignal,
): Promise<void> {
  const put = await store.put(
    {
      key,
      body: { bytes: Buffer.from(`${JSON.stringify(content, null, 1)}\n`) },
      condition: { ifAbsent: true },
      writeId: randomUUID(),
      metadata: { 'run-id': runId },
      contentType: 'application/json',
    },
    signal,
  );
  if (!put.written) {
    throw new LakeError(
      `${key} in ${store.url} is already there, though its name holds this run's own id`,
      'Look at who else writes into this lake: run ids are never used twice.',
    );
  }
}

/** Opens a lake. Checks that this program may use it, and that the store supports what the program needs. */
import { randomUUID } from 'node:crypto';
import { UsageError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { Table } from '../tables/table.ts';
import {
  beingRebucketed,
  type LakeRecord,
  parseRecord,
  recordDamaged,
  recordMissing,
  schemaVersions,
  serializeRecord,
} from './lake-record.ts';
import {
  bucketHash,
  bucketOf,
  formatVersion,
  lakeKey,
  parseWatermarksKey,
  runsPrefix,
  tablePrefix,
  watermarksPrefix,
} from './layout.ts';
import { probeStore, touchStore, unsafeStoreError, withoutMultipart } from './store-probe.ts';
import type { Store } from './stores/store.ts';

export interface OpenLakeOptions {
  readonly store: Store;
  /** `--buckets`; null: the lake's own count, or for a new lake one for each shard. */
  readonly buckets: number | null;
  /** The number of shards; absent: there are none. A lake with fewer buckets is refused. */
  readonly shards?: number;
  readonly allowUnsafeStore: boolean;
  readonly runId: string;
  readonly programVersion: string;
  /** ISO 8601, UTC. */
  readonly now: string;
  /** `read` never writes anything. */
  readonly mode: 'write' | 'read';
  readonly signal?: AbortSignal;
  /** The tables that this program knows. Tests use it to act as an older or newer program. */
  readonly tables?: readonly Table[];
}

export interface Lake {
  readonly store: Store;
  readonly buckets: number;
  /** True if this call created the lake; in mode `read`, if there is none. */
  readonly isNew: boolean;
  /** The record in the lake; in mode `read` without a lake, the record that it would get. */
  readonly record: LakeRecord;
}

/**
 * In mode `write`, this proves that the store is writable, probes the store of a new lake, and creates or upgrades
 * `lake.json`. All writes are conditional, so that runs that open the lake at the same time agree.
 * @throws LakeError when the lake needs a newer program, is damaged, unreadable or not writable, or its store is not safe;
 *   UsageError when `buckets` differs from the lake's count
 */
export async function openLake(options: OpenLakeOptions): Promise<Lake> {
  const { store, mode, signal, tables = lakeTables } = options;
  const found = await store.read(lakeKey, signal);
  if (found === null) return await openMissing(options, tables);

  const { record, sealed } = parseRecord(found.bytes, store.url, tables);
  if (record.rebucketing !== undefined) throw beingRebucketed(store.url, record.rebucketing);
  checkBuckets(store.url, record.buckets, options.buckets);
  checkShards(store.url, record.buckets, options.shards ?? 1);
  if (mode === 'read') return lakeOf(store, record, false);
  if (record.unsafe_store && !options.allowUnsafeStore) await refuseUnsafe(store, signal);
  else await touchStore(store, randomUUID, signal);
  if (!sealed) await refuseContradicted(store, record.buckets, signal);
  return await raised(lakeOf(store, record, false), { etag: found.etag, sealed }, options, tables);
}

function lakeOf(store: Store, record: LakeRecord, isNew: boolean): Lake {
  return {
    store: record.multipart ? store : withoutMultipart(store),
    buckets: record.buckets,
    isNew,
    record,
  };
}

async function openMissing(options: OpenLakeOptions, tables: readonly Table[]): Promise<Lake> {
  const { store, mode, signal } = options;
  checkShards(store.url, options.buckets ?? options.shards ?? 1, options.shards ?? 1);
  await refuseOrphans(store, tables, signal);
  const planned: LakeRecord = {
    format_version: formatVersion,
    schema_versions: schemaVersions(tables),
    buckets: options.buckets ?? options.shards ?? 1,
    bucket_hash: bucketHash,
    created_at: options.now,
    created_by_run: options.runId,
    created_by_version: options.programVersion,
    unsafe_store: false,
    multipart: true,
  };
  if (mode === 'read') return lakeOf(store, planned, true);

  const probed = await probeStore(store, randomUUID, signal);
  if (!probed.safe && !options.allowUnsafeStore) throw unsafeStoreError(store.url, probed.complaint);
  const record = { ...planned, unsafe_store: !probed.safe, multipart: probed.safe && probed.multipart };
  const writeId = randomUUID();
  const outcome = await store.put(
    {
      key: lakeKey,
      body: { bytes: serializeRecord(record) },
      condition: { ifAbsent: true },
      writeId,
      metadata: { 'run-id': options.runId },
      contentType: 'application/json',
    },
    signal,
  );
  // If another run was faster, its record counts, and is checked like any other.
  return outcome.written ? lakeOf(store, record, true) : await openLake(options);
}

/** If there are parts but no `lake.json`, the bucket count is unknown. A wrong guess would duplicate rows. */
async function refuseOrphans(store: Store, tables: readonly Table[], signal?: AbortSignal): Promise<void> {
  for (const prefix of [...tables.map(tablePrefix), runsPrefix]) {
    for await (const key of store.list(prefix, {}, signal)) {
      // Another run may have created the whole lake in the meantime.
      if ((await store.read(lakeKey, signal)) !== null) return;
      throw recordMissing(store.url, key);
    }
  }
}

async function refuseUnsafe(store: Store, signal?: AbortSignal): Promise<void> {
  const probed = await probeStore(store, randomUUID, signal);
  if (!probed.safe) throw unsafeStoreError(store.url, probed.complaint);
}

function checkBuckets(url: string, there: number, asked: number | null): void {
  if (asked === null || asked === there) return;
  throw new UsageError(
    `--buckets ${asked} does not match the lake ${url}, which has ${there}`,
    `Omit --buckets, or change the lake first: backup-copy-export rebucket --buckets ${asked} --lake ${url}`,
  );
}

/** A shard owns whole buckets, so that no part is written by two shards. */
function checkShards(url: string, buckets: number, shards: number): void {
  if (shards <= buckets) return;
  throw new UsageError(
    `${shards} shards cannot share the ${buckets} bucket${buckets === 1 ? '' : 's'} of the lake ${url}: each shard needs a bucket of its own`,
    `Use at most ${buckets} shard${buckets === 1 ? '' : 's'}, or change the lake first: backup-copy-export rebucket --buckets ${shards} --lake ${url}`,
  );
}

/**
 * If somebody edits the bucket count of a record without a seal, all rows would be written a second time. The files of
 * watermarks reveal that: there is one per bucket, and they name their accounts.
 */
async function refuseContradicted(store: Store, buckets: number, signal?: AbortSignal): Promise<void> {
  for await (const key of store.list(watermarksPrefix, {}, signal)) {
    const bucket = parseWatermarksKey(key);
    if (bucket === null) continue;
    const bytes = (await store.read(key, signal))?.bytes;
    const stray = accountsIn(bytes).find((account) => bucketOf(account, buckets) !== bucket);
    if (stray !== undefined) {
      throw recordDamaged(
        store.url,
        `it says ${buckets} bucket${buckets === 1 ? '' : 's'}, but account ${stray} is stored in bucket ${bucket} (${key})`,
      );
    }
  }
}

/** The accounts in a file of watermarks, whose names are `table/account/region`. Empty if the file is unreadable. */
function accountsIn(bytes: Uint8Array | undefined): readonly string[] {
  try {
    const file: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    const targets = typeof file === 'object' && file !== null && 'targets' in file ? file.targets : null;
    return Object.keys(targets ?? {}).flatMap((name) => name.split('/')[1] ?? []);
  } catch {
    return [];
  }
}

/** The first write of a newer program makes older programs refuse the lake, before they can drop its columns. */
async function raised(
  lake: Lake,
  found: { readonly etag: string; readonly sealed: boolean },
  options: OpenLakeOptions,
  tables: readonly Table[],
): Promise<Lake> {
  const known = schemaVersions(tables);
  const there = lake.record.schema_versions;
  const current =
    found.sealed &&
    lake.record.format_version === formatVersion &&
    Object.entries(known).every(([name, version]) => there[name] === version);
  if (current) return lake;
  const record: LakeRecord = { ...lake.record, format_version: formatVersion, schema_versions: known };
  const outcome = await lake.store.put(
    {
      key: lakeKey,
      body: { bytes: serializeRecord(record) },
      condition: { ifMatch: found.etag },
      writeId: randomUUID(),
      metadata: { 'run-id': options.runId },
      contentType: 'application/json',
    },
    options.signal,
  );
  return outcome.written ? { ...lake, record } : await openLake(options);
}

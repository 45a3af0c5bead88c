/** Opening a lake: may this program work here, does the store keep its promises, how many buckets. */
import { randomUUID } from 'node:crypto';
import { UsageError } from '../shared/errors.ts';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import type { Table } from '../tables/table.ts';
import {
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
  runsPrefix,
  tablePrefix,
  watermarksPrefix,
} from './layout.ts';
import { probeStore, touchStore, unsafeStoreError, withoutMultipart } from './store-probe.ts';
import type { Store } from './stores/store.ts';

export interface OpenLakeOptions {
  readonly store: Store;
  /** `--buckets`; null: as the lake is, or 1. */
  readonly buckets: number | null;
  readonly allowUnsafeStore: boolean;
  readonly runId: string;
  readonly programVersion: string;
  /** ISO 8601, UTC. */
  readonly now: string;
  /** `read` writes nothing, whatever is there. */
  readonly mode: 'write' | 'read';
  readonly signal?: AbortSignal;
  /** The tables this program knows; for tests of programs older and newer. */
  readonly tables?: readonly Table[];
}

export interface Lake {
  readonly store: Store;
  readonly buckets: number;
  /** True when this call made the lake; in mode `read`, when there is none. */
  readonly isNew: boolean;
  /** As it is in the lake; in mode `read` of a missing lake, as it would be. */
  readonly record: LakeRecord;
}

/**
 * In mode `write` the store is proven writable, a new lake's store is probed, and `lake.json` is made or
 * raised, always conditionally: runs that open at the same time agree.
 * @throws LakeError when the lake needs a newer program, is damaged, unreadable or not writable, or its store
 *   is not safe; UsageError when `buckets` is not what the lake has
 */
export async function openLake(options: OpenLakeOptions): Promise<Lake> {
  const { store, mode, signal, tables = [copyJobs, copyJobSummaries, exportCoverage] } = options;
  const found = await store.read(lakeKey, signal);
  if (found === null) return await openMissing(options, tables);

  const { record, sealed } = parseRecord(found.bytes, store.url, tables);
  checkBuckets(store.url, record.buckets, options.buckets);
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
  await refuseOrphans(store, tables, signal);
  const planned: LakeRecord = {
    format_version: formatVersion,
    schema_versions: schemaVersions(tables),
    buckets: options.buckets ?? 1,
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
  const record = { ...planned, unsafe_store: !probed.safe, multipart: probed.safe && probed.inParts };
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
  // Another run was faster: its record counts, and is checked like any other.
  return outcome.written ? lakeOf(store, record, true) : await openLake(options);
}

/** Parts without a `lake.json` were cut into an unknown number of buckets: guessing would double rows. */
async function refuseOrphans(store: Store, tables: readonly Table[], signal?: AbortSignal): Promise<void> {
  for (const prefix of [...tables.map(tablePrefix), runsPrefix]) {
    for await (const key of store.list(prefix, {}, signal)) {
      // Another run may have made the whole lake since we looked.
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
    `--buckets ${asked} does not fit the lake ${url}, which has ${there}`,
    'Leave --buckets out: the count of a lake is fixed when it is made.',
  );
}

/**
 * Whoever edits the count of a record that has no seal yet would have all rows written a second time. Watermarks lie by
 * bucket too, and name their accounts.
 */
async function refuseContradicted(store: Store, buckets: number, signal?: AbortSignal): Promise<void> {
  for await (const key of store.list(watermarksPrefix, {}, signal)) {
    const [, number] = /\/(\d{5})\.json$/.exec(key) ?? [];
    if (number === undefined) continue;
    const bytes = (await store.read(key, signal))?.bytes;
    const stray = accountsIn(bytes).find((account) => bucketOf(account, buckets) !== Number(number));
    if (stray !== undefined) {
      throw recordDamaged(
        store.url,
        `it says ${buckets} buckets, but account ${stray} was filed under bucket ${Number(number)} (${key})`,
      );
    }
  }
}

/** Of a file of watermarks, whose names are `table/account/region`; none of one that cannot be read. */
function accountsIn(bytes: Uint8Array | undefined): readonly string[] {
  try {
    const file: unknown = JSON.parse(Buffer.from(bytes ?? []).toString('utf8'));
    const targets = typeof file === 'object' && file !== null && 'targets' in file ? file.targets : null;
    return Object.keys(targets ?? {}).flatMap((name) => name.split('/')[1] ?? []);
  } catch {
    return [];
  }
}

/** The first write of a newer program makes older ones refuse, before they could drop its columns. */
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

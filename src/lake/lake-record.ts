/** `_ledger/lake.json`: what a lake is made of. Written once, and raised when a newer program comes. */
import { LakeError } from '../errors.ts';
import type { Table } from '../tables/table.ts';
import { bucketHash, formatVersion, lakeKey } from './layout.ts';
import type { Store } from './stores/store.ts';

export interface LakeRecord {
  readonly format_version: number;
  /** The newest schema version that any program wrote, by table. */
  readonly schema_versions: Readonly<Record<string, number>>;
  /** How many parts a partition is cut into, by the hash of the account. Never changes. */
  readonly buckets: number;
  readonly bucket_hash: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly created_by_run: string;
  readonly created_by_version: string;
  /** True when a person insisted on a store that ignores conditional writes. */
  readonly unsafe_store: boolean;
  /** False: the store ignores conditions when a multipart upload is completed, so parts go up in one piece. */
  readonly multipart: boolean;
}

export function serializeRecord(record: LakeRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify(record, null, 2)}\n`);
}

/**
 * @throws LakeError when the bytes are no record, or were written by a program newer than this one
 */
export function parseRecord(bytes: Uint8Array, url: string, tables: readonly Table[]): LakeRecord {
  let parsed: unknown;
  try {
    parsed = JSON.parse(Buffer.from(bytes).toString('utf8'));
  } catch (error) {
    throw damaged(url, 'it is not JSON', error);
  }
  if (typeof parsed !== 'object' || parsed === null) throw damaged(url, 'it is not an object');
  // Every property is checked below before the record is used.
  const record = parsed as Partial<LakeRecord>;
  if (!isCount(record.format_version)) throw damaged(url, 'format_version is missing');
  if (record.format_version > formatVersion) {
    throw newerProgram(url, `format ${record.format_version}`, `format ${formatVersion}`);
  }
  if (typeof record.schema_versions !== 'object' || record.schema_versions === null) {
    throw damaged(url, 'schema_versions is missing');
  }
  for (const [name, version] of Object.entries(record.schema_versions)) {
    if (!isCount(version)) throw damaged(url, `schema_versions.${name} is not a number`);
    const known = tables.find((table) => table.name === name)?.schemaVersion;
    if (known === undefined) throw newerProgram(url, `a table ${name}`, 'no such table');
    if (version > known) throw newerProgram(url, `${name} version ${version}`, `version ${known}`);
  }
  if (!isCount(record.buckets)) throw damaged(url, 'buckets is missing');
  if (record.bucket_hash !== bucketHash) throw newerProgram(url, `hash ${record.bucket_hash}`, bucketHash);
  return {
    ...record,
    format_version: record.format_version,
    schema_versions: record.schema_versions,
    buckets: record.buckets,
    bucket_hash: record.bucket_hash,
    created_at: String(record.created_at ?? ''),
    created_by_run: String(record.created_by_run ?? ''),
    created_by_version: String(record.created_by_version ?? ''),
    unsafe_store: record.unsafe_store === true,
    multipart: record.multipart !== false,
  };
}

/** The lake's record; null when there is none. @throws as parseRecord, and what the store throws */
export async function readRecord(
  store: Pick<Store, 'read' | 'url'>,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<LakeRecord | null> {
  const found = await store.read(lakeKey, signal);
  return found === null ? null : parseRecord(found.bytes, store.url, tables);
}

/** For whoever meets parts without a record: into how many buckets they were cut, nobody knows. */
export function recordMissing(url: string, key: string): LakeError {
  return new LakeError(
    `${url} holds ${key}, but no ${lakeKey}`,
    'Restore _ledger/lake.json from an earlier version of the object or from a backup, or name another --lake: ' +
      'without it nobody knows how the parts there were cut.',
  );
}

/** This program's schema versions, by table. */
export function schemaVersions(tables: readonly Table[]): Record<string, number> {
  return Object.fromEntries(tables.map(({ name, schemaVersion }) => [name, schemaVersion]));
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

function damaged(url: string, why: string, cause?: unknown): LakeError {
  return new LakeError(
    `_ledger/lake.json in ${url} is damaged: ${why}`,
    'Restore it from an earlier version of the object or from a backup; its bucket count decides where rows belong.',
    { cause },
  );
}

function newerProgram(url: string, there: string, here: string): LakeError {
  return new LakeError(
    `The lake ${url} was written by a newer program: it has ${there}, this program knows ${here}`,
    'A newer program is needed: update backup-copy-export. Nothing was read from AWS Backup or written.',
  );
}

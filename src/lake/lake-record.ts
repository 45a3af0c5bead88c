/** `_ledger/lake.json`, the lake's own record. Written once, sealed with a hash, and upgraded by newer programs. */
import { createHash } from 'node:crypto';
import { LakeError, NewerLakeError, UnavailableError } from '../shared/errors.ts';
import type { Table } from '../tables/table.ts';
import { bucketHash, formatVersion, lakeKey } from './layout.ts';
import type { Store } from './stores/store.ts';

export interface LakeRecord {
  readonly format_version: number;
  /** The newest schema version that any program has written, by table. */
  readonly schema_versions: Readonly<Record<string, number>>;
  /** The number of buckets per partition. An account's hash decides its bucket. Only `rebucket` changes it. */
  readonly buckets: number;
  readonly bucket_hash: string;
  /** ISO 8601, UTC. */
  readonly created_at: string;
  readonly created_by_run: string;
  readonly created_by_version: string;
  /** True if a person insisted on a store that ignores conditional writes. */
  readonly unsafe_store: boolean;
  /** False: the store ignores conditions when a multipart upload is completed, so every object is uploaded in one request. */
  readonly multipart: boolean;
  /** While `rebucket` is at work; absent: it is not. */
  readonly rebucketing?: Rebucketing;
}

/** What `rebucket` has begun and not finished yet. */
export interface Rebucketing {
  readonly id: string;
  readonly to: number;
  /** `prepare`: the tables are as they were. `switch`: the new parts are whole below `rebucketPrefix`, and replace the old ones. */
  readonly phase: 'prepare' | 'switch';
}

/** So that older programs leave the lake alone until it has one number of buckets again. */
export const rebucketingFormat = 2;

/** The maximum of `--buckets`. A part's name has room for five digits. */
const mostBuckets = 1024;

/** Adds the seal: the SHA-256 of the content. Older programs need no seal, and keep fields that they do not know. */
export function serializeRecord(record: LakeRecord): Uint8Array {
  return Buffer.from(`${JSON.stringify({ ...record, sha256: sealOf(record) }, null, 2)}\n`);
}

/** Hashes the content, not the text: new indentation changes nothing. */
function sealOf(record: object): string {
  return createHash('sha256')
    .update(JSON.stringify(sorted(record)))
    .digest('hex');
}

function sorted(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) return value;
  const entries = Object.entries(value).sort(([a], [b]) => (a < b ? -1 : 1));
  return Object.fromEntries(entries.map(([name, inner]) => [name, sorted(inner)]));
}

export interface ParsedRecord {
  readonly record: LakeRecord;
  /** False if an older program wrote the record. Then nothing shows whether it was edited. */
  readonly sealed: boolean;
}

/**
 * @throws LakeError when the bytes are not a record, were edited, or were written by a newer program
 */
export function parseRecord(bytes: Uint8Array, url: string, tables: readonly Table[]): ParsedRecord {
  const text = Buffer.from(bytes).toString('utf8');
  let parsed: unknown;
  try {
    parsed = JSON.parse(text);
  } catch (error) {
    throw recordDamaged(url, 'it is not JSON', error);
  }
  if (typeof parsed !== 'object' || parsed === null) throw recordDamaged(url, 'it is not an object');
  // Safe: every property is checked below before the record is used.
  const { sha256, ...record } = parsed as Partial<LakeRecord> & { readonly sha256?: unknown };
  if (!isCount(record.format_version)) throw recordDamaged(url, 'format_version is missing');
  const isRebucketing = record.format_version === rebucketingFormat && isRebucketingState(record.rebucketing);
  if (record.format_version > formatVersion && !isRebucketing) {
    throw newerProgram(url, `format ${record.format_version}`, `format ${formatVersion}`);
  }
  if (typeof record.schema_versions !== 'object' || record.schema_versions === null) {
    throw recordDamaged(url, 'schema_versions is missing');
  }
  for (const [name, version] of Object.entries(record.schema_versions)) {
    if (!isCount(version)) throw recordDamaged(url, `schema_versions.${name} is not a number`);
    const known = tables.find((table) => table.name === name)?.schemaVersion;
    if (known === undefined) throw newerProgram(url, `a table ${name}`, 'no such table');
    if (version > known) throw newerProgram(url, `${name} version ${version}`, `version ${known}`);
  }
  if (typeof record.bucket_hash !== 'string') throw recordDamaged(url, 'bucket_hash is missing');
  if (record.bucket_hash !== bucketHash) throw newerProgram(url, `hash ${record.bucket_hash}`, bucketHash);
  for (const name of Object.keys(parsed)) {
    const literal = JSON.stringify(name).replace(/[\\^$.*+?()[\]{}|]/g, '\\$&');
    if (text.split(new RegExp(`${literal}\\s*:`)).length > 2)
      throw recordDamaged(url, `it says ${name} twice`);
  }
  if (sha256 !== undefined && sha256 !== sealOf(record)) {
    throw recordDamaged(url, 'it was edited since a program wrote it: its sha256 does not match its content');
  }
  if (!isCount(record.buckets)) throw recordDamaged(url, 'buckets is missing');
  if (record.buckets > mostBuckets) throw recordDamaged(url, `buckets is more than ${mostBuckets}`);
  return {
    sealed: sha256 !== undefined,
    record: {
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
    },
  };
}

/** The lake's record; null if there is none. @throws like parseRecord and the store */
export async function readRecord(
  store: Pick<Store, 'read' | 'url'>,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<LakeRecord | null> {
  const found = await store.read(lakeKey, signal);
  return found === null ? null : parseRecord(found.bytes, store.url, tables).record;
}

/** The error for parts without a record: nobody knows how many buckets they use. */
export function recordMissing(url: string, key: string): LakeError {
  return new LakeError(
    `${url} contains ${key}, but no ${lakeKey}`,
    'Restore _ledger/lake.json from an earlier version of the object or from a backup, or set --lake to another lake. ' +
      'Without this file the bucket count of the existing parts is unknown.',
  );
}

/** The error for a place without a lake. */
export function noLake(url: string): LakeError {
  return new LakeError(
    `There is no lake in ${url}: it has no ${lakeKey} and no parts`,
    'Check that --lake names the location that export writes to.',
  );
}

/** This program's schema versions, by table. */
export function schemaVersions(tables: readonly Table[]): Record<string, number> {
  return Object.fromEntries(tables.map(({ name, schemaVersion }) => [name, schemaVersion]));
}

function isRebucketingState(value: unknown): value is Rebucketing {
  if (typeof value !== 'object' || value === null) return false;
  if (!('id' in value) || !('to' in value) || !('phase' in value)) return false;
  return (
    typeof value.id === 'string' &&
    isCount(value.to) &&
    (value.phase === 'prepare' || value.phase === 'switch')
  );
}

/** The error for a job that needs one number of buckets. */
export function beingRebucketed(url: string, { to }: Rebucketing): UnavailableError {
  return new UnavailableError(
    `The lake ${url} is being changed to ${to} bucket${to === 1 ? '' : 's'}`,
    `Let rebucket finish, or run it again if it was interrupted: backup-copy-export rebucket --buckets ${to} --lake ${url}. Nothing is lost meanwhile, and query and status read the lake as always`,
  );
}

function isCount(value: unknown): value is number {
  return typeof value === 'number' && Number.isSafeInteger(value) && value >= 1;
}

export function recordDamaged(url: string, why: string, cause?: unknown): LakeError {
  return new LakeError(
    `_ledger/lake.json in ${url} is damaged: ${why}`,
    'Restore it from an earlier version of the object or from a backup. Its bucket count decides where rows belong.',
    { cause },
  );
}

function newerProgram(url: string, there: string, here: string): NewerLakeError {
  return new NewerLakeError(
    `A newer program wrote the lake ${url}: it has ${there}, this program knows ${here}`,
    'Update backup-copy-export. Nothing was read from AWS Backup, and nothing was written.',
  );
}

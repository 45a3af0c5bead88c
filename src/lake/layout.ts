/** Where everything lies in a lake: pure functions to keys. The layout is part of the lake's format. */
import { createHash } from 'node:crypto';
import { type PartitionColumn, type Table, utcDay } from '../tables/table.ts';

/** Raised when keys or ledger objects change in a way that older programs would damage. */
export const formatVersion = 1;

/** The bucket hash's name, as `lake.json` records it: see {@link bucketOf}. */
export const bucketHash = 'sha256-first4-be';

/** The lake's own record: format, schema versions, buckets. Made once, conditionally. */
export const lakeKey = '_ledger/lake.json';

/** Written over and over to learn whether a store keeps its promises. Holds nothing of worth. */
export const probeKey = '_ledger/probe.json';

/** Below this lie the begin records and manifests of all runs. */
export const runsPrefix = '_ledger/runs/';

/** Below this lie the watermarks, a file for each bucket. */
export const watermarksPrefix = '_ledger/watermarks/';

/** Below this lies all of a table, and nothing else: Athena reads everything it finds there. */
export function tablePrefix(table: Table): string {
  return `${table.name}/`;
}

/**
 * The key of the one part that holds a bucket of a partition. Fails when the partition's values are not
 * exactly those that the table names: a part in a wrong place would be read as another day's.
 */
export function partKey(table: Table, partition: Readonly<Record<string, string>>, bucket: number): string {
  for (const column of table.partitions) {
    const value = partition[column.name];
    if (value === undefined || partitionValue(column, `${column.name}=${value}`) === null) {
      throw new TypeError(
        `${table.name}: partition column ${column.name} cannot be ${JSON.stringify(value)}`,
      );
    }
  }
  return `${partitionPrefix(table, partition)}part-${numbered(bucket)}.parquet`;
}

/** Where a key puts what it names. */
export interface TableKey {
  readonly key: string;
  /** Values of the partition columns, by name. */
  readonly partition: Readonly<Record<string, string>>;
  /** The UTC day among them: every table has one, and it is the last. */
  readonly day: string;
  /** Null where a partition is not cut into buckets, but holds an object for each run. */
  readonly bucket: number | null;
}

/**
 * A run's coverage is named by its id, a UUIDv7 in lower case, whose first 48 bits are milliseconds (RFC 9562, section
 * 5.7): the run's as-of, which decides the partition too.
 */
const coverageFile = /^([0-9a-f]{8})-([0-9a-f]{4})-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}\.parquet$/;
const partFile = /^part-(\d{5})\.parquet$/;

/**
 * What a key below a table's prefix names in a lake of so many buckets; null when this program would never write
 * such a key: the object is foreign, and nobody may read it as a part.
 */
export function parseTableKey(table: Table, key: string, buckets: number): TableKey | null {
  const segments = key.split('/');
  const [folder, ...folders] = segments;
  const file = folders.pop() ?? '';
  if (folder !== table.name || folders.length !== table.partitions.length) return null;
  const partition: Record<string, string> = {};
  let day = '';
  for (const [at, column] of table.partitions.entries()) {
    const value = partitionValue(column, folders[at] ?? '');
    if (value === null) return null;
    partition[column.name] = value;
    day = value;
  }
  if (table.merge.kind === 'append') {
    const [, high, low] = coverageFile.exec(file) ?? [];
    const asOf = Number.parseInt(`${high}${low}`, 16);
    return !Number.isNaN(asOf) && utcDay(asOf) === day ? { key, partition, day, bucket: null } : null;
  }
  const [, number] = partFile.exec(file) ?? [];
  const bucket = Number(number);
  return number !== undefined && bucket < buckets ? { key, partition, day, bucket } : null;
}

/** The value that a folder's name gives a partition column; null when it is none that the column can have. */
export function partitionValue({ name, values }: PartitionColumn, folder: string): string | null {
  if (!folder.startsWith(`${name}=`)) return null;
  const value = folder.slice(name.length + 1);
  const fits = values.kind === 'day' ? isDay(value) : values.texts.includes(value);
  return fits ? value : null;
}

function isDay(text: string): boolean {
  const epochMs = /^\d{4}-\d\d-\d\d$/.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(epochMs) && utcDay(epochMs) === text;
}

/** The prefix of a partition: what lies below it is read together. */
export function partitionPrefix(table: Table, partition: Readonly<Record<string, string>>): string {
  const folders = table.partitions.map(({ name }) => `${name}=${partition[name] ?? ''}/`);
  return `${tablePrefix(table)}${folders.join('')}`;
}

/** @param runDate the UTC day of the run's as-of, `yyyy-MM-dd` */
export function coverageKey(runDate: string, runId: string): string {
  return `export_coverage/run_date=${runDate}/${runId}.parquet`;
}

export function beginKey(runDate: string, runId: string): string {
  return `${runsPrefix}${runDate}/${runId}.begin.json`;
}

export function manifestKey(runDate: string, runId: string): string {
  return `${runsPrefix}${runDate}/${runId}.json`;
}

export function rejectedKey(runDate: string, runId: string): string {
  return `_ledger/rejected/${runDate}/${runId}.ndjson`;
}

/** The first creation date of each job of a bucket: see src/lake/creation-dates.ts. */
export function creationDatesKey(bucket: number): string {
  return `_ledger/creation-dates/${numbered(bucket)}.bin`;
}

export function watermarksKey(bucket: number): string {
  return `${watermarksPrefix}${numbered(bucket)}.json`;
}

/**
 * The bucket of an account's rows: the first four bytes of the id's SHA-256, big-endian, modulo the count.
 * @param buckets at least 1
 */
export function bucketOf(accountId: string, buckets: number): number {
  return createHash('sha256').update(accountId).digest().readUInt32BE(0) % buckets;
}

function numbered(bucket: number): string {
  return String(bucket).padStart(5, '0');
}

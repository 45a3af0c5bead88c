/** Where everything lies in a lake: pure functions to keys. The layout is part of the lake's format. */
import { createHash } from 'node:crypto';
import type { Table } from '../tables/table.ts';

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

/** Below this lies all of a table, and nothing else: Athena reads everything it finds there. */
export function tablePrefix(table: Table): string {
  return `${table.name}/`;
}

/**
 * The key of the one part that holds a bucket of a partition. Fails when the partition's values are not
 * exactly those that the table names: a part in a wrong place would be read as another day's.
 */
export function partKey(table: Table, partition: Readonly<Record<string, string>>, bucket: number): string {
  const folders = table.partitions.map(({ name }) => {
    const value = partition[name];
    if (value === undefined || !/^[A-Za-z0-9_.-]+$/.test(value)) {
      throw new TypeError(`${table.name}: partition column ${name} cannot be ${JSON.stringify(value)}`);
    }
    return `${name}=${value}/`;
  });
  return `${tablePrefix(table)}${folders.join('')}part-${numbered(bucket)}.parquet`;
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

export function watermarksKey(bucket: number): string {
  return `_ledger/watermarks/${numbered(bucket)}.json`;
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

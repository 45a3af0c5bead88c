/**
 * Checks that a part's rows belong under its key. People swap, move and copy parts by hand, or edit `lake.json`. If such a
 * part were merged, its rows would stay duplicated forever.
 */
import { LakeError } from '../shared/errors.ts';
import { type PartitionColumn, type Table, utcDay } from '../tables/table.ts';
import { bucketOf, type TableKey } from './layout.ts';

/** Which of the partition's buckets a part holds, for example bucket 0 of 4. */
export interface Placement {
  readonly bucket: number;
  readonly buckets: number;
}

/** What a part's footer says about the part itself. ASCII. */
export function placementMetadata(
  table: Table,
  partition: Readonly<Record<string, string>>,
  { bucket, buckets }: Placement,
): Readonly<Record<string, string>> {
  return {
    table: table.name,
    partition: partitionText(table, partition),
    // Before the bucket: if both differ, the likelier cause is lake.json.
    buckets: String(buckets),
    bucket: String(bucket),
  };
}

/** `creation_date=2026-11-20`; several columns are joined by a slash. */
export function partitionText(table: Table, partition: Readonly<Record<string, string>>): string {
  return table.partitions.map(({ name }) => `${name}=${partition[name] ?? ''}`).join('/');
}

/** What the footer of the object with this key must say about the object, if it says anything. */
export function expectedFooter(
  table: Table,
  { partition, bucket, runId }: TableKey,
  buckets: number,
): Readonly<Record<string, string>> {
  if (bucket !== null) return placementMetadata(table, partition, { bucket, buckets });
  return { table: table.name, partition: partitionText(table, partition), run_id: runId ?? '' };
}

/**
 * What in a part's metadata contradicts its key; null: nothing. Parts of older programs only name their table.
 */
export function contradiction(
  expected: Readonly<Record<string, string>>,
  footer: ReadonlyMap<string, string>,
): string | null {
  for (const [name, value] of Object.entries(expected)) {
    const found = footer.get(name);
    if (found !== undefined && found !== value) {
      if (name === 'buckets') {
        return `it was written with ${found} bucket${found === '1' ? '' : 's'} per partition, but _ledger/lake.json says ${value}. If other parts agree with this one, lake.json was edited: restore lake.json, and leave the parts as they are`;
      }
      return `it was written for ${name} ${found}, but its key is for ${name} ${value}`;
    }
  }
  return null;
}

/** The partition column that holds a day, and the row's timestamp column that decides it. */
export function dayColumn(table: Table): { readonly partition: PartitionColumn; readonly of: string } | null {
  for (const partition of table.partitions) {
    if (partition.values.kind === 'day') return { partition, of: partition.values.of };
  }
  return null;
}

/** The first and last time among the rows, in milliseconds since the epoch; and how many rows have none. */
export interface Span {
  readonly first: number | null;
  readonly last: number | null;
  readonly without: number;
}

/** Why some rows do not belong to the day; null if all do. */
export function outsideDay(table: Table, day: string, { first, last, without }: Span): string | null {
  const { partition, of } = dayColumn(table) ?? {};
  if (partition === undefined) return null;
  if (without > 0) return `it contains rows without ${of}, which belong to no ${partition.name}`;
  if (first === null || last === null) return null;
  const days = [...new Set([utcDay(first), utcDay(last)])];
  if (days.every((one) => one === day)) return null;
  return `it contains rows of ${partition.name} ${days.join(' to ')}, but its key is for ${day}`;
}

/** Why some accounts do not belong to the bucket; null if all do. */
export function outsideBucket(
  accounts: Iterable<string | null>,
  { bucket, buckets }: Placement,
): string | null {
  if (buckets === 1) return null;
  for (const account of accounts) {
    if (account === null) return 'it contains rows without account_id, which belong to no bucket';
    const own = bucketOf(account, buckets);
    if (own !== bucket) {
      return `it contains rows of account ${account}, which belong to bucket ${own} of ${buckets}, but its key is for bucket ${bucket}`;
    }
  }
  return null;
}

/** The error for a damaged part, whether it was read for a merge or for a query. */
export function damagedPart(key: string, url: string, why: string, cause?: unknown): LakeError {
  return new LakeError(
    `The part ${key} in ${url} is damaged: ${why}`,
    'The part was not changed. Restore its earlier version, or move it away if there is none (docs/recovery.md).',
    { cause },
  );
}

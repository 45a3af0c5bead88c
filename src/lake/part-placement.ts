/**
 * Whether a part's rows belong where the part lies. Parts are swapped, moved and copied by hand, and a `lake.json` may
 * have been edited: merged as it is, such a part would hold rows twice for ever.
 */
import { LakeError } from '../shared/errors.ts';
import { type PartitionColumn, type Table, utcDay } from '../tables/table.ts';
import { bucketOf } from './layout.ts';

/** Which of a partition's parts: the first of 4, say. */
export interface Cut {
  readonly bucket: number;
  readonly buckets: number;
}

/** What a part says of itself in its footer: ASCII. */
export function placementMetadata(
  table: Table,
  partition: Readonly<Record<string, string>>,
  { bucket, buckets }: Cut,
): Readonly<Record<string, string>> {
  return {
    table: table.name,
    partition: partitionText(table, partition),
    // Before the bucket: where both differ, lake.json is the likelier cause.
    buckets: String(buckets),
    bucket: String(bucket),
  };
}

/** `creation_date=2026-11-20`; several columns with a slash between them. */
export function partitionText(table: Table, partition: Readonly<Record<string, string>>): string {
  return table.partitions.map(({ name }) => `${name}=${partition[name] ?? ''}`).join('/');
}

/**
 * What contradicts the place in a part's key-value metadata; null when nothing does. Parts of older programs only say
 * their table.
 */
export function contradiction(
  expected: Readonly<Record<string, string>>,
  footer: ReadonlyMap<string, string>,
): string | null {
  for (const [name, value] of Object.entries(expected)) {
    const found = footer.get(name);
    if (found !== undefined && found !== value) {
      if (name === 'buckets') {
        return `it was written as one of ${found} in its partition, and _ledger/lake.json says ${value}. If other parts say the same as this one, lake.json was edited: restore lake.json, and leave the parts`;
      }
      return `it was written with ${name} ${found}, and lies where ${name} ${value} belongs`;
    }
  }
  return null;
}

/** The partition column whose day the rows tell, and the row's column that tells it. */
export function dayColumn(table: Table): { readonly partition: PartitionColumn; readonly of: string } | null {
  for (const partition of table.partitions) {
    if (partition.values.kind === 'day') return { partition, of: partition.values.of };
  }
  return null;
}

/** Milliseconds since the epoch: the first and the last instant among the rows; and how many have none. */
export interface Span {
  readonly first: number | null;
  readonly last: number | null;
  readonly without: number;
}

/** Which rows do not belong into the day; null when all do. */
export function outsideDay(table: Table, day: string, { first, last, without }: Span): string | null {
  const { partition, of } = dayColumn(table) ?? {};
  if (partition === undefined) return null;
  if (without > 0) return `it holds rows without ${of}, which belong into no ${partition.name}`;
  if (first === null || last === null) return null;
  const days = [...new Set([utcDay(first), utcDay(last)])];
  if (days.every((one) => one === day)) return null;
  return `it holds rows of ${partition.name} ${days.join(' to ')}, and lies where ${day} belongs`;
}

/** Which accounts do not belong into the bucket; null when all do. */
export function outsideBucket(accounts: Iterable<string | null>, { bucket, buckets }: Cut): string | null {
  if (buckets === 1) return null;
  for (const account of accounts) {
    if (account === null) return 'it holds rows without account_id, which belong into no bucket';
    const own = bucketOf(account, buckets);
    if (own !== bucket) {
      return `it holds rows of account ${account}, which belong into bucket ${own} of ${buckets}, and lies where bucket ${bucket} belongs`;
    }
  }
  return null;
}

/** For whoever reads a part that is damaged, be it to merge it or to answer a question. */
export function damagedPart(key: string, url: string, why: string, cause?: unknown): LakeError {
  return new LakeError(
    `The part ${key} in ${url} is damaged: ${why}`,
    'Restore its earlier version, or move it away if there was none (docs/recovery.md). It was left as it is.',
    { cause },
  );
}

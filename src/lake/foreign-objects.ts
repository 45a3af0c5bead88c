/** Finds objects below a table's prefix that are not its parts. Jobs report them, and never read them. */

import pLimit from 'p-limit';
import type { Table } from '../tables/table.ts';
import { parseTableKey, partitionPrefix } from './layout.ts';
import { partitionsOf } from './partitions.ts';
import type { Store } from './stores/store.ts';

/** Each listing is one request or a few. */
const listingsAtOnce = 4;

export interface Partition {
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
}

/**
 * Folders below the tables that are not their partitions. On S3, one request returns a thousand folders.
 * @throws LinkError if a table or a partition is a link; LakeError when the lake cannot be listed
 */
export async function foreignFolders(
  store: Pick<Store, 'list'>,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(tables.map((table) => partitionsOf(store, table, signal)));
  return found.flatMap(({ foreign }) => foreign);
}

/** Objects in these partitions that are not parts. @throws LakeError when a partition cannot be listed */
export async function foreignIn(
  store: Pick<Store, 'list'>,
  partitions: Iterable<Partition>,
  buckets: number,
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const limit = pLimit({ concurrency: listingsAtOnce, rejectOnClear: true });
  const list = async ({ table, partition }: Partition): Promise<string[]> => {
    const foreign: string[] = [];
    for await (const key of store.list(partitionPrefix(table, partition), {}, signal)) {
      if (parseTableKey(table, key, buckets) === null) foreign.push(key);
    }
    return foreign;
  };
  try {
    return (await Promise.all([...partitions].map((one) => limit(() => list(one))))).flat().sort();
  } finally {
    limit.clearQueue();
  }
}

/** How many are named. The others are counted. */
const named = 3;

/** The message for people: what was found and what to do; null if nothing was found. */
export function describeForeign(keys: readonly string[]): string | null {
  if (keys.length === 0) return null;
  const first = keys.slice(0, named).join(', ');
  const rest = keys.length > named ? ` and ${keys.length - named} more` : '';
  const what =
    keys.length === 1
      ? '1 object is not a part of this lake'
      : `${keys.length} objects are not parts of this lake`;
  return (
    `${what}: ${first}${rest}. This program ignores them, but Athena and other readers of the table do not: they fail or ` +
    'count rows twice. Move these objects out of the lake'
  );
}

/** Objects that lie below a table and are none of its parts: who finds them names them, and nobody reads them. */

import pLimit from 'p-limit';
import type { Table } from '../tables/table.ts';
import { parseTableKey, partitionPrefix } from './layout.ts';
import { partitionsOf } from './partitions.ts';
import type { Store } from './stores/store.ts';

/** Each costs a request or a few. */
const listingsAtOnce = 4;

export interface Partition {
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
}

/**
 * Folders below the tables that are none of their partitions: for S3 one request for a thousand folders.
 * @throws LinkError where a table or a partition is a link; LakeError when the lake cannot be listed
 */
export async function foreignFolders(
  store: Pick<Store, 'list'>,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<readonly string[]> {
  const found = await Promise.all(tables.map((table) => partitionsOf(store, table, signal)));
  return found.flatMap(({ foreign }) => foreign);
}

/** Objects in these partitions that are no parts. @throws LakeError when one cannot be listed */
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

/** So many are named; the others are counted. */
const named = 3;

/** What was found, what becomes of it, and what a person can do; null when nothing was found. */
export function describeForeign(keys: readonly string[]): string | null {
  if (keys.length === 0) return null;
  const first = keys.slice(0, named).join(', ');
  const rest = keys.length > named ? ` and ${keys.length - named} more` : '';
  const what =
    keys.length === 1
      ? '1 object is no part of this lake'
      : `${keys.length} objects are no parts of this lake`;
  return (
    `${what}: ${first}${rest}. This program does not read them. Athena and other readers of the table do, and ` +
    'fail or count rows twice: move them out of the lake'
  );
}

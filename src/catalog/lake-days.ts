/** Finds the first day in a lake, where the catalog's range of days begins. */
import { partitionsOf } from '../lake/partitions.ts';
import type { Store } from '../lake/stores/store.ts';
import type { Table } from '../tables/table.ts';

export interface LakeDays {
  /** Null for an empty lake. */
  readonly first: string | null;
  /** Folders below the tables that are not partitions. */
  readonly foreign: readonly string[];
}

/** @throws LakeError when the lake cannot be listed */
export async function daysOf(
  store: Pick<Store, 'list'>,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<LakeDays> {
  let first: string | null = null;
  const foreign: string[] = [];
  for (const table of tables) {
    const found = await partitionsOf(store, table, signal);
    for (const key of found.foreign) foreign.push(key);
    for (const { day } of found.partitions) {
      if (first === null || day < first) first = day;
    }
  }
  return { first, foreign };
}

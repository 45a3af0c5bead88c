/** Lists a table's partitions by the names of the folders below its prefix, without looking into them. */
import type { Table } from '../tables/table.ts';
import { partitionValue, tablePrefix } from './layout.ts';
import type { Store } from './stores/store.ts';

export interface PartitionFolder {
  /** Ends in `/`. */
  readonly prefix: string;
  /** The UTC day among its values. */
  readonly day: string;
}

export interface FoundPartitions {
  readonly partitions: readonly PartitionFolder[];
  /** Folders whose names are not those of partitions; each ends in `/`. */
  readonly foreign: readonly string[];
}

/** @throws LakeError when the lake cannot be listed */
export async function partitionsOf(
  store: Pick<Store, 'list'>,
  table: Table,
  signal?: AbortSignal,
): Promise<FoundPartitions> {
  const foreign: string[] = [];
  let found: PartitionFolder[] = [{ prefix: tablePrefix(table), day: '' }];
  for (const column of table.partitions) {
    const below: PartitionFolder[] = [];
    for (const { prefix } of found) {
      for await (const key of store.list(prefix, { folders: true }, signal)) {
        // The last partition column of every table is a day.
        const value = partitionValue(column, key.slice(prefix.length, -1));
        if (value === null) foreign.push(key);
        else below.push({ prefix: key, day: value });
      }
    }
    found = below;
  }
  return { partitions: found, foreign };
}

/** What lies below a table's location: parts in their partitions, and whatever else got there. */
import { tablePrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import type { Table } from '../tables/table.ts';

export interface PartObject {
  readonly key: string;
  /** Values of the partition columns, by name. */
  readonly partition: Readonly<Record<string, string>>;
  /** The UTC day among them. */
  readonly day: string;
}

/** Every table's last partition column is a day. */
const dayForm = /^\d{4}-\d\d-\d\d$/;

/** The part at a key below the table's location; null when it is none, or lies where no partition of the table is. */
export function partAt(table: Table, key: string): PartObject | null {
  const segments = key.slice(tablePrefix(table).length).split('/');
  const file = segments.pop() ?? '';
  if (!file.endsWith('.parquet') || segments.length !== table.partitions.length) return null;
  const partition: Record<string, string> = {};
  for (const [index, { name }] of table.partitions.entries()) {
    const segment = segments[index] ?? '';
    if (!segment.startsWith(`${name}=`)) return null;
    partition[name] = segment.slice(name.length + 1);
  }
  const day = partition[table.partitions.at(-1)?.name ?? ''] ?? '';
  return isDay(day) ? { key, partition, day } : null;
}

function isDay(text: string): boolean {
  const epochMs = dayForm.test(text) ? Date.parse(`${text}T00:00:00Z`) : Number.NaN;
  return !Number.isNaN(epochMs) && new Date(epochMs).toISOString().startsWith(text);
}

/**
 * The first day of which the lake holds anything; null for an empty lake.
 * @throws LakeError when the lake cannot be listed
 */
export async function firstDayOf(
  store: Store,
  tables: readonly Table[],
  signal?: AbortSignal,
): Promise<string | null> {
  let first: string | null = null;
  for (const table of tables) {
    let folders = [tablePrefix(table)];
    for (const { name } of table.partitions) {
      const below: string[] = [];
      for (const folder of folders) {
        for await (const key of store.list(folder, { folders: true }, signal)) {
          if (key.slice(folder.length).startsWith(`${name}=`)) below.push(key);
        }
      }
      folders = below;
    }
    for (const folder of folders) {
      const day = folder.slice(folder.lastIndexOf('=') + 1, -1);
      if (isDay(day) && (first === null || day < first)) first = day;
    }
  }
  return first;
}

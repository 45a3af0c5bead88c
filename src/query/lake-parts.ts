/** Lists the parts of a lake that a query reads, and provides them as local files. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { parseTableKey, tablePrefix } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import type { Store } from '../lake/stores/store.ts';
import { refuseLinks } from '../lake/stores/symbolic-links.ts';
import type { Table } from '../tables/table.ts';
import { type DayRange, isWithin } from './day-range.ts';

/** A part as a local file. */
export interface Part {
  readonly key: string;
  readonly file: string;
}

export interface FoundParts {
  readonly keys: readonly string[];
  /** The days of parts that are left out, ascending. */
  readonly leftOut: readonly string[];
  /** The last day of any part; null if there are no parts. */
  readonly newest: string | null;
  /** Objects below the table that are not parts of it; they are not read. */
  readonly foreign: readonly string[];
}

const downloadsAtOnce = 8;

/**
 * The keys of a table's parts within the range of days, ascending.
 * @param buckets the lake's, which determine the valid keys
 */
export async function findParts(
  store: Pick<Store, 'list'>,
  table: Table,
  buckets: number,
  days: DayRange,
  signal?: AbortSignal,
): Promise<FoundParts> {
  const keys: string[] = [];
  const foreign: string[] = [];
  const leftOut = new Set<string>();
  let newest: string | null = null;
  for await (const key of store.list(tablePrefix(table), {}, signal)) {
    const place = parseTableKey(table, key, buckets);
    if (place === null) {
      foreign.push(key);
      continue;
    }
    const { day } = place;
    if (newest === null || day > newest) newest = day;
    if (isWithin(day, days)) keys.push(key);
    else leftOut.add(day);
  }
  return { keys, leftOut: [...leftOut].sort(), newest, foreign };
}

/**
 * The files of a local lake, in place.
 * @throws LinkError for a part that is a symbolic link, or is reached through one
 */
export async function localParts(folder: string, keys: readonly string[]): Promise<readonly Part[]> {
  const known = new Set<string>();
  const parts: Part[] = [];
  for (const key of keys) {
    await refuseLinks(folder, key, known);
    parts.push({ key, file: join(folder, ...key.split('/')) });
  }
  return parts;
}

/**
 * Downloads the parts into the scratch folder.
 * @returns null if a part has disappeared since it was listed
 * @throws ScratchError if they exceed the scratch limit
 */
export async function downloadParts(
  store: Pick<Store, 'download'>,
  keys: readonly string[],
  scratch: Pick<Scratch, 'reserve'>,
  folder: string,
  signal?: AbortSignal,
): Promise<{ readonly parts: readonly Part[]; readonly bytes: number } | null> {
  const limit = pLimit({ concurrency: downloadsAtOnce, rejectOnClear: true });
  let bytes = 0;
  const fetch = async (key: string): Promise<Part | null> => {
    const file = join(folder, ...key.split('/'));
    await mkdir(dirname(file), { recursive: true });
    const found = await store.download(key, file, signal);
    if (found === null) return null;
    scratch.reserve(found.size);
    bytes += found.size;
    return { key, file };
  };
  try {
    const fetched = await Promise.all(keys.map((key) => limit(() => fetch(key))));
    const parts = fetched.filter((part) => part !== null);
    return parts.length === fetched.length ? { parts, bytes } : null;
  } finally {
    limit.clearQueue();
  }
}

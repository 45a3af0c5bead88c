/** Lists the parts of a lake that a query reads, and provides them as local files. */
import { mkdir } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import pLimit from 'p-limit';
import { parseTableKey, tablePrefix } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import type { Store } from '../lake/stores/store.ts';
import { refuseLinks } from '../lake/stores/symbolic-links.ts';
import { AlteredObjectError, LakeError, LinkError } from '../shared/errors.ts';
import type { Table } from '../tables/table.ts';
import { type DayRange, isWithin } from './day-range.ts';
import type { UnreadObjects } from './unread-objects.ts';

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

/** Where parts are downloaded to. */
export interface PartsFolder {
  readonly folder: string;
  readonly scratch: Pick<Scratch, 'reserve'>;
  readonly unread: UnreadObjects | null;
}

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
 * @param unread takes the parts that are links; null: the first one is an error
 * @throws LinkError for a part that is a symbolic link, or is reached through one
 */
export async function localParts(
  folder: string,
  keys: readonly string[],
  unread: UnreadObjects | null,
): Promise<readonly Part[]> {
  const known = new Set<string>();
  const parts: Part[] = [];
  for (const key of keys) {
    try {
      await refuseLinks(folder, key, known);
      parts.push({ key, file: join(folder, ...key.split('/')) });
    } catch (error) {
      if (unread === null || !(error instanceof LinkError)) throw error;
      unread.add(key, error);
    }
  }
  return parts;
}

/**
 * Downloads the parts into the scratch folder.
 * @param unread takes the parts that the store cannot deliver as they were written; null: the first one is an error
 * @returns null if a part has disappeared since it was listed
 * @throws ScratchError if they exceed the scratch limit; LakeError if no part at all could be read
 */
export async function downloadParts(
  store: Pick<Store, 'download'>,
  keys: readonly string[],
  { scratch, folder, unread }: PartsFolder,
  signal?: AbortSignal,
): Promise<{ readonly parts: readonly Part[]; readonly bytes: number } | null> {
  const limit = pLimit({ concurrency: downloadsAtOnce, rejectOnClear: true });
  let bytes = 0;
  const failures: unknown[] = [];
  const fetch = async (key: string): Promise<Part | 'unread' | null> => {
    const file = join(folder, ...key.split('/'));
    await mkdir(dirname(file), { recursive: true });
    try {
      const found = await store.download(key, file, signal);
      if (found === null) return null;
      scratch.reserve(found.size);
      bytes += found.size;
      return { key, file };
    } catch (error) {
      if (unread === null || !(error instanceof LakeError)) throw error;
      unread.add(key, error);
      failures.push(error);
      return 'unread';
    }
  };
  try {
    const fetched = await Promise.all(keys.map((key) => limit(() => fetch(key))));
    const parts = fetched.filter((part) => part !== null && part !== 'unread');
    // If nothing at all can be read, the store is the trouble, not a part.
    if (parts.length === 0 && failures.some((one) => !(one instanceof AlteredObjectError))) throw failures[0];
    return fetched.includes(null) ? null : { parts, bytes };
  } finally {
    limit.clearQueue();
  }
}

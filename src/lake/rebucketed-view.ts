/**
 * A lake whose parts `rebucket` is replacing, as readers see it: with the new parts, which are whole below a prefix of their own.
 * From one write of `lake.json` to the next, readers see either all old parts or all new ones.
 */
import { createHash } from 'node:crypto';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { type LakeRecord, parseRecord, serializeRecord } from './lake-record.ts';
import { formatVersion, lakeKey, rebucketPrefix, tablePrefix } from './layout.ts';
import type { Store } from './stores/store.ts';
import { storeWith } from './stores/store-with.ts';

/** Where the new parts are: the same keys as in the lake, below this prefix. */
export function newPartsPrefix(id: string): string {
  return `${rebucketPrefix(id)}new/`;
}

/**
 * The store as readers must see it. `isView`: its objects are not where their keys say.
 * @throws LakeError when the store fails
 */
export async function readableStore(
  store: Store,
  signal?: AbortSignal,
): Promise<{ readonly store: Store; readonly isView: boolean }> {
  const record = await recordOf(store, signal);
  if (record?.rebucketing?.phase !== 'switch') return { store, isView: false };
  return { store: viewOf(store, record, record.rebucketing), isView: true };
}

/** Null: there is none, or it is damaged; whoever opens the lake says so. */
async function recordOf(store: Store, signal?: AbortSignal): Promise<LakeRecord | null> {
  const found = await store.read(lakeKey, signal);
  if (found === null) return null;
  try {
    return parseRecord(found.bytes, store.url, lakeTables).record;
  } catch {
    return null;
  }
}

function viewOf(store: Store, record: LakeRecord, { id, to }: NonNullable<LakeRecord['rebucketing']>): Store {
  const prefix = newPartsPrefix(id);
  const isMoved = (key: string) =>
    [copyJobs, copyJobSummaries].some((table) => key.startsWith(tablePrefix(table)));
  const placed = (key: string) => (isMoved(key) ? `${prefix}${key}` : key);
  const { rebucketing: _, ...settled } = { ...record, buckets: to, format_version: formatVersion };
  const bytes = serializeRecord(settled);
  async function* list(
    below: string,
    options?: Parameters<Store['list']>[1],
    signal?: AbortSignal,
  ): AsyncGenerator<string> {
    for await (const key of store.list(placed(below), options, signal)) {
      yield isMoved(below) ? key.slice(prefix.length) : key;
    }
  }
  return storeWith(store, {
    download: (key, file, signal) => store.download(placed(key), file, signal),
    read: async (key, signal) => {
      if (key !== lakeKey) return await store.read(placed(key), signal);
      return { etag: createHash('sha256').update(bytes).digest('hex'), size: bytes.length, bytes };
    },
    head: (key, signal) => store.head(placed(key), signal),
    list,
  });
}

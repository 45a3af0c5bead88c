/** Reads the numbered checkpoints of a lake, or of its witness. */
import { checkpointKey, checkpointsPrefix, parseCheckpointKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { parseCheckpoint, type StoredCheckpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';

type Reader = Pick<Store, 'read' | 'list' | 'url'>;

/** The number of the newest checkpoint; 0: there is none. */
export async function newestNumber(store: Reader, signal?: AbortSignal): Promise<number> {
  const folders: string[] = [];
  for await (const folder of store.list(checkpointsPrefix, { folders: true }, signal)) folders.push(folder);
  for (const folder of folders.sort().reverse()) {
    let newest = 0;
    for await (const key of store.list(folder, {}, signal)) {
      newest = Math.max(newest, parseCheckpointKey(key) ?? 0);
    }
    if (newest > 0) return newest;
  }
  return 0;
}

/** @throws CheckpointError when it is gone, or is not a checkpoint */
export async function readCheckpoint(
  store: Reader,
  number: number,
  signal?: AbortSignal,
): Promise<StoredCheckpoint> {
  const key = checkpointKey(number);
  const found = await store.read(key, signal);
  if (found === null) throw damaged(store.url, key, 'is gone');
  try {
    return parseCheckpoint(number, found.bytes);
  } catch (error) {
    throw damaged(
      store.url,
      key,
      `is damaged: ${error instanceof Error ? error.message : String(error)}`,
      error,
    );
  }
}

function damaged(url: string, key: string, what: string, cause?: unknown): CheckpointError {
  return new CheckpointError(
    `${key} in ${url} ${what}`,
    'Restore its earlier version (docs/recovery.md), and find out who changed it.',
    { cause },
  );
}

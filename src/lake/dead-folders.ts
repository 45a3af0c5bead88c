/** Removes folders that dead processes left behind. A living process holds the lock in its own folder. */
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { FileLocks } from './file-lock.ts';
import { systemCode } from './stores/durable-files.ts';

/** Removes the folder, unless its owner lives. Returns whether it was removed. Rejects with system errors. */
export async function removeUnlessLocked(
  folder: string,
  lockName: string,
  locks: FileLocks,
): Promise<boolean> {
  const lock = await locks.tryAcquire(join(folder, lockName)).catch((error) => {
    // Its owner has just removed it.
    if (systemCode(error) === 'ENOENT') return null;
    throw error;
  });
  if (lock === null) return false;
  try {
    // The lock file goes last: if this is interrupted, the rest is still recognized by its lock file.
    for (const name of await namesIn(folder)) {
      if (name !== lockName) await rm(join(folder, name), { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
    return true;
  } finally {
    await lock.release();
  }
}

async function namesIn(folder: string): Promise<string[]> {
  return await readdir(folder).catch((error) => {
    if (systemCode(error) === 'ENOENT') return [];
    throw error;
  });
}

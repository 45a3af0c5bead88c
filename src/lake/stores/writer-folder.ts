/**
 * A process's own folder for temporary files, below `_ledger/tmp` of a local lake; and the lake's one lock. Each folder has
 * a lock of its own, which shows that its process lives. Folders of dead processes are removed.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { LakeError } from '../../shared/errors.ts';
import { removeUnlessLocked } from '../dead-folders.ts';
import { type FileLock, type FileLocks, loadFileLocks } from '../file-lock.ts';
import { makeFolder } from './durable-files.ts';

export interface WriterFolder {
  /** A path for a new temporary file. */
  temporaryFile(): string;
  /** Runs the work while nobody else writes to the lake. Rejects with the signal's reason while it waits. */
  locked<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** Waits for work that is running. */
  close(): Promise<void>;
}

const folderName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;
const lockName = 'lock';

/** @throws LakeError when files cannot be locked here; system errors */
export async function openWriterFolder(root: string, lockTimeoutMs: number): Promise<WriterFolder> {
  const locks = await loadFileLocks();
  if (locks === null) {
    throw new LakeError(
      `The lake ${root} cannot be locked: the native library fs-native-extensions does not load here`,
      'Install it for this platform (npm ci), or use a lake on S3, which needs no locks.',
    );
  }
  const parent = join(root, '_ledger', 'tmp');
  await makeFolder(parent);
  const { locked, idle } = lockedInTurn(join(root, '_ledger', 'lock'), locks, lockTimeoutMs);
  // Under the lake's lock, so that nobody takes a folder that is being created for a dead one.
  const { folder, lock } = await locked(() => makeWriterFolder(parent, locks));
  return {
    temporaryFile: () => join(folder, randomUUID()),
    locked,
    async close() {
      await idle();
      // Without the lake's lock: the end of a run must not wait for others. The folder's own lock protects it.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      await lock.release();
    },
  };
}

/** Work of this process queues here, so that only one task at a time waits for other processes. */
function lockedInTurn(file: string, locks: FileLocks, timeoutMs: number) {
  const oneAtATime = pLimit(1);
  const locked: WriterFolder['locked'] = (work, signal) =>
    oneAtATime(async () => {
      const lock = await locks.acquire(file, timeoutMs, signal);
      try {
        return await work();
      } finally {
        await lock.release();
      }
    });
  return { locked, idle: () => oneAtATime(async () => undefined) };
}

async function makeWriterFolder(
  parent: string,
  locks: FileLocks,
): Promise<{ folder: string; lock: FileLock }> {
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    if (entry.isDirectory() && folderName.test(entry.name)) {
      await removeUnlessLocked(join(parent, entry.name), lockName, locks);
    }
  }
  const folder = join(parent, randomUUID());
  await makeFolder(folder);
  const lock = await locks.tryAcquire(join(folder, lockName));
  if (lock === null) throw new Error(`${folder} is locked, though nobody else knows it`);
  return { folder, lock };
}

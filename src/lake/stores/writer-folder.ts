/**
 * A process's own corner for temporary files below `_ledger/tmp` of a local lake, and the lake's one lock.
 * A corner's own lock says that its process lives; the corners of the dead are cleared away.
 */
import { randomUUID } from 'node:crypto';
import { readdir, rm } from 'node:fs/promises';
import { join } from 'node:path';
import pLimit from 'p-limit';
import { LakeError } from '../../shared/errors.ts';
import { type FileLock, type FileLocks, loadFileLocks } from '../file-lock.ts';
import { makeFolder, systemCode } from './durable-files.ts';

export interface WriterFolder {
  /** A path for a new temporary file. */
  temporaryFile(): string;
  /** Does the work while nobody else writes to the lake. Rejects with the signal's reason while it waits. */
  locked<T>(work: () => Promise<T>, signal?: AbortSignal): Promise<T>;
  /** RetryDelays for work under way. */
  close(): Promise<void>;
}

const folderName = /^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/;

/** @throws LakeError where files cannot be locked; system errors */
export async function openWriterFolder(root: string, lockTimeoutMs: number): Promise<WriterFolder> {
  const locks = await loadFileLocks();
  if (locks === null) {
    throw new LakeError(
      `The lake ${root} cannot be locked: the native library fs-native-extensions does not load here`,
      'Install it for this platform (npm ci), or use a lake on S3, which needs no locks.',
    );
  }
  const corners = join(root, '_ledger', 'tmp');
  await makeFolder(corners);
  const { locked, idle } = lockedInTurn(join(root, '_ledger', 'lock'), locks, lockTimeoutMs);
  // Under the lake's lock, so that nobody takes a corner in the making for a dead one.
  const { folder, lock } = await locked(() => makeWriterFolder(corners, locks));
  return {
    temporaryFile: () => join(folder, randomUUID()),
    locked,
    async close() {
      await idle();
      // Not under the lake's lock: the end of a run must not wait for others. Its own lock protects the corner.
      await rm(folder, { recursive: true, force: true }).catch(() => undefined);
      await lock.release();
    },
  };
}

/** Work of this process queues here, so that only one of it at a time waits for other processes. */
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
  corners: string,
  locks: FileLocks,
): Promise<{ folder: string; lock: FileLock }> {
  await removeDead(corners, locks);
  const folder = join(corners, randomUUID());
  await makeFolder(folder);
  const lock = await locks.tryAcquire(join(folder, 'lock'));
  if (lock === null) throw new Error(`${folder} is locked, though nobody else knows it`);
  return { folder, lock };
}

async function removeDead(corners: string, locks: FileLocks): Promise<void> {
  for (const entry of await readdir(corners, { withFileTypes: true })) {
    if (!entry.isDirectory() || !folderName.test(entry.name)) continue;
    const folder = join(corners, entry.name);
    // Gone meanwhile: its owner is closing.
    const lock = await locks.tryAcquire(join(folder, 'lock')).catch((error) => {
      if (systemCode(error) === 'ENOENT') return null;
      throw error;
    });
    if (lock === null) continue;
    await rm(folder, { recursive: true, force: true }).finally(() => lock.release());
  }
}

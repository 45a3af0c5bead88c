/**
 * The scratch folder of a run: bounded, and removed at the end of the run. If a run is killed, the next run removes its
 * folder.
 */
import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { ScratchError } from '../shared/errors.ts';
import { removeUnlessLocked } from './dead-folders.ts';
import { type FileLock, type FileLocks, loadFileLocks } from './file-lock.ts';
import { makeFolder } from './stores/durable-files.ts';
import { scratchError } from './stores/file-errors.ts';

export interface ScratchOptions {
  /** Created if it does not exist. Runs share it. */
  readonly parent: string;
  readonly runId: string;
  /** The most that the run may have on disk at any time. */
  readonly limitBytes: number;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  /** The advice when the limit is reached. Default: raise it. */
  readonly whenFull?: string;
}

/** Space that is reserved before anybody knows how much is needed. */
export interface Claim {
  readonly bytes: number;
  /** Gives the space back. A second call does nothing. */
  release(): void;
}

export interface Scratch {
  /** Absolute. Empty at first, except for a hidden lock file. */
  readonly folder: string;
  readonly limitBytes: number;
  /** Bytes that are reserved now. */
  bytes(): number;
  /**
   * Reserves space, before it is written to. Returns the function that gives it back; a second call does nothing.
   * @throws ScratchError when that would exceed the limit
   */
  reserve(bytes: number): () => void;
  /** Reserves space for a task that does not know its needs: a quarter of the limit, but at most half of what is left. */
  claim(): Claim;
  /**
   * Creates a folder in it.
   * @throws ScratchError
   */
  subfolder(name: string): Promise<string>;
  /**
   * Removes the folder and releases its lock. If that fails, it only logs a warning: the run has done its work, and the
   * next run tries again.
   */
  remove(): Promise<void>;
}

const folderName = /^backup-copy-export-[0-9A-Za-z_-]+$/;
const lockName = '.lock';

/** @throws ScratchError when the folder cannot be created */
export async function openScratch(options: ScratchOptions): Promise<Scratch> {
  const parent = resolve(options.parent);
  const folder = join(parent, `backup-copy-export-${options.runId}`);
  if (!folderName.test(`backup-copy-export-${options.runId}`)) {
    throw new TypeError(`run id ${JSON.stringify(options.runId)} cannot be a folder's name`);
  }
  const lock = await claimFolder(parent, folder, options.log);
  let reserved = 0;
  const { limitBytes } = options;

  const scratch: Scratch = {
    folder,
    limitBytes,
    bytes: () => reserved,
    claim() {
      const bytes = Math.floor(Math.min(limitBytes / 4, (limitBytes - reserved) / 2));
      return { bytes, release: scratch.reserve(bytes) };
    },
    reserve(bytes) {
      if (reserved + bytes > limitBytes) {
        throw new ScratchError(
          `The scratch folder ${folder} would need ${reserved + bytes} bytes, more than its limit of ${limitBytes}`,
          options.whenFull ?? 'Raise --scratch-limit.',
        );
      }
      reserved += bytes;
      let given = false;
      return () => {
        if (!given) reserved -= bytes;
        given = true;
      };
    },
    async subfolder(name) {
      const path = join(folder, name);
      await mkdir(path).catch((error) => {
        throw scratchError('created', path, error);
      });
      return path;
    },
    async remove() {
      const told = (err: unknown) =>
        options.log?.warn(
          { folder, err },
          'the scratch folder could not be removed; a later run tries again',
        );
      await rm(folder, { recursive: true, force: true }).catch(told);
      await lock?.release().catch(told);
    },
  };
  return scratch;
}

/** One lock guards both creating a folder and removing dead ones, so that nobody sees a folder that is half created. */
async function claimFolder(
  parent: string,
  folder: string,
  log: ScratchOptions['log'],
): Promise<FileLock | null> {
  try {
    await makeFolder(parent);
    const locks = await loadFileLocks();
    const guard = locks === null ? null : await guardOf(parent, locks, log);
    try {
      if (locks === null || guard === null) {
        log?.warn(
          { scratch: parent },
          'files cannot be locked here, so folders of dead runs are not removed',
        );
      } else {
        await removeDead(parent, locks, log);
      }
      await mkdir(folder, { mode: 0o700 });
      await writeFile(join(folder, lockName), '');
      return (await locks?.tryAcquire(join(folder, lockName)).catch(() => null)) ?? null;
    } finally {
      await guard?.release();
    }
  } catch (error) {
    throw scratchError('created', folder, error);
  }
}

/** The lock of one user in one parent folder; null if it is not available (another user's file, no locks). */
async function guardOf(
  parent: string,
  locks: FileLocks,
  log: ScratchOptions['log'],
): Promise<FileLock | null> {
  const file = join(parent, `.backup-copy-export-${process.getuid?.() ?? 'user'}.lock`);
  return await locks.acquire(file, 30_000).catch((error) => {
    log?.warn({ scratch: parent, err: error }, 'the scratch folder cannot be locked');
    return null;
  });
}

async function removeDead(parent: string, locks: FileLocks, log: ScratchOptions['log']): Promise<void> {
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    if (!entry.isDirectory() || !folderName.test(entry.name)) continue;
    const folder = join(parent, entry.name);
    await removeIfDead(folder, locks, log).catch((error) => {
      log?.warn({ folder, err: error }, 'the scratch folder of a dead run could not be removed');
    });
  }
}

async function removeIfDead(folder: string, locks: FileLocks, log: ScratchOptions['log']): Promise<void> {
  // A folder with such a name but without the lock file is not ours, unless the run died before it created the file. Then
  // the folder is empty.
  const ours = await stat(join(folder, lockName)).then(
    (found) => found.isFile() && (process.getuid === undefined || found.uid === process.getuid()),
    () => null,
  );
  if (ours === null) return void (await rmdir(folder).catch(() => undefined));
  if (!ours) return;
  if (await removeUnlessLocked(folder, lockName, locks)) {
    log?.info({ folder }, 'removed the scratch folder of a run that had died');
  }
}

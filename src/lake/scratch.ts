/**
 * Local disk that a run needs while it works: one folder a run, bounded, removed at its end. What a run
 * that was killed left behind is removed by the next one.
 */
import { mkdir, readdir, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { join, resolve } from 'node:path';
import type { Logger } from 'pino';
import { ScratchError } from '../shared/errors.ts';
import { type FileLock, type FileLocks, loadFileLocks } from './file-lock.ts';
import { makeFolder, systemCode } from './stores/durable-files.ts';

export interface ScratchOptions {
  /** Created when it is not there. Shared by runs. */
  readonly parent: string;
  readonly runId: string;
  /** What the run may have on disk at any time. */
  readonly limitBytes: number;
  readonly log?: Pick<Logger, 'info' | 'warn'>;
  /** What a person can do when the limit is reached. Default: raise it. */
  readonly whenFull?: string;
}

/** Room that was claimed before it is known how much is needed. */
export interface Claim {
  readonly bytes: number;
  /** Gives it back; again does nothing. */
  release(): void;
}

export interface Scratch {
  /** Absolute; empty at first, apart from a hidden lock. */
  readonly folder: string;
  readonly limitBytes: number;
  /** Reserved now. */
  bytes(): number;
  /**
   * Claims room before it is written to, and returns the function that gives it back (once; again does nothing).
   * @throws ScratchError when the limit would be passed
   */
  reserve(bytes: number): () => void;
  /** Claims what one may take who does not know how much: a quarter of the limit, but half of what is left at most. */
  claim(): Claim;
  /**
   * Makes a folder in it.
   * @throws ScratchError
   */
  subfolder(name: string): Promise<string>;
  /**
   * Removes the folder and lets go of its lock. What cannot be removed is only told of: the next run clears it away,
   * and the run that ends here has done its work.
   */
  remove(): Promise<void>;
}

const folderName = /^backup-copy-export-[0-9A-Za-z_-]+$/;
const lockName = '.lock';

/** @throws ScratchError when the folder cannot be made */
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
          `Scratch in ${folder} would grow to ${reserved + bytes} bytes, past its limit of ${limitBytes}`,
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
        throw scratchProblem(path, error);
      });
      return path;
    },
    async remove() {
      const told = (err: unknown) =>
        options.log?.warn({ folder, err }, 'scratch could not be removed; a later run tries again');
      await rm(folder, { recursive: true, force: true }).catch(told);
      await lock?.release().catch(told);
    },
  };
  return scratch;
}

/** A folder is claimed, and dead ones are looked for, under one lock: nobody sees a folder in the making. */
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
        log?.warn({ scratch: parent }, 'what dead runs left in scratch is not removed: no file locks here');
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
    throw scratchProblem(folder, error);
  }
}

/** The lock of one user in one parent folder; null where it cannot be had (another's file, no locks). */
async function guardOf(
  parent: string,
  locks: FileLocks,
  log: ScratchOptions['log'],
): Promise<FileLock | null> {
  const file = join(parent, `.backup-copy-export-${process.getuid?.() ?? 'user'}.lock`);
  return await locks.acquire(file, 30_000).catch((error) => {
    log?.warn({ scratch: parent, err: error }, 'scratch cannot be locked');
    return null;
  });
}

async function removeDead(parent: string, locks: FileLocks, log: ScratchOptions['log']): Promise<void> {
  for (const entry of await readdir(parent, { withFileTypes: true })) {
    if (!entry.isDirectory() || !folderName.test(entry.name)) continue;
    const folder = join(parent, entry.name);
    await removeIfDead(folder, locks, log).catch((error) => {
      log?.warn({ folder, err: error }, 'scratch of a dead run could not be removed');
    });
  }
}

async function removeIfDead(folder: string, locks: FileLocks, log: ScratchOptions['log']): Promise<void> {
  const lockFile = join(folder, lockName);
  // A folder of this name without our lock is not ours, unless the run died before it made one: then it is empty.
  const ours = await stat(lockFile).then(
    (found) => found.isFile() && (process.getuid === undefined || found.uid === process.getuid()),
    () => null,
  );
  if (ours === null) return void (await rmdir(folder).catch(() => undefined));
  if (!ours) return;
  const lock = await locks.tryAcquire(lockFile);
  if (lock === null) return;
  try {
    // The lock goes last: a removal that is cut short leaves a folder that is still known as ours.
    for (const name of await readdir(folder)) {
      if (name !== lockName) await rm(join(folder, name), { recursive: true, force: true });
    }
    await rm(folder, { recursive: true, force: true });
    log?.info({ folder }, 'removed the scratch of a run that had died');
  } finally {
    await lock.release();
  }
}

function scratchProblem(folder: string, error: unknown): ScratchError {
  if (error instanceof ScratchError) return error;
  const cause = systemCode(error) ?? (error instanceof Error ? error.message : String(error));
  return new ScratchError(
    `The scratch folder ${folder} could not be made (${cause})`,
    'Give --scratch a folder on a local disk that this user may write to.',
    { cause: error },
  );
}

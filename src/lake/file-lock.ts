/**
 * Locks that the operating system releases when their holder dies, however it dies. On Linux these are open-file-description
 * locks (fs-native-extensions, src/linux.c): two opens of the same file exclude each other even within one process, and
 * child processes do not inherit them (Node opens files with O_CLOEXEC).
 */
import { type FileHandle, open } from 'node:fs/promises';
import { setTimeout as wait } from 'node:timers/promises';

/** A lock that is held until it is released. The file stays. */
export interface FileLock {
  release(): Promise<void>;
}

export interface FileLocks {
  /** Null if somebody else holds the lock. Creates the file, but not its folder. Rejects with a system error. */
  tryAcquire(file: string): Promise<FileLock | null>;
  /**
   * Tries again and again, without blocking the event loop or a thread. Rejects with the signal's reason, or with a
   * {@link LockTimeout} after `timeoutMs`.
   */
  acquire(file: string, timeoutMs: number, signal?: AbortSignal): Promise<FileLock>;
}

/** Somebody else has held the lock for too long. */
export class LockTimeout extends Error {
  override readonly name = 'LockTimeout';
}

/** Null if the native library cannot be loaded (no prebuilt binary for this platform, or none allowed). */
export async function loadFileLocks(): Promise<FileLocks | null> {
  let library: typeof import('fs-native-extensions');
  try {
    library = await import('fs-native-extensions');
  } catch {
    return null;
  }
  return fileLocks(library);
}

function fileLocks(library: typeof import('fs-native-extensions')): FileLocks {
  async function tryAcquire(file: string): Promise<FileLock | null> {
    // 'a' creates the file without truncating it. An exclusive lock needs a file that is open for writing.
    const handle = await open(file, 'a', 0o600);
    let granted = false;
    try {
      granted = library.tryLock(handle.fd);
    } finally {
      if (!granted) await handle.close();
    }
    return granted ? heldLock(handle, library) : null;
  }

  async function acquire(file: string, timeoutMs: number, signal?: AbortSignal): Promise<FileLock> {
    const handle = await open(file, 'a', 0o600);
    let granted = false;
    try {
      const started = performance.now();
      for (let pauseMs = 1; ; pauseMs = Math.min(pauseMs * 2, 25)) {
        signal?.throwIfAborted();
        granted = library.tryLock(handle.fd);
        if (granted) return heldLock(handle, library);
        if (performance.now() - started > timeoutMs) {
          throw new LockTimeout(`somebody else has held the lock ${file} for more than ${timeoutMs} ms`);
        }
        // If the signal is aborted, the check above throws its reason, not the timer.
        await wait(pauseMs, undefined, signal === undefined ? {} : { signal }).catch(() => undefined);
      }
    } finally {
      if (!granted) await handle.close();
    }
  }

  return { tryAcquire, acquire };
}

function heldLock(handle: FileHandle, library: typeof import('fs-native-extensions')): FileLock {
  let held = true;
  return {
    async release() {
      if (!held) return;
      held = false;
      library.unlock(handle.fd);
      await handle.close();
    },
  };
}

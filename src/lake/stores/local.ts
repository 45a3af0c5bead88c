/**
 * A lake in a local folder, with the semantics of conditional writes on S3. An ETag is the content's
 * SHA-256 (hex). A write goes to a temporary file, is synced, and takes the object's name under a lock
 * of the operating system: a process killed at any instant leaves the old object or the new one.
 */
import { randomUUID } from 'node:crypto';
import { type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { LakeError, ReportedError, ScratchError } from '../../errors.ts';
import { type FileLock, type FileLocks, LockTimeout, loadFileLocks } from '../file-lock.ts';
import { digestOf, makeFolder, syncFolder, systemCode, writeDurably } from './durable.ts';
import { checkedKey, compareKeys, isInternal } from './key.ts';
import type { PutOutcome, PutRequest, Store, StoredObject, WriteCondition } from './store.ts';

export interface LocalStoreOptions {
  /** Absolute, or relative to the working directory. */
  readonly folder: string;
  /** False for reading only: nothing is ever created, and a folder that is not there is an empty lake. */
  readonly create: boolean;
  /** How long to wait for another process that is in the middle of a write. */
  readonly lockTimeoutMs?: number;
}

/** @throws LakeError when the folder cannot be created, or the path is not a folder */
export async function openLocalStore(options: LocalStoreOptions): Promise<Store> {
  const root = resolve(options.folder);
  try {
    if (options.create) await makeFolder(root);
    const found = await stat(root).catch((error) => {
      if (systemCode(error) === 'ENOENT' && !options.create) return null;
      throw error;
    });
    if (found !== null && !found.isDirectory())
      throw Object.assign(new Error('not a folder'), { code: 'ENOTDIR' });
  } catch (error) {
    throw fileProblem('opened', root, error);
  }
  return new LocalStore(root, options.create, options.lockTimeoutMs ?? 60_000);
}

/** A process's own corner for temporary files; its lock says that the process lives. */
interface Writer {
  readonly folder: string;
  readonly lock: FileLock;
  readonly locks: FileLocks;
}

class LocalStore implements Store {
  readonly url: string;
  readonly #root: string;
  readonly #writable: boolean;
  readonly #lockTimeoutMs: number;
  #writer: Promise<Writer> | null = null;
  /** Writes of this process queue here, so that only one of them waits for other processes. */
  #queue: Promise<unknown> = Promise.resolve();

  constructor(root: string, writable: boolean, lockTimeoutMs: number) {
    this.url = root;
    this.#root = root;
    this.#writable = writable;
    this.#lockTimeoutMs = lockTimeoutMs;
  }

  async download(key: string, file: string, signal?: AbortSignal): Promise<StoredObject | null> {
    return await this.#withObject(key, signal, async (source) => {
      const target = await open(file, 'w', 0o600).catch((error) => {
        throw scratchProblem(file, error);
      });
      try {
        const copy = async (chunk: Uint8Array) => {
          await target.writeFile(chunk).catch((error) => {
            throw scratchProblem(file, error);
          });
        };
        return await digestOf(source, copy, signal);
      } finally {
        await target.close();
      }
    });
  }

  async read(
    key: string,
    signal?: AbortSignal,
  ): Promise<(StoredObject & { readonly bytes: Uint8Array }) | null> {
    return await this.#withObject(key, signal, async (source) => {
      const chunks: Uint8Array[] = [];
      const found = await digestOf(source, (chunk) => void chunks.push(Uint8Array.from(chunk)), signal);
      return { ...found, bytes: Buffer.concat(chunks) };
    });
  }

  async put(request: PutRequest, signal?: AbortSignal): Promise<PutOutcome> {
    const path = this.#path(request.key);
    if (!this.#writable) {
      throw new LakeError(
        `The lake ${this.url} was opened for reading`,
        'This is a defect of the program: please report it.',
      );
    }
    signal?.throwIfAborted();
    let temporary: string | null = null;
    try {
      const writer = await this.#ownCorner(signal);
      temporary = join(writer.folder, randomUUID());
      const written = await writeDurably(temporary, request.body, signal);
      const published = await this.#locked(writer.locks, signal, async () => {
        if (!holds(request.condition, await etagAt(path))) return false;
        await makeFolder(dirname(path));
        await rename(String(temporary), path);
        await syncFolder(dirname(path));
        return true;
      });
      if (published) temporary = null;
      return published ? { written: true, ...written } : { written: false };
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw fileProblem('written', path, error);
    } finally {
      if (temporary !== null) await rm(temporary, { force: true }).catch(() => undefined);
    }
  }

  async *list(
    prefix: string,
    options: { readonly folders?: boolean } = {},
    signal?: AbortSignal,
  ): AsyncGenerator<string> {
    const folder = prefix.slice(0, prefix.lastIndexOf('/') + 1);
    if (folder !== '') checkedKey(`${folder}x`);
    yield* this.#below(folder, prefix, options.folders === true, signal);
  }

  async close(): Promise<void> {
    const writer = await this.#writer?.catch(() => null);
    this.#writer = null;
    await this.#queue.catch(() => undefined);
    if (!writer) return;
    await rm(writer.folder, { recursive: true, force: true }).catch(() => undefined);
    await writer.lock.release();
  }

  #path(key: string): string {
    return join(this.#root, ...checkedKey(key).split('/'));
  }

  /** One open file is one state of the object: a write meanwhile puts another file in its place. */
  async #withObject<T>(
    key: string,
    signal: AbortSignal | undefined,
    use: (source: FileHandle) => Promise<T>,
  ): Promise<T | null> {
    const path = this.#path(key);
    signal?.throwIfAborted();
    try {
      const source = await openIfThere(path);
      if (source === null) return null;
      try {
        return await use(source);
      } finally {
        await source.close();
      }
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw fileProblem('read', path, error);
    }
  }

  #ownCorner(signal?: AbortSignal): Promise<Writer> {
    this.#writer ??= this.#makeCorner(signal).catch((error) => {
      this.#writer = null;
      throw error;
    });
    return this.#writer;
  }

  /** Under the lake's lock, so that nobody takes a corner in the making for a dead one. */
  async #makeCorner(signal?: AbortSignal): Promise<Writer> {
    const locks = await loadFileLocks();
    if (locks === null) {
      throw new LakeError(
        `The lake ${this.url} cannot be locked: the native library fs-native-extensions does not load here`,
        'Install it for this platform (npm ci, without --omit=optional), or use a lake on S3, which needs no locks.',
      );
    }
    const corners = join(this.#root, '_ledger', 'tmp');
    await makeFolder(corners);
    return await this.#locked(locks, signal, async () => {
      await removeDeadCorners(corners, locks);
      const folder = join(corners, randomUUID());
      await makeFolder(folder);
      const lock = await locks.tryAcquire(join(folder, 'lock'));
      if (lock === null) throw new Error(`${folder} is locked, though nobody else knows it`);
      return { folder, lock, locks };
    });
  }

  async #locked<T>(locks: FileLocks, signal: AbortSignal | undefined, work: () => Promise<T>): Promise<T> {
    const turn = this.#queue.then(async () => {
      const lock = await locks.acquire(join(this.#root, '_ledger', 'lock'), this.#lockTimeoutMs, signal);
      try {
        return await work();
      } finally {
        await lock.release();
      }
    });
    this.#queue = turn.catch(() => undefined);
    return await turn;
  }

  async *#below(
    folder: string,
    prefix: string,
    folders: boolean,
    signal?: AbortSignal,
  ): AsyncGenerator<string> {
    signal?.throwIfAborted();
    for (const name of await this.#names(folder)) {
      const key = folder + name;
      if (isInternal(key) || !key.startsWith(prefix)) continue;
      if (!name.endsWith('/')) {
        if (!folders) yield key;
      } else if (!folders) {
        yield* this.#below(key, prefix, false, signal);
      } else if (!(await this.#below(key, key, false, signal).next()).done) {
        // S3 has no empty folders.
        yield key;
      }
    }
  }

  /** A folder's entries in S3's order, folders ending in `/`; what is neither file nor folder is no object. */
  async #names(folder: string): Promise<string[]> {
    const path = join(this.#root, folder);
    try {
      const entries = await readdir(path, { withFileTypes: true });
      return entries
        .filter((entry) => entry.isFile() || entry.isDirectory())
        .map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name))
        .sort(compareKeys);
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
      throw fileProblem('listed', path, error);
    }
  }
}

function holds(condition: WriteCondition, etag: string | null): boolean {
  return 'ifMatch' in condition ? condition.ifMatch === etag : etag === null;
}

async function etagAt(path: string): Promise<string | null> {
  const handle = await openIfThere(path);
  if (handle === null) return null;
  try {
    return (await digestOf(handle, () => undefined)).etag;
  } finally {
    await handle.close();
  }
}

/** Null when there is no such file; a folder of that name is no object either. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    handle = await open(path, 'r');
  } catch (error) {
    if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
    throw error;
  }
  try {
    if ((await handle.stat()).isFile()) return handle;
  } catch (error) {
    await handle.close();
    throw error;
  }
  await handle.close();
  return null;
}

/** Removes the temporary files of processes that died. The caller holds the lake's lock. */
async function removeDeadCorners(corners: string, locks: FileLocks): Promise<void> {
  for (const entry of await readdir(corners, { withFileTypes: true })) {
    if (!entry.isDirectory() || !/^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$/.test(entry.name)) continue;
    const folder = join(corners, entry.name);
    const lock = await locks.tryAcquire(join(folder, 'lock'));
    if (lock === null) continue;
    await rm(folder, { recursive: true, force: true }).finally(() => lock.release());
  }
}

function scratchProblem(file: string, error: unknown): ScratchError {
  return new ScratchError(
    `${file} could not be written (${describe(error)})`,
    'Give --scratch a folder that is writable and has more room.',
    { cause: error },
  );
}

function fileProblem(
  done: 'opened' | 'read' | 'written' | 'listed',
  path: string,
  error: unknown,
): ReportedError {
  if (error instanceof ReportedError) return error;
  return new LakeError(`${path} could not be ${done} (${describe(error)})`, adviceFor(error), {
    cause: error,
  });
}

function describe(error: unknown): string {
  return systemCode(error) ?? (error instanceof Error ? error.message : String(error));
}

function adviceFor(error: unknown): string {
  if (error instanceof LockTimeout) {
    return 'Another process holds the lock _ledger/lock in the lake: end it if it hangs, then run again.';
  }
  switch (systemCode(error)) {
    case 'EACCES':
    case 'EPERM':
    case 'EROFS':
      return 'Let the user that runs this program read and write the lake’s folder, or name another with --lake.';
    case 'ENOSPC':
    case 'EDQUOT':
      return 'Make room on the lake’s disk (or raise the quota), then run again: nothing was damaged.';
    case 'ENOTDIR':
    case 'EISDIR':
    case 'EEXIST':
      return 'A file lies where the lake needs a folder, or the reverse: move it away, or name another --lake.';
    case 'EMFILE':
    case 'ENFILE':
      return 'Raise the limit of open files (ulimit -n).';
    case 'ENOLCK':
    case 'ENOTSUP':
    case 'EOPNOTSUPP':
    case 'ENOSYS':
    case 'EINVAL':
      return 'The file system seems not to lock or sync files: put the lake on a local disk, or on S3.';
    default:
      return 'Check the disk that the lake lies on, then run again: nothing was damaged.';
  }
}

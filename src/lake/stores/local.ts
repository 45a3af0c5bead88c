/**
 * A lake in a local folder, with the same conditional writes as S3. An ETag is the SHA-256 of the content (hex). A write
 * goes to a temporary file, is synced, and is renamed under a lock of the operating system. So if the process is killed at
 * any time, either the old object is there or the new one.
 */
import { constants, type FileHandle, open, readdir, rename, rm, stat } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { abortable } from '../../shared/abort.ts';
import { LakeError } from '../../shared/errors.ts';
import { digestOf, makeFolder, syncFolder, systemCode, writeDurably } from './durable-files.ts';
import { fileError, scratchError } from './file-errors.ts';
import { checkedKey, compareKeys, isInternal } from './key.ts';
import type {
  DownloadedObject,
  ObjectHead,
  PutOutcome,
  PutRequest,
  Store,
  StoredObject,
  WriteCondition,
} from './store.ts';
import { leadsToFolder, linkError, refuseLinks } from './symbolic-links.ts';
import { openWriterFolder, type WriterFolder } from './writer-folder.ts';

export interface LocalStoreOptions {
  /** Absolute, or relative to the working directory. */
  readonly folder: string;
  /** False for reading only: nothing is created, and a missing folder counts as an empty lake. */
  readonly create: boolean;
  /** How long to wait while another process writes. */
  readonly lockTimeoutMs?: number;
  /** For messages: the option that names the folder. Default: --lake. */
  readonly option?: string;
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
    throw fileError('opened', root, error, options.option);
  }
  return new LocalStore(root, options);
}

class LocalStore implements Store {
  readonly url: string;
  readonly #root: string;
  readonly #writable: boolean;
  readonly #lockTimeoutMs: number;
  /** That names the folder. */
  readonly #option: string | undefined;
  /** Folders that were looked at, and are no links. Each is looked at once while the store is open. */
  readonly #folders = new Set<string>();
  /** Created by the first write. */
  #writerFolder: Promise<WriterFolder> | null = null;

  constructor(root: string, { create, lockTimeoutMs = 60_000, option }: LocalStoreOptions) {
    this.url = root;
    this.#root = root;
    this.#writable = create;
    this.#lockTimeoutMs = lockTimeoutMs;
    this.#option = option;
  }

  async download(key: string, file: string, signal?: AbortSignal): Promise<DownloadedObject | null> {
    const found = await this.#withObject(key, signal, async (source) => {
      const target = await open(file, 'w', 0o600).catch((error) => {
        throw scratchError('written', file, error);
      });
      try {
        const copy = async (chunk: Uint8Array) => {
          await target.writeFile(chunk).catch((error) => {
            throw scratchError('written', file, error);
          });
        };
        return await digestOf(source, copy, signal);
      } finally {
        await target.close();
      }
    });
    return found === null ? null : { ...found, sha256: found.etag };
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

  async head(key: string, signal?: AbortSignal): Promise<ObjectHead | null> {
    return await this.#withObject(key, signal, async (source) => {
      const { size } = await source.stat();
      return { size, etag: null, metadata: {}, file: this.#path(key) };
    });
  }

  async put(request: PutRequest, signal?: AbortSignal): Promise<PutOutcome> {
    const path = this.#path(request.key);
    if (!this.#writable) {
      throw new LakeError(
        `The lake ${this.url} was opened for reading`,
        'This is a bug in the program: please report it.',
      );
    }
    signal?.throwIfAborted();
    let temporary: string | null = null;
    try {
      await refuseLinks(this.#root, request.key, this.#folders);
      // All writers share the folder: a caller that stops no longer waits for it, and the others go on.
      const own = await abortable(this.#ownFolder(), signal);
      temporary = own.temporaryFile();
      const written = await writeDurably(temporary, request.body, signal);
      const published = await own.locked(() => replaced(path, String(temporary), request.condition), signal);
      if (published) temporary = null;
      return published ? { written: true, ...written } : { written: false };
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw fileError('written', path, error, this.#option);
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
    await refuseLinks(this.#root, folder, this.#folders).catch((error) => {
      throw fileError('listed', join(this.#root, folder), error, this.#option);
    });
    yield* this.#below(folder, prefix, options.folders === true, signal);
  }

  async close(): Promise<void> {
    const own = await this.#writerFolder?.catch(() => null);
    this.#writerFolder = null;
    await own?.close();
  }

  #ownFolder(): Promise<WriterFolder> {
    this.#writerFolder ??= openWriterFolder(this.#root, this.#lockTimeoutMs).catch((error) => {
      this.#writerFolder = null;
      throw error;
    });
    return this.#writerFolder;
  }

  #path(key: string): string {
    return join(this.#root, ...checkedKey(key).split('/'));
  }

  /** An open file always shows one state of the object: a concurrent write replaces the file, not its content. */
  async #withObject<T>(
    key: string,
    signal: AbortSignal | undefined,
    use: (source: FileHandle) => Promise<T>,
  ): Promise<T | null> {
    const path = this.#path(key);
    signal?.throwIfAborted();
    try {
      await refuseLinks(this.#root, key, this.#folders);
      const source = await openIfThere(path);
      if (source === null) return null;
      try {
        return await use(source);
      } finally {
        await source.close();
      }
    } catch (error) {
      if (signal?.aborted && error === signal.reason) throw error;
      throw fileError('read', path, error, this.#option);
    }
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

  /**
   * The entries of a folder in S3's order; folders end in `/`. Anything that is not a plain file is listed too, so that it
   * can be reported; only reading it fails. A link to a folder ends the listing, because it could hide parts.
   */
  async #names(folder: string): Promise<string[]> {
    const path = join(this.#root, folder);
    try {
      const entries = await readdir(path, { withFileTypes: true });
      for (const entry of entries) {
        const own = join(path, entry.name);
        if (entry.isSymbolicLink() && (await leadsToFolder(own))) throw await linkError(this.#root, own);
      }
      return entries.map((entry) => (entry.isDirectory() ? `${entry.name}/` : entry.name)).sort(compareKeys);
    } catch (error) {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return [];
      throw fileError('listed', path, error, this.#option);
    }
  }
}

/** False when the condition does not hold. The caller holds the lake's lock. */
async function replaced(path: string, temporary: string, condition: WriteCondition): Promise<boolean> {
  if (!holds(condition, await etagAt(path))) return false;
  await makeFolder(dirname(path));
  await rename(temporary, path);
  await syncFolder(dirname(path));
  return true;
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

/** Null if there is no such file. A folder of that name does not count as an object. */
async function openIfThere(path: string): Promise<FileHandle | null> {
  let handle: FileHandle;
  try {
    // Non-blocking, because opening a named pipe would wait until somebody writes to it.
    handle = await open(path, constants.O_RDONLY | constants.O_NONBLOCK);
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

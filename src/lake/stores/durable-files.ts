/** Writes files and folders that survive a power failure: they are synced before they get their names. */
import { createHash } from 'node:crypto';
import { type FileHandle, mkdir, open, stat } from 'node:fs/promises';
import { dirname } from 'node:path';
import type { Body, StoredObject } from './store.ts';

/** Most objects of a ledger fit into it. V8 counts larger buffers, and collects its heap sooner. */
const firstChunkBytes = 16 * 1024;
const chunkBytes = 256 * 1024;

/** The system's error code (`ENOENT`, …); null if the error has none. */
export function systemCode(error: unknown): string | null {
  return error instanceof Error && 'code' in error && typeof error.code === 'string' ? error.code : null;
}

/** The file's bytes, chunk by chunk. A chunk is valid only until the next one is requested. */
async function* chunksOf(handle: FileHandle, signal?: AbortSignal): AsyncGenerator<Uint8Array> {
  let buffer = Buffer.allocUnsafe(firstChunkBytes);
  for (let position = 0; ; ) {
    signal?.throwIfAborted();
    const { bytesRead } = await handle.read(buffer, 0, buffer.length, position);
    if (bytesRead === 0) return;
    yield buffer.subarray(0, bytesRead);
    position += bytesRead;
    if (bytesRead === firstChunkBytes) buffer = Buffer.allocUnsafe(chunkBytes);
  }
}

/** Size and ETag (SHA-256, hex) of an open file; `onChunk` sees every byte in order. */
export async function digestOf(
  handle: FileHandle,
  onChunk: (chunk: Uint8Array) => Promise<void> | void,
  signal?: AbortSignal,
): Promise<StoredObject> {
  const hash = createHash('sha256');
  let size = 0;
  for await (const chunk of chunksOf(handle, signal)) {
    hash.update(chunk);
    size += chunk.length;
    await onChunk(chunk);
  }
  return { etag: hash.digest('hex'), size };
}

/** Writes and syncs a new file. Does not sync its folder, because the file does not have its final name yet. */
export async function writeDurably(file: string, body: Body, signal?: AbortSignal): Promise<StoredObject> {
  const target = await open(file, 'wx', 0o644);
  try {
    const written =
      'bytes' in body ? await writeBytes(target, body.bytes) : await copyInto(target, body.file, signal);
    await target.sync();
    return written;
  } finally {
    await target.close();
  }
}

async function writeBytes(target: FileHandle, bytes: Uint8Array): Promise<StoredObject> {
  await target.writeFile(bytes);
  return { etag: createHash('sha256').update(bytes).digest('hex'), size: bytes.length };
}

async function copyInto(target: FileHandle, from: string, signal?: AbortSignal): Promise<StoredObject> {
  const source = await open(from, 'r');
  try {
    return await digestOf(source, (chunk) => target.writeFile(chunk), signal);
  } finally {
    await source.close();
  }
}

/**
 * Creates a folder and its parents, and syncs the name of each new one. Does not use mkdir's `recursive`: in Node 24 it
 * never ends below a folder such as /proc, which refuses new folders with ENOENT.
 */
export async function makeFolder(folder: string): Promise<void> {
  if (await isFolder(folder)) return;
  if (dirname(folder) !== folder) await makeFolder(dirname(folder));
  try {
    await mkdir(folder);
  } catch (error) {
    // Another run may have created it in the meantime.
    if (systemCode(error) === 'EEXIST' && (await isFolder(folder))) return;
    throw error;
  }
  await syncFolder(dirname(folder));
}

async function isFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    (error) => {
      if (systemCode(error) === 'ENOENT') return false;
      throw error;
    },
  );
}

/** A folder that cannot be opened for reading (Windows; a parent of another user) cannot be synced. */
const notOpened: ReadonlySet<string | null> = new Set(['EISDIR', 'EPERM', 'EACCES']);
/** Some file systems cannot sync folders. */
const notSynced: ReadonlySet<string | null> = new Set(['EINVAL', 'EPERM', 'ENOTSUP']);

/** Makes the names in a folder durable, if the system supports that. */
export async function syncFolder(folder: string): Promise<void> {
  let handle: FileHandle;
  try {
    handle = await open(folder, 'r');
  } catch (error) {
    if (notOpened.has(systemCode(error))) return;
    throw error;
  }
  try {
    await handle.sync();
  } catch (error) {
    if (!notSynced.has(systemCode(error))) throw error;
  } finally {
    await handle.close();
  }
}

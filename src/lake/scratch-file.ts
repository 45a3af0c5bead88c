/** Reads and writes files in scratch, with errors that name the scratch folder as the cause. */
import { open, writeFile } from 'node:fs/promises';
import { digestOf } from './stores/durable-files.ts';
import { scratchError } from './stores/file-errors.ts';

/** @throws ScratchError */
export async function writeScratchFile(file: string, text: string | Iterable<string>): Promise<void> {
  await writeFile(file, text).catch((error) => {
    throw scratchError('written', file, error);
  });
}

/**
 * The SHA-256 of the file's bytes, in hex.
 * @throws ScratchError
 */
export async function sha256Of(file: string): Promise<string> {
  try {
    const handle = await open(file, 'r');
    try {
      return (await digestOf(handle, () => undefined)).etag;
    } finally {
      await handle.close();
    }
  } catch (error) {
    throw scratchError('read', file, error);
  }
}

/** Reads and writes files in scratch, with errors that name the scratch folder as the cause. */
import { createHash } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { writeFile } from 'node:fs/promises';
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
  const hash = createHash('sha256');
  try {
    for await (const chunk of createReadStream(file)) hash.update(chunk);
  } catch (error) {
    throw scratchError('read', file, error);
  }
  return hash.digest('hex');
}

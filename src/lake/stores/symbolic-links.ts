/**
 * Refuses symbolic links in a local lake. The lake's own folder may be a link, because a person names it. Below it, a link
 * could turn two days into one, make a rename cross disks, or make a listing endless. So all jobs refuse links there, with
 * the same error.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LinkError } from '../../shared/errors.ts';
import { systemCode } from './durable-files.ts';

/**
 * @param key of an object, or of a folder, which ends in `/`
 * @param known folders that were already checked; gets those that this call has checked
 * @throws LinkError when the key or a folder above it is a link; system errors
 */
export async function refuseLinks(root: string, key: string, known = new Set<string>()): Promise<void> {
  let path = root;
  for (const name of key.split('/')) {
    if (name === '') continue;
    path = join(path, name);
    if (known.has(path)) continue;
    const found = await lstat(path).catch((error) => {
      if (systemCode(error) === 'ENOENT' || systemCode(error) === 'ENOTDIR') return null;
      throw error;
    });
    if (found === null) return;
    if (found.isSymbolicLink()) throw await linkError(root, path);
    if (found.isDirectory()) known.add(path);
  }
}

/** Whether a link leads to a folder. A listing cannot show what is in it. */
export async function leadsToFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    // The link is broken or circular, or leads to a place that cannot be read.
    () => false,
  );
}

export async function linkError(root: string, path: string): Promise<LinkError> {
  const [lake, target] = await Promise.all([root, path].map((one) => realpath(one).catch(() => null)));
  const where =
    target === null || target === undefined
      ? 'to nothing'
      : target.startsWith(`${lake}${sep}`)
        ? 'to another place in it'
        : 'to a place outside it';
  return new LinkError(
    `${path} in the lake ${root} is a link ${where}`,
    'Remove the link, or replace it by what it points to. Only the lake’s own folder may be a link.',
  );
}

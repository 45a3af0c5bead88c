/**
 * Symbolic links in a local lake. The lake's own folder may be one: it is asked for by name. Below it there is none:
 * through a link two days could be one, a rename could cross disks, and a listing could go in circles. So all jobs refuse
 * what lies behind one, with the same error.
 */
import { lstat, realpath, stat } from 'node:fs/promises';
import { join, sep } from 'node:path';
import { LinkError } from '../../shared/errors.ts';
import { systemCode } from './durable-files.ts';

/**
 * @param key of an object, or of a folder, which ends in `/`
 * @param known paths that were looked at before, for a caller with many keys
 * @throws LinkError when a folder on the way to the key, or what has its name, is a link; system errors
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
    if (found.isSymbolicLink()) throw await linkProblem(root, path);
    if (found.isDirectory()) known.add(path);
  }
}

/** Whether a link leads to a folder: a listing cannot say what lies there. */
export async function leadsToFolder(path: string): Promise<boolean> {
  return await stat(path).then(
    (found) => found.isDirectory(),
    // A link to nothing, in a circle, or to where nobody may look.
    () => false,
  );
}

export async function linkProblem(root: string, path: string): Promise<LinkError> {
  const [lake, target] = await Promise.all([root, path].map((one) => realpath(one).catch(() => null)));
  const where =
    target === null || target === undefined
      ? 'to nothing'
      : target.startsWith(`${lake}${sep}`)
        ? 'to another place in it'
        : 'to a place outside it';
  return new LinkError(
    `${path} in the lake ${root} is a link ${where}`,
    'Remove the link, or put what it leads to in its place: only the lake’s own folder may be a link.',
  );
}

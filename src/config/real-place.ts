/** Where a path of this machine really leads, so that a link cannot hide that one folder lies in another. */
import { realpathSync } from 'node:fs';
import { basename, dirname, join, sep } from 'node:path';

/** @param path absolute @returns the path without links, as far as it exists */
function realPlace(path: string): string {
  try {
    return realpathSync(path);
  } catch {
    const parent = dirname(path);
    return parent === path ? path : join(realPlace(parent), basename(path));
  }
}

/** Whether a path is a folder or lies in it, links followed. Both are absolute. */
export function liesIn(path: string, folder: string): boolean {
  const [inner, outer] = [realPlace(path), realPlace(folder)];
  return inner === outer || inner.startsWith(outer.endsWith(sep) ? outer : `${outer}${sep}`);
}

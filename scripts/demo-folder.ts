import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const marker = '.made-by-npm-run-demo';

/**
 * Makes the folder, or empties it when an earlier demo made it.
 * @throws Error when somebody else did, and there is something in it
 */
export function emptyFolder(folder: string): void {
  if (existsSync(folder) && !existsSync(join(folder, marker)) && readdirSync(folder).length > 0) {
    throw new Error(`${folder} was not made by the demo. Move it away, then run the demo again.`);
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, marker), 'npm run demo removes this folder when it starts.\n');
}

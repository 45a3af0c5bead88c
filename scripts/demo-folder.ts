import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';

const marker = '.made-by-npm-run-demo';

/**
 * Creates the folder, or empties it if an earlier demo created it.
 * @throws Error if the demo did not create it and it is not empty
 */
export function emptyFolder(folder: string): void {
  if (existsSync(folder) && !existsSync(join(folder, marker)) && readdirSync(folder).length > 0) {
    throw new Error(
      `${folder} exists, but the demo did not create it. Move it away, then run the demo again.`,
    );
  }
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder);
  writeFileSync(join(folder, marker), 'npm run demo removes this folder when it starts.\n');
}

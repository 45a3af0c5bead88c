/** Where the process enters the program: its environment, working folder and temporary folder, read in one place. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { SettingsInput } from '../config/settings.ts';

/** The sources of option values: the flags that yargs parsed, and the process that the program runs in. */
export function processInput(flags: Readonly<Record<string, unknown>>): SettingsInput {
  return {
    flags,
    env: process.env,
    cwd: process.cwd(),
    temporaryFolder: tmpdir(),
    readFile: (path: string) => readFileSync(path, 'utf8'),
  };
}

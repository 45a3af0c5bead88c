/** Options as yargs needs them, and what they are read from: the command line and the process's surroundings. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Options } from 'yargs';
import type { Option } from '../config/option.ts';
import type { SettingsInput } from '../config/settings.ts';

/** What options are read from: what was typed, and where the program runs. */
export function surroundings(flags: Readonly<Record<string, unknown>>): SettingsInput {
  return {
    flags,
    env: process.env,
    cwd: process.cwd(),
    temporaryFolder: tmpdir(),
    readFile: (path: string) => readFileSync(path, 'utf8'),
  };
}

/** Options for yargs: every value stays text, and none has a default, so that src/options judges. */
export function yargsOptions(options: Readonly<Record<string, Option>>): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind, sample, default: standard, description }]) => [
      name,
      {
        // A switch has no type: it may stand alone, or with true or false.
        ...(kind === 'switch' ? {} : { type: 'string' as const }),
        describe: sample === '' ? description : `${description} (${sample})`,
        ...(standard === null ? {} : { defaultDescription: standard }),
      },
    ]),
  );
}

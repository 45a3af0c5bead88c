/** Converts options for yargs, and gathers what options are read from: flags, environment, working folder. */
import { readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import type { Options } from 'yargs';
import type { Option } from '../config/option.ts';
import type { SettingsInput } from '../config/settings.ts';

/** The sources of option values: the flags, and the process that the program runs in. */
export function surroundings(flags: Readonly<Record<string, unknown>>): SettingsInput {
  return {
    flags,
    env: process.env,
    cwd: process.cwd(),
    temporaryFolder: tmpdir(),
    readFile: (path: string) => readFileSync(path, 'utf8'),
  };
}

/** Options for yargs. Values stay text and have no defaults, because src/config parses and checks them. */
export function yargsOptions(options: Readonly<Record<string, Option>>): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind, sample, default: standard, description }]) => [
      name,
      {
        // A switch has no type, because it may have no value, or true or false.
        ...(kind === 'switch' ? {} : { type: 'string' as const }),
        describe: sample === '' ? description : `${description} (${sample})`,
        ...(standard === null ? {} : { defaultDescription: standard }),
      },
    ]),
  );
}

/** The program's options in the form that yargs takes. */
import type { Options } from 'yargs';
import type { Option } from '../config/option.ts';

/** Values stay text and have no defaults, because src/config parses and checks them. */
export function yargsOptions(options: Readonly<Record<string, Option>>): Record<string, Options> {
  return Object.fromEntries(
    Object.entries(options).map(([name, { kind, sample, default: standard, description }]) => [
      name,
      {
        // A switch has no type, because it may have no value, or true or false.
        ...(kind === 'switch' ? {} : { type: 'string' as const }),
        // The default shows the form of the value already.
        describe: sample === '' || sample === standard ? description : `<${sample}> ${description}`,
        ...(standard === null ? {} : { defaultDescription: standard }),
      },
    ]),
  );
}

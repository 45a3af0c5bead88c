/** How command-line arguments are split into options and values, before any value is checked. */

/** For yargs: option names stay as they are typed, and every value stays text. */
export const yargsParserRules = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
} as const;

/**
 * Rewrites arguments that yargs would misread: a switch without a value must not take the next argument as its value,
 * and SQL that begins with a comment (`--`) is not an option.
 * @param switches names of options that need no value
 */
export function prepareArguments(args: readonly string[], switches: ReadonlySet<string>): readonly string[] {
  return args.map((arg, at) => {
    if (/^--\s/.test(arg)) return ` ${arg}`;
    const stands = arg.startsWith('--') && switches.has(arg.slice(2));
    return stands && !/^(?:true|false)$/.test(args[at + 1] ?? '') ? `${arg}=true` : arg;
  });
}

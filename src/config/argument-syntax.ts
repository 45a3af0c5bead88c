/** How the words of a command line are read, before anything judges them. */

/** For yargs: names stand as they are written, and every value is text. */
export const wordRules = {
  'boolean-negation': false,
  'camel-case-expansion': false,
  'dot-notation': false,
  'parse-numbers': false,
  'parse-positional-numbers': false,
} as const;

/**
 * The words as yargs has to see them: a switch that stands alone does not take the next word for its value, and SQL
 * that begins with a comment is no option.
 * @param switches names of options that may stand alone
 */
export function plainWords(words: readonly string[], switches: ReadonlySet<string>): readonly string[] {
  return words.map((word, at) => {
    if (/^--\s/.test(word)) return ` ${word}`;
    const stands = word.startsWith('--') && switches.has(word.slice(2));
    return stands && !/^(?:true|false)$/.test(words[at + 1] ?? '') ? `${word}=true` : word;
  });
}

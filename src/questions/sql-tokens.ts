/** Finds names and parameters in SQL, ignoring text and comments. */

const pieces =
  /(?<passed>--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|::)|:(?<parameter>[a-z][a-z0-9_]*)|(?<word>[A-Za-z_][A-Za-z0-9_]*)/g;

/** The names of parameters: `:name`. */
export function parametersOf(sql: string): ReadonlySet<string> {
  return found(sql, 'parameter');
}

/** Every unquoted word, including keywords. */
export function identifiersOf(sql: string): ReadonlySet<string> {
  return found(sql, 'word');
}

/** Replaces every parameter. Text, quoted names and comments stay unchanged. */
export function withParameters(sql: string, literalOf: (name: string) => string): string {
  return sql.replace(pieces, (piece: string, _passed: unknown, parameter: unknown) =>
    typeof parameter === 'string' ? literalOf(parameter) : piece,
  );
}

function found(sql: string, kind: 'parameter' | 'word'): ReadonlySet<string> {
  const names = new Set<string>();
  for (const { groups } of sql.matchAll(pieces)) {
    const name = groups?.[kind];
    if (name !== undefined) names.add(name);
  }
  return names;
}

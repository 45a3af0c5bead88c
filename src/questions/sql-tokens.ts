/** The little of SQL's grammar that is needed to find names and parameters, and not those in texts and comments. */

const pieces =
  /(?<passed>--[^\n]*|\/\*[\s\S]*?\*\/|'(?:[^']|'')*'|"(?:[^"]|"")*"|::)|:(?<parameter>[a-z][a-z0-9_]*)|(?<word>[A-Za-z_][A-Za-z0-9_]*)/g;

/** The names after a colon. */
export function parametersOf(sql: string): ReadonlySet<string> {
  return found(sql, 'parameter');
}

/** Every bare word, keywords among them. */
export function identifiersOf(sql: string): ReadonlySet<string> {
  return found(sql, 'word');
}

/** The SQL with every parameter replaced; texts, quoted names and comments stay as they are. */
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

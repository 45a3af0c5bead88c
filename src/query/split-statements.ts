/** Splits text into SQL statements, with just enough grammar to find where a statement ends. */

const pieces =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<quoted>'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))|(?<end>;)|(?<space>\s+)|[\s\S]/gu;

export interface Cut {
  /** Without semicolons; empty statements are left out. */
  readonly statements: readonly string[];
  /** The text after the last semicolon; '' if it is only space and comments. */
  readonly rest: string;
}

/** Semicolons inside text, quoted names and comments do not end a statement. */
export function splitStatements(text: string): Cut {
  const statements: string[] = [];
  let current = '';
  let says = false;
  for (const { 0: piece, groups } of text.matchAll(pieces)) {
    if (groups?.end !== undefined) {
      if (says) statements.push(current.trim());
      current = '';
      says = false;
      continue;
    }
    current += piece;
    if (groups?.comment === undefined && groups?.space === undefined) says = true;
  }
  return { statements, rest: says ? current : '' };
}

/** The statement without leading comments and space. */
export function withoutLeadingComments(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}

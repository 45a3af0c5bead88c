/** Cutting text into SQL statements: as much of the grammar as says where one ends. */

const pieces =
  /(?<comment>--[^\n]*|\/\*[\s\S]*?(?:\*\/|$))|(?<quoted>'(?:[^']|'')*(?:'|$)|"(?:[^"]|"")*(?:"|$)|\$(?<tag>\w*)\$[\s\S]*?(?:\$\k<tag>\$|$))|(?<end>;)|(?<space>\s+)|[\s\S]/gu;

export interface Cut {
  /** Without their semicolons; those that say nothing are left out. */
  readonly statements: readonly string[];
  /** What follows the last semicolon; '' when it says nothing. */
  readonly rest: string;
}

/** Semicolons in texts, quoted names and comments end nothing. */
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

/** The statement without the comments and space that it begins with. */
export function withoutLeadingComments(statement: string): string {
  return statement.replace(/^(?:\s+|--[^\n]*(?:\n|$)|\/\*[\s\S]*?\*\/)+/, '');
}

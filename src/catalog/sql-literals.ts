/** Names and texts inside SQL of the two dialects: what is given is never taken for SQL. */

/**
 * A text in Athena's DDL, which Hive's grammar reads: in single quotes, with a backslash before what would end it.
 * (github.com/apache/hive, BaseSemanticAnalyzer.unescapeSQLString)
 */
export function hiveText(text: string): string {
  return `'${oneLine(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name in Athena's DDL. A backtick has no escape there that every version reads, so none is allowed. */
export function hiveName(name: string): string {
  if (name.includes('`')) throw new TypeError(`${JSON.stringify(name)} cannot be a name in Hive's grammar`);
  return `\`${name}\``;
}

/** A text in Trino, and in Athena's queries and views, which are Trino's. */
export function trinoText(text: string): string {
  return `'${oneLine(text).replaceAll("'", "''")}'`;
}

/** A name in Trino, and in Athena's queries and views. */
export function trinoName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Comments stay on their line: Glue takes no control characters in them. */
function oneLine(text: string): string {
  // biome-ignore lint/suspicious/noControlCharactersInRegex: these are what is replaced
  return text.replace(/[\u0000-\u001f\u007f]+/g, ' ');
}

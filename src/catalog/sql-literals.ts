/** Quotes names and text for SQL in both dialects, so that a value is never read as SQL. */

/**
 * Text in Athena's DDL, which has Hive's grammar: in single quotes, with backslashes as escapes
 * (github.com/apache/hive, BaseSemanticAnalyzer.unescapeSQLString)
 */
export function hiveText(text: string): string {
  return `'${oneLine(text).replaceAll('\\', '\\\\').replaceAll("'", "\\'")}'`;
}

/** A name in Athena's DDL. Not every version can escape a backtick there, so a name must not contain one. */
export function hiveName(name: string): string {
  if (name.includes('`')) throw new TypeError(`${JSON.stringify(name)} cannot be a name in Hive's grammar`);
  return `\`${name}\``;
}

/** Text in Trino, and in Athena's queries and views, which use Trino's grammar. */
export function trinoText(text: string): string {
  return `'${oneLine(text).replaceAll("'", "''")}'`;
}

/** A name in Trino, and in Athena's queries and views. */
export function trinoName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

/** Glue rejects control characters in comments. */
function oneLine(text: string): string {
  return text.replace(/(?:(?=\p{ASCII})\p{Cc})+/gu, ' ');
}

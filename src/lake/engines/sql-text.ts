/** How names, texts and paths are written in DuckDB's SQL. */
import type { ColumnType } from '../../tables/table.ts';

export const sqlTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  /** Written to Parquet in milliseconds, not adjusted to UTC; any other timestamp becomes microseconds. */
  timestamp: 'TIMESTAMP_MS',
};

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A file to read: its own name and no pattern. DuckDB expands `*`, `?` and `[…]` in paths. */
export function quoteFile(path: string): string {
  return quoteText(path.replace(/[*?[]/g, '[$&]'));
}

/** Quotes names, texts and paths for DuckDB's SQL. */
import type { ColumnType } from '../../tables/table.ts';

export const sqlTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  /** In Parquet: milliseconds, not adjusted to UTC. DuckDB writes any other timestamp type in microseconds. */
  timestamp: 'TIMESTAMP_MS',
};

export function quoteName(name: string): string {
  return `"${name.replaceAll('"', '""')}"`;
}

export function quoteText(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

/** A file to read. DuckDB would expand `*`, `?` and `[…]` in the path, so they are escaped. */
export function quoteFile(path: string): string {
  return quoteText(path.replace(/[*?[]/g, '[$&]'));
}

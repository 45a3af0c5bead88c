import type { Row } from '../tables/table.ts';

/**
 * The longest line of staged rows, in bytes. If a row is longer, its record is rejected. DuckDB reserves memory for a few
 * lines of this length, however long they are (`maximum_object_size`, duckdb.org/docs/stable/data/json/loading_json).
 */
export const longestStagedLine = 4 * 2 ** 20;

/** Whether a row is too long to be staged. */
export function isTooLong(row: Row): boolean {
  let characters = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') characters += value.length;
  // In JSON a character takes at most six bytes (\u0000). The names and numbers of a row are a few kilobytes.
  if (characters * 6 < longestStagedLine / 2) return false;
  return Buffer.byteLength(JSON.stringify(row)) > longestStagedLine;
}

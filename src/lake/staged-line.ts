import type { Row } from '../tables/table.ts';

/**
 * The longest line of staged rows, in bytes; a record whose row is longer is rejected. DuckDB holds a few lines of this
 * length at once, whether they are that long or not (`maximum_object_size`, duckdb.org/docs/stable/data/json/loading_json).
 */
export const longestStagedLine = 4 * 2 ** 20;

/** Whether a row cannot be staged. */
export function isTooLong(row: Row): boolean {
  let characters = 0;
  for (const value of Object.values(row)) if (typeof value === 'string') characters += value.length;
  // JSON makes no more than six bytes of one (\u0000); names and numbers of a row are some kilobytes.
  if (characters * 6 < longestStagedLine / 2) return false;
  return Buffer.byteLength(JSON.stringify(row)) > longestStagedLine;
}

import { type Column, comparedColumns, type Row, type Table } from '../tables/table.ts';

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

/**
 * The columns of a staged line, in order: what decides whether a row changed comes first, so that the beginning of two lines
 * tells whether AWS shows the same.
 */
export function stagedColumns(table: Table): readonly Column[] {
  const compared = comparedColumns(table);
  return [
    ...compared,
    ...table.columns.filter((column) => column.origin.kind !== 'derived' && !compared.includes(column)),
  ];
}

const heads = new WeakMap<Table, readonly string[]>();

/** What stands in a line before each value that is not compared. */
export function notComparedHeads(table: Table): readonly string[] {
  const known = heads.get(table);
  if (known !== undefined) return known;
  const compared = new Set(comparedColumns(table));
  const made = stagedColumns(table)
    .filter((column) => !compared.has(column))
    .map(({ name }) => `,${JSON.stringify(name)}:`);
  heads.set(table, made);
  return made;
}

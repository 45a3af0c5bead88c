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

interface LineColumn {
  readonly name: string;
  /** What stands before its value: `"state":`. */
  readonly head: string;
  readonly isCompared: boolean;
}

const lineColumns = new WeakMap<Table, readonly LineColumn[]>();

function lineColumnsOf(table: Table): readonly LineColumn[] {
  const known = lineColumns.get(table);
  if (known !== undefined) return known;
  const compared = new Set(comparedColumns(table));
  const columns = stagedColumns(table).map((column) => ({
    name: column.name,
    head: `${JSON.stringify(column.name)}:`,
    isCompared: compared.has(column),
  }));
  lineColumns.set(table, columns);
  return columns;
}

/** A row as JSON, without nulls and derived columns: the columns that are compared, and the rest. */
export function lineOf(table: Table, row: Row): readonly [compared: string, rest: string] {
  const [compared, rest]: [string[], string[]] = [[], []];
  for (const { name, head, isCompared } of lineColumnsOf(table)) {
    const value = row[name];
    if (value !== undefined && value !== null)
      (isCompared ? compared : rest).push(head + JSON.stringify(value));
  }
  const comma = compared.length > 0 && rest.length > 0 ? ',' : '';
  return [`{${compared.join(',')}`, `${comma}${rest.join(',')}}`];
}

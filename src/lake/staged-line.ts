import { type Column, comparedColumns, type Row, type Table, type Value } from '../tables/table.ts';

/**
 * The longest row as JSON, in bytes. If a row is longer, its record is rejected. Its staged line is shorter, because it lacks
 * the names. DuckDB reserves memory for a few lines of this length, however long they are.
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
 * tells whether AWS shows the same. Of these, the day that decides about the part comes last: for a copy job it is known only
 * when all others are.
 */
export function stagedColumns(table: Table): readonly Column[] {
  const known = columnsOf.get(table);
  if (known !== undefined) return known;
  const days = new Set(table.partitions.flatMap(({ values }) => (values.kind === 'day' ? [values.of] : [])));
  const compared = comparedColumns(table);
  const columns = [
    ...compared.filter(({ name }) => !days.has(name)),
    ...compared.filter(({ name }) => days.has(name)),
    ...table.columns.filter((column) => column.origin.kind !== 'derived' && !compared.includes(column)),
  ];
  columnsOf.set(table, columns);
  return columns;
}

const columnsOf = new WeakMap<Table, readonly Column[]>();

/**
 * A row as CSV (RFC 4180): its columns that are compared, and the rest. Texts are quoted and may have line breaks. Nothing
 * between two commas is null. Numbers and booleans stand as in JSON.
 */
export function lineOf(table: Table, row: Row): readonly [compared: string, rest: string] {
  const values = stagedColumns(table).map(({ name }) => valueText(row[name] ?? null));
  const compared = comparedColumns(table).length;
  const rest = values.slice(compared).join(',');
  return [values.slice(0, compared).join(','), compared === 0 ? rest : `,${rest}`];
}

function valueText(value: Value): string {
  if (value === null) return '';
  return typeof value === 'string' ? quoted(value) : String(value);
}

export function quoted(text: string): string {
  return `"${text.replaceAll('"', '""')}"`;
}

/** What a merge has to know about a table's columns; both engines go by these lists. */
import type { Column, Table } from '../../tables/table.ts';

/** The columns that staged rows and parts bring along; the derived ones are computed from them. */
export function storedColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ origin }) => origin.kind !== 'derived');
}

/**
 * The columns that say of whom a row was asked. They travel together, from one observation: the one whose
 * target has precedence. `account_id` belongs to them because it is the asked one's where a record has none.
 */
export function targetColumns(table: Table): readonly Column[] {
  return table.columns.filter(
    ({ name, origin }) => origin.kind === 'target' || name === 'account_id' || name === 'queried_account_id',
  );
}

/** The names of the target columns, those first that decide between targets of the same rank: the lowest wins. */
export function targetPrecedence(table: Table): readonly string[] {
  const names = targetColumns(table).map(({ name }) => name);
  const first = ['queried_account_id', 'region', 'account_id'].filter((name) => names.includes(name));
  return [...new Set([...first, ...names])];
}

/** The columns that come from the winning observation, or, in a terminal row, fill its nulls. */
export function contentColumns(table: Table): readonly Column[] {
  const fromTarget = new Set(targetColumns(table).map(({ name }) => name));
  return table.columns.filter(({ name, origin }) => origin.kind === 'api' && !fromTarget.has(name));
}

/** The provenance that comes from the winning observation alone. */
export function winnerColumns(table: Table): readonly Column[] {
  const others = new Set([...targetColumns(table), ...contentColumns(table)].map(({ name }) => name));
  return storedColumns(table).filter(({ name }) => name !== 'first_observed_at' && !others.has(name));
}

/** Decides between two observations of the same instant: the greater value wins, in the first that differs. */
export function tieColumns(table: Table): readonly Column[] {
  const columns = table.merge.kind === 'upsert' ? contentColumns(table) : storedColumns(table);
  const provenance = winnerColumns(table).filter(({ name }) => name !== 'observed_at');
  return [...new Set([...columns, ...provenance])];
}

export function hasColumn(table: Table, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}

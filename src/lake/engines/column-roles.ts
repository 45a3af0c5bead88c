/** The roles of a table's columns in a merge. Both engines use these lists. */
import type { Column, Table } from '../../tables/table.ts';

/** The columns that staged rows and parts contain. Derived columns are computed from them. */
export function storedColumns(table: Table): readonly Column[] {
  return table.columns.filter(({ origin }) => origin.kind !== 'derived');
}

/**
 * The columns that name the target. All of them come from the same observation: the one whose target has precedence.
 * `account_id` is one of them, because without an account in the record it is the queried account.
 */
export function targetColumns(table: Table): readonly Column[] {
  return table.columns.filter(
    ({ name, origin }) => origin.kind === 'target' || name === 'account_id' || name === 'queried_account_id',
  );
}

/** The names of the target columns. Among targets of equal rank the lowest values win, compared in this order. */
export function targetPrecedence(table: Table): readonly string[] {
  const names = targetColumns(table).map(({ name }) => name);
  const first = ['queried_account_id', 'region', 'account_id'].filter((name) => names.includes(name));
  return [...new Set([...first, ...names])];
}

/** The columns with the content of the job. In a terminal row, other terminal observations fill their nulls. */
export function contentColumns(table: Table): readonly Column[] {
  const fromTarget = new Set(targetColumns(table).map(({ name }) => name));
  return table.columns.filter(
    ({ name, origin }) => (origin.kind === 'api' || origin.kind === 'computed') && !fromTarget.has(name),
  );
}

/** The provenance columns that all observations contribute to. */
const ofAllObservations: ReadonlySet<string> = new Set(['first_observed_at', 'state_history']);

/** The provenance columns that come only from the winning observation. */
function winnerColumns(table: Table): readonly Column[] {
  const others = new Set([...targetColumns(table), ...contentColumns(table)].map(({ name }) => name));
  return storedColumns(table).filter(({ name }) => !ofAllObservations.has(name) && !others.has(name));
}

/** Decide between two observations of the same instant: the greater value wins, in the first column that differs. */
export function tieColumns(table: Table): readonly Column[] {
  const columns = table.merge.kind === 'upsert' ? contentColumns(table) : storedColumns(table);
  const provenance = winnerColumns(table).filter(({ name }) => name !== 'observed_at');
  return [...new Set([...columns, ...provenance])];
}

export function hasColumn(table: Table, name: string): boolean {
  return table.columns.some((column) => column.name === name);
}

/** What a run did to each table. */

import type { Published } from '../lake/publish.ts';
import type { DrainedTable, Table } from '../tables/table.ts';
import type { Drained } from './planned.ts';

export interface TableTotals {
  readonly added: number;
  readonly updated: number;
  readonly unchanged: number;
  readonly removed: number;
  readonly rejected: number;
  readonly parts_written: number;
  readonly bytes_written: number;
}

/** Names of fields without a column, by table; as AWS writes them, ascending. */
export type UnknownFields = Readonly<Partial<Record<DrainedTable, readonly string[]>>>;

export type Totals = Readonly<Partial<Record<DrainedTable, TableTotals>>>;

const none: TableTotals = {
  added: 0,
  updated: 0,
  unchanged: 0,
  removed: 0,
  rejected: 0,
  parts_written: 0,
  bytes_written: 0,
};

export function emptyTotals(tables: readonly DrainedTable[]): Totals {
  return Object.fromEntries(tables.map((table) => [table, none]));
}

/** The totals plus one part, written or unchanged. */
export function withPart(totals: Totals, table: Table, { outcome, written }: Published): Totals {
  if (table.name !== 'copy_jobs' && table.name !== 'copy_job_summaries') return totals;
  const sum = totals[table.name] ?? none;
  return {
    ...totals,
    [table.name]: {
      ...sum,
      added: sum.added + outcome.added,
      updated: sum.updated + outcome.updated,
      unchanged: sum.unchanged + outcome.unchanged,
      removed: sum.removed + outcome.removed,
      parts_written: sum.parts_written + (written === null ? 0 : 1),
      bytes_written: sum.bytes_written + (written?.bytes ?? 0),
    },
  };
}

/** The totals plus rejected records. */
export function withRejected(totals: Totals, table: DrainedTable, records: number): Totals {
  const sum = totals[table] ?? none;
  return { ...totals, [table]: { ...sum, rejected: sum.rejected + records } };
}

/** The fields from AWS that have no column, each once, by table. */
export function unknownFieldsOf(drained: Iterable<Pick<Drained, 'table' | 'unknownFields'>>): UnknownFields {
  const names = new Map<DrainedTable, Set<string>>();
  for (const { table, unknownFields } of drained) {
    if (unknownFields.size === 0) continue;
    names.set(table, new Set([...(names.get(table) ?? []), ...unknownFields]));
  }
  return Object.fromEntries([...names].map(([table, fields]) => [table, [...fields].sort()]));
}

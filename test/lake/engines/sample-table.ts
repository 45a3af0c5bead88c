/** A small table with every type, and what a test needs to stage its rows and read its parts. */
import { writeFile } from 'node:fs/promises';
import { column, free, provenance } from '../../../src/tables/column.ts';
import { type Row, type Table, withDerived } from '../../../src/tables/table.ts';
import { linesOf } from '../../support/staged-rows.ts';

const record = (field: string) => ({ kind: 'api', field }) as const;

export const sample: Table = {
  name: 'copy_jobs',
  description: 'A table of the tests.',
  schemaVersion: 1,
  columns: [
    column(record('Id'), 'id', 'text', 'The key.', 'a'),
    column(record('Label'), 'label', 'text', 'Any text.', 'ä', free),
    column(record('State'), 'state', 'text', 'The state.', 'RUNNING'),
    column(record('Size'), 'size', 'bigint', 'A size.', '1'),
    column(record('Flag'), 'flag', 'boolean', 'A flag.', 'true'),
    column(record('Time'), 'time', 'timestamp', 'A time.', '2026-11-20 00:00:00.000'),
    column(
      {
        kind: 'derived',
        from: ({ state }) => (state === null || state === undefined ? null : state === 'COMPLETED'),
        sql: "state = 'COMPLETED'",
      },
      'is_terminal',
      'boolean',
      'Whether it has ended.',
      'true',
    ),
    column(provenance, 'first_observed_at', 'timestamp', 'First seen.', '2026-11-20 00:00:00.000'),
    column(provenance, 'observed_at', 'timestamp', 'Seen.', '2026-11-20 00:00:00.000'),
    column(provenance, 'run_id', 'text', 'The run.', 'r'),
  ],
  partitions: [
    { name: 'day', description: 'The day.', example: '2026-11-20', values: { kind: 'day', of: 'time' } },
  ],
  merge: { kind: 'upsert', key: ['id'] },
  sortBy: ['id'],
};

/** With accounts, by which it is sorted first: many new rows are written some accounts at a time. */
export const sampleOfAccounts: Table = {
  ...sample,
  columns: [
    column(record('Account'), 'account_id', 'text', 'The account.', '111122223333'),
    ...sample.columns,
  ],
  sortBy: ['account_id', 'id'],
};

export async function stage(table: Table, file: string, rows: readonly Row[]): Promise<string> {
  await writeFile(file, linesOf(table, rows));
  return file;
}

/** The row as it must read back: every column of the table, absent ones null, derived ones computed. */
export function completeRow(table: Table, row: Row): Row {
  const derived = withDerived(table, row);
  return Object.fromEntries(table.columns.map(({ name }) => [name, derived[name] ?? null]));
}

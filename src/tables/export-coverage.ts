/** What each run covered: one row for every planned (table, target). */
import { column } from './column.ts';
import type { Column, Table } from './table.ts';

const run = { kind: 'run' } as const;

const columns: readonly Column[] = [
  column(run, 'run_id', 'text', 'The run.', '0199f3a0-7c1e-7b2a-9c3d-4e5f60718293'),
  column(run, 'as_of', 'timestamp', 'The run’s one instant, in AWS’s time.', '2026-11-21 02:00:00.000', {
    unit: 'UTC, milliseconds',
  }),
  column(
    run,
    'table_name',
    'text',
    'The table that was to be filled: copy_jobs or copy_job_summaries.',
    'copy_jobs',
  ),
  column(run, 'account_id', 'text', 'The target’s account.', '111122223333'),
  column(run, 'account_name', 'text', 'Its name in the organization, where known.', 'payments-prod', {
    freeText: true,
  }),
  column(run, 'region', 'text', 'The target’s region.', 'us-east-1'),
  column(
    run,
    'status',
    'text',
    'OK and OK_EMPTY: drained and published. REJECTED_RECORDS: drained, and some records were kept aside; of copy_jobs all others are published, of copy_job_summaries the target’s counts stay as they were. For a person to heal: ACCESS_DENIED, ASSUME_ROLE_FAILED, REGION_DISABLED. For time to heal: THROTTLED, TIMED_OUT, UNREACHABLE, INTERRUPTED, SKIPPED, PUBLISH_FAILED. FAILED: no name for it.',
    'OK',
  ),
  column(
    run,
    'window_from',
    'timestamp',
    'Jobs created from this instant on were asked for; null: from the beginning of AWS’s memory.',
    '2026-11-19 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(
    run,
    'window_to',
    'timestamp',
    'Jobs created before this instant were asked for; null for a table without a window.',
    '2026-11-21 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(run, 'pages', 'bigint', 'Pages read.', '3', { unit: 'pages' }),
  column(run, 'rows', 'bigint', 'Records read that became rows, repeated ones included.', '2512', {
    unit: 'rows',
  }),
  column(run, 'rejected', 'bigint', 'Records read that could not become rows; kept raw in the ledger.', '0', {
    unit: 'records',
  }),
  column(run, 'retries', 'bigint', 'Requests sent again.', '1', { unit: 'requests' }),
  column(
    run,
    'first_request_id',
    'text',
    'AWS’s id of the first page’s request: what its support asks for.',
    '7f3c1b52-0f0e-4c59-a2b9-6f1f7f0c1d2e',
  ),
  column(
    run,
    'last_request_id',
    'text',
    'AWS’s id of the last page’s request.',
    '0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b',
  ),
  column(run, 'duration_ms', 'bigint', 'How long the drain took.', '1840', { unit: 'milliseconds' }),
  column(
    run,
    'error_name',
    'text',
    'The error that ended the drain, or why records were rejected.',
    'AccessDeniedException',
  ),
  column(
    run,
    'error_message',
    'text',
    'Its message.',
    'User is not authorized to perform backup:ListCopyJobs',
    { freeText: true },
  ),
];

export const exportCoverage: Table = {
  name: 'export_coverage',
  description:
    'What each run that ended covered: exactly one row for every planned table and target. ' +
    '“Nothing there” is only ever said (OK_EMPTY) after a drain that ended well.',
  schemaVersion: 1,
  columns,
  partitions: [
    {
      name: 'run_date',
      description: 'UTC day of as_of, yyyy-MM-dd.',
      example: '2026-11-21',
      values: { kind: 'day', of: 'as_of' },
    },
  ],
  merge: { kind: 'append' },
  sortBy: ['table_name', 'account_id', 'region'],
};

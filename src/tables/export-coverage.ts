/** What each run covered: one row per planned table and target. */
import { column } from './column.ts';
import type { Column, Table } from './table.ts';

const run = { kind: 'run' } as const;

const columns: readonly Column[] = [
  column(run, 'run_id', 'text', 'The run.', '0199f3a0-7c1e-7b2a-9c3d-4e5f60718293'),
  column(run, 'as_of', 'timestamp', 'The run’s reference time, in AWS’s time.', '2026-11-21 02:00:00.000', {
    unit: 'UTC, milliseconds',
  }),
  column(
    run,
    'table_name',
    'text',
    'The table that the rows were for: copy_jobs or copy_job_summaries.',
    'copy_jobs',
  ),
  column(run, 'account_id', 'text', 'The target’s account.', '111122223333'),
  column(
    run,
    'account_name',
    'text',
    'The name of the account in the organization, if known.',
    'payments-prod',
    {
      freeText: true,
    },
  ),
  column(run, 'region', 'text', 'The target’s region.', 'us-east-1'),
  column(
    run,
    'status',
    'text',
    'OK and OK_EMPTY: everything was read and published. REJECTED_RECORDS: everything was read, but some records were rejected; the other copy jobs are published, while counts of this target stay unchanged. A person must act: ACCESS_DENIED, ASSUME_ROLE_FAILED, REGION_DISABLED. A later run can succeed: THROTTLED, TIMED_OUT, UNREACHABLE, INTERRUPTED, SKIPPED, PUBLISH_FAILED. FAILED: any other error.',
    'OK',
  ),
  column(
    run,
    'window_from',
    'timestamp',
    'The run asked for jobs created at or after this time. Null: for everything that AWS still keeps.',
    '2026-11-19 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(
    run,
    'window_to',
    'timestamp',
    'The run asked for jobs created before this time. Null for a table without a window.',
    '2026-11-21 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(run, 'pages', 'bigint', 'The number of pages read.', '3', { unit: 'pages' }),
  column(run, 'rows', 'bigint', 'The number of records that became rows, including duplicates.', '2512', {
    unit: 'rows',
  }),
  column(
    run,
    'rejected',
    'bigint',
    'The number of records that could not become rows. The ledger keeps them raw.',
    '0',
    {
      unit: 'records',
    },
  ),
  column(run, 'retries', 'bigint', 'The number of requests that were sent again.', '1', { unit: 'requests' }),
  column(
    run,
    'first_request_id',
    'text',
    'AWS’s id of the request for the first page. AWS Support asks for it.',
    '7f3c1b52-0f0e-4c59-a2b9-6f1f7f0c1d2e',
  ),
  column(
    run,
    'last_request_id',
    'text',
    'AWS’s id of the request for the last page.',
    '0d9e8c7b-6a5f-4e3d-8c2b-1a0f9e8d7c6b',
  ),
  column(run, 'duration_ms', 'bigint', 'How long reading the target took.', '1840', { unit: 'milliseconds' }),
  column(
    run,
    'error_name',
    'text',
    'The name of the error that stopped the reading or publishing; RejectedRecords if records were rejected.',
    'AccessDeniedException',
  ),
  column(
    run,
    'error_message',
    'text',
    'The message of the error.',
    'User is not authorized to perform backup:ListCopyJobs',
    { freeText: true },
  ),
  column(
    run,
    'remembered_from',
    'timestamp',
    'The program assumes that AWS has deleted everything created before this time: as_of minus --memory-days for copy_jobs, minus --count-memory-days for copy_job_summaries. Without window_from, or with an earlier one, a good run has covered everything created since this time.',
    '2026-10-17 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
];

export const exportCoverage: Table = {
  name: 'export_coverage',
  description:
    'What each finished run covered: exactly one row per planned table and target. ' +
    'OK_EMPTY appears only if the target was read completely and had no records.',
  schemaVersion: 2,
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

/** How AWS's own daily counts compare with the rows of copy_jobs, as each run found it. */
import { column } from './column.ts';
import type { Column, Table } from './table.ts';

const run = { kind: 'run' } as const;

const columns: readonly Column[] = [
  column(run, 'run_id', 'text', 'The run.', '0199f3a0-7c1e-7b2a-9c3d-4e5f60718293'),
  column(run, 'as_of', 'timestamp', 'The run’s reference time, in AWS’s time.', '2026-11-21 02:00:00.000', {
    unit: 'UTC, milliseconds',
  }),
  column(run, 'account_id', 'text', 'The account that owns the jobs.', '111122223333'),
  column(
    run,
    'account_name',
    'text',
    'The name of the account in the organization, if known.',
    'payments-prod',
    { freeText: true },
  ),
  column(run, 'region', 'text', 'The region of the jobs.', 'us-east-1'),
  column(
    run,
    'creation_date',
    'text',
    'The UTC day on which the jobs were created, yyyy-MM-dd.',
    '2026-11-19',
  ),
  column(
    run,
    'scope',
    'text',
    'day: the whole account, region and day, one row for each that was compared. kind: one kind of job that differs. Do not add up both.',
    'day',
  ),
  column(
    run,
    'resource_type',
    'text',
    'In a row of scope kind: the resource type. Null: AWS or the job names none.',
    'EBS',
  ),
  column(run, 'state', 'text', 'In a row of scope kind: the state.', 'COMPLETED'),
  column(
    run,
    'message_category',
    'text',
    'In a row of scope kind: the message category. Upper and lower case are the same.',
    'SUCCESS',
  ),
  column(run, 'aws_count', 'bigint', 'How many jobs AWS counted.', '42', { unit: 'jobs' }),
  column(run, 'lake_count', 'bigint', 'How many rows of copy_jobs there are.', '41', { unit: 'jobs' }),
  column(
    run,
    'missing_jobs',
    'bigint',
    'Jobs that AWS counted and copy_jobs lacks, as far as a change of state between the two observations does not explain them.',
    '1',
    { unit: 'jobs' },
  ),
  column(
    run,
    'surplus_jobs',
    'bigint',
    'Rows of copy_jobs that AWS did not count, as far as a change of state between the two observations does not explain them.',
    '0',
    { unit: 'jobs' },
  ),
  column(
    run,
    'counting_rule',
    'text',
    'Which rows of copy_jobs were counted. AWS does not document whether it counts parents, children, and copies in their destination, so the run takes the rule that fits AWS’s counts.',
    'every job',
  ),
];

export const exportReconciliation: Table = {
  name: 'export_reconciliation',
  description:
    'AWS’s own daily counts compared with the rows of copy_jobs, by each run: one row of scope day for each account, ' +
    'region and complete day that AWS still counts and that has jobs, and one row of scope kind for each kind of job that differs.',
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
  sortBy: ['account_id', 'region', 'creation_date', 'scope', 'resource_type', 'state', 'message_category'],
};

/** AWS Backup's own daily counts of copy jobs. The lake keeps them after AWS has deleted them. */
import type { CopyJobSummary } from '@aws-sdk/client-backup';
import { api, column, provenance } from './column.ts';
import { apiValues, InvalidRecord, isObject, required, unknownFields } from './record-values.ts';
import type { Column, Normalized, Observation, Table } from './table.ts';
import { utcDay } from './table.ts';

/** The periods that ListCopyJobSummaries counts by (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobSummaries.html). */
export type AggregationPeriod = 'ONE_DAY' | 'SEVEN_DAYS' | 'FOURTEEN_DAYS';

const apiColumns = [
  api('region', 'text', 'Region', 'The region of the jobs.', 'us-east-1'),
  api('account_id', 'text', 'AccountId', 'The account that owns the jobs.', '111122223333'),
  api(
    'state',
    'text',
    'State',
    'The state of the jobs when AWS counted them. Counts have more states than jobs: also ABORTING, ABORTED, COMPLETING and FAILING.',
    'COMPLETED',
  ),
  api('resource_type', 'text', 'ResourceType', 'The type of the resource, as AWS Backup names it.', 'EBS'),
  api(
    'message_category',
    'text',
    'MessageCategory',
    'The category of the message, in mixed case: SUCCESS, AccessDenied, InvalidParameters, …',
    'SUCCESS',
  ),
  api('job_count', 'bigint', 'Count', 'The number of jobs.', '42', { unit: 'jobs' }),
  api('start_time', 'timestamp', 'StartTime', 'When the counted period begins.', '2026-11-19 00:00:00.000', {
    unit: 'UTC, milliseconds',
  }),
  api('end_time', 'timestamp', 'EndTime', 'When the counted period ends.', '2026-11-20 00:00:00.000', {
    unit: 'UTC, milliseconds',
  }),
] as const;

const columns: readonly Column[] = [
  ...apiColumns,
  column(
    provenance,
    'first_observed_at',
    'timestamp',
    'When this count was first seen, in AWS’s time.',
    '2026-11-20 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(
    provenance,
    'observed_at',
    'timestamp',
    'When AWS sent the response that last changed this row, in AWS’s time.',
    '2026-11-21 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(
    provenance,
    'run_id',
    'text',
    'The run that last changed this row.',
    '0199f3a0-7c1e-7b2a-9c3d-4e5f60718293',
  ),
  column(provenance, 'queried_account_id', 'text', 'The account that was queried.', '111122223333'),
];

export const copyJobSummaries: Table = {
  name: 'copy_job_summaries',
  description:
    'AWS Backup’s own counts of copy jobs, by state, resource type and message category. ' +
    'A new count of a day replaces the whole day of its account and region.',
  schemaVersion: 1,
  columns,
  partitions: [
    {
      name: 'aggregation_period',
      description:
        'The period that AWS counted by: ONE_DAY, SEVEN_DAYS or FOURTEEN_DAYS. Do not add up counts of different periods.',
      example: 'ONE_DAY',
      values: { kind: 'one-of', texts: ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'] },
    },
    {
      name: 'start_date',
      description: 'UTC day of start_time, yyyy-MM-dd.',
      example: '2026-11-20',
      values: { kind: 'day', of: 'start_time' },
    },
  ],
  merge: {
    kind: 'replace-slice',
    slice: ['account_id', 'region'],
    key: ['account_id', 'region', 'start_time', 'state', 'resource_type', 'message_category'],
  },
  sortBy: ['account_id', 'region', 'start_time', 'state', 'resource_type', 'message_category'],
};

/** The columns of the key. If one of their texts is malformed, the record is rejected: two counts must not become one. */
const identity: ReadonlySet<string> = new Set(
  copyJobSummaries.merge.kind === 'replace-slice' ? copyJobSummaries.merge.key : [],
);

/**
 * Converts a raw record of ListCopyJobSummaries to a row, or says why it cannot.
 * All rows of one drain have the same `observedAt`, so that the drain wins or loses as a whole.
 */
export function copyJobSummaryRow(
  record: unknown,
  observation: Observation,
  period: AggregationPeriod,
): Normalized {
  try {
    if (!isObject(record)) throw new InvalidRecord('the record is not an object');
    const altered = new Set<string>();
    const values = apiValues(record, columns, { identity, onAltered: (field) => altered.add(field) });
    const start = required(values, 'start_time', 'StartTime');
    required(values, 'job_count', 'Count');
    return {
      row: {
        ...values,
        account_id: values.account_id || observation.accountId,
        region: values.region || observation.region,
        first_observed_at: observation.observedAt,
        observed_at: observation.observedAt,
        run_id: observation.runId,
        queried_account_id: observation.accountId,
        aggregation_period: period,
        start_date: utcDay(Number(start)),
      },
      unknownFields: unknownFields(record, columns),
      alteredFields: [...altered],
    };
  } catch (error) {
    if (error instanceof InvalidRecord) return { rejected: error.message };
    throw error;
  }
}

/** Does not compile when the SDK's type gains a field without a column. The compiler error then shows `Untaken`, the field. */
type Untaken = Exclude<keyof CopyJobSummary, (typeof apiColumns)[number]['origin']['field']>;
/** @public Nothing reads it: it is there for the compiler. */
export const everyFieldIsTaken: [Untaken] extends [never] ? true : Untaken = true;

/** One row per copy job, in its last known state. */
import type { CopyJob, Lifecycle, RecoveryPointCreator } from '@aws-sdk/client-backup';
import { dayMs } from '../shared/time.ts';
import { arnField, fromArn } from './arn.ts';
import { scheduleIntervalAt } from './backup-schedule.ts';
import { api, column, free, provenance } from './column.ts';
import { apiValues, InvalidRecord, isObject, required, unknownFields } from './record-values.ts';
import { firstSight } from './state-history.ts';
import type { Column, ColumnOrigin, Normalized, Observation, Row, Table } from './table.ts';
import { utcDay, withDerived } from './table.ts';

/** Terminal states never change again; open states do. Any other state is unknown: neither terminal nor open. */
export const terminalStates = ['COMPLETED', 'FAILED', 'PARTIAL'] as const;
const openStates = ['CREATED', 'RUNNING'] as const;

/*
 * AWS documents -1 for the days of a copy in two ways.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html: a copy keeps the creation date
 * of its source, and -1 means that it ends with its source.
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html: -1 keeps the recovery point forever. With
 * both days and an event, whichever comes first ends it.
 */
const apiColumns = [
  api(
    'copy_job_id',
    'text',
    'CopyJobId',
    'The id of the copy job. There is one row per id.',
    '3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  ),
  api(
    'account_id',
    'text',
    'AccountId',
    'The account that owns the job. If AWS does not name it: the account of the source vault, or else the account that was queried.',
    '111122223333',
  ),
  api(
    'source_backup_vault_arn',
    'text',
    'SourceBackupVaultArn',
    'The vault that was copied from.',
    'arn:aws:backup:us-east-1:111122223333:backup-vault:prod',
  ),
  api(
    'source_recovery_point_arn',
    'text',
    'SourceRecoveryPointArn',
    'The recovery point that was copied. ARNs of snapshots and images contain no account.',
    'arn:aws:ec2:us-east-1::snapshot/snap-0a1b2c3d4e5f60718',
  ),
  api(
    'destination_backup_vault_arn',
    'text',
    'DestinationBackupVaultArn',
    'The vault that was copied to.',
    'arn:aws:backup:eu-west-1:444455556666:backup-vault:vaulted',
  ),
  api(
    'destination_vault_type',
    'text',
    'DestinationVaultType',
    'BACKUP_VAULT or LOGICALLY_AIR_GAPPED_BACKUP_VAULT. AWS may add values.',
    'BACKUP_VAULT',
  ),
  api(
    'destination_vault_lock_state',
    'text',
    'DestinationVaultLockState',
    'Whether the destination vault was locked: LOCKED or UNLOCKED. AWS may add values.',
    'LOCKED',
  ),
  api(
    'destination_recovery_point_arn',
    'text',
    'DestinationRecoveryPointArn',
    'The recovery point that the job created. It may have been deleted since.',
    'arn:aws:backup:eu-west-1:444455556666:recovery-point:1EB3B5E7-9EB0-435A-A80B-108B488B0D45',
  ),
  api(
    'destination_encryption_key_arn',
    'text',
    'DestinationEncryptionKeyArn',
    'The KMS key that encrypts the copy.',
    'arn:aws:kms:eu-west-1:444455556666:key/1234abcd-12ab-34cd-56ef-1234567890ab',
  ),
  api(
    'destination_recovery_point_lifecycle_move_to_cold_storage_after_days',
    'bigint',
    'DestinationRecoveryPointLifecycle.MoveToColdStorageAfterDays',
    'Days after the creation of its source when the copy moves to cold storage, if its type supports that. -1: never.',
    '30',
    { unit: 'days' },
  ),
  api(
    'destination_recovery_point_lifecycle_delete_after_days',
    'bigint',
    'DestinationRecoveryPointLifecycle.DeleteAfterDays',
    'Days after the creation of its source when the copy is deleted. Counted from the copy job, they are an upper bound. -1 or null: unknown (AWS documents -1 both as “forever” and as “when its source ends”).',
    '365',
    { unit: 'days' },
  ),
  api(
    'destination_recovery_point_lifecycle_opt_in_to_archive_for_supported_resources',
    'boolean',
    'DestinationRecoveryPointLifecycle.OptInToArchiveForSupportedResources',
    'Whether AWS moves the copy to the archive tier, if its type has one. Archived copies still exist.',
    'false',
  ),
  api(
    'destination_recovery_point_lifecycle_delete_after_event',
    'text',
    'DestinationRecoveryPointLifecycle.DeleteAfterEvent',
    'The event after which AWS deletes the copy, such as DELETE_AFTER_COPY, if it happens before the days are over.',
    'DELETE_AFTER_COPY',
  ),
  api(
    'resource_arn',
    'text',
    'ResourceArn',
    'The resource whose backup was copied.',
    'arn:aws:ec2:us-east-1:111122223333:volume/vol-049df61146c4d7901',
  ),
  api(
    'resource_name',
    'text',
    'ResourceName',
    'The name of the resource. It is not unique and may contain any Unicode.',
    'orders-db',
    free,
  ),
  api('resource_type', 'text', 'ResourceType', 'The type of the resource, as AWS Backup names it.', 'EBS'),
  api(
    'iam_role_arn',
    'text',
    'IamRoleArn',
    'The role that AWS Backup used for the copy.',
    'arn:aws:iam::111122223333:role/service-role/AWSBackupDefaultServiceRole',
    free,
  ),
  api(
    'backup_size_in_bytes',
    'bigint',
    'BackupSizeInBytes',
    'The size of the copied backup. Exact up to 2^53 − 1.',
    '107374182400',
    { unit: 'bytes' },
  ),
  api(
    'state',
    'text',
    'State',
    'CREATED, RUNNING, COMPLETED, FAILED or PARTIAL. AWS may add values. COMPLETED means that the copy was made, not that it still exists.',
    'COMPLETED',
  ),
  api(
    'status_message',
    'text',
    'StatusMessage',
    'AWS’s message about the state.',
    'Access Denied trying to call AWS Backup service',
    free,
  ),
  api(
    'message_category',
    'text',
    'MessageCategory',
    'The category of the message, in mixed case: SUCCESS, AccessDenied, InvalidParameters, …',
    'AccessDenied',
  ),
  api('creation_time', 'timestamp', 'CreationDate', 'When the job was created.', '2026-11-20 01:02:03.456', {
    unit: 'UTC, milliseconds',
  }),
  api(
    'completion_time',
    'timestamp',
    'CompletionDate',
    'When the job ended. Null while it runs.',
    '2026-11-20 01:32:03.456',
    { unit: 'UTC, milliseconds' },
  ),
  api(
    'created_by_backup_plan_id',
    'text',
    'CreatedBy.BackupPlanId',
    'The backup plan that requested the copy. Null for an on-demand copy.',
    '8F81F553-3A74-4A3F-B93D-B3360DC80C50',
  ),
  api(
    'created_by_backup_plan_arn',
    'text',
    'CreatedBy.BackupPlanArn',
    'The ARN of the plan.',
    'arn:aws:backup:us-east-1:111122223333:backup-plan:8F81F553-3A74-4A3F-B93D-B3360DC80C50',
  ),
  api(
    'created_by_backup_plan_name',
    'text',
    'CreatedBy.BackupPlanName',
    'The name of the plan.',
    'daily-35d',
    free,
  ),
  api(
    'created_by_backup_plan_version',
    'text',
    'CreatedBy.BackupPlanVersion',
    'The version of the plan: any Unicode, at most 1,024 bytes.',
    'ZTFjNjM0ZmQtYjE2',
    free,
  ),
  api(
    'created_by_backup_rule_id',
    'text',
    'CreatedBy.BackupRuleId',
    'The rule of the plan that requested the copy.',
    '2a1c4b0e-0b52-4c9f-8e6d-0c9c1d2e3f40',
  ),
  api(
    'created_by_backup_rule_name',
    'text',
    'CreatedBy.BackupRuleName',
    'The name of the rule.',
    'copy-to-vault',
    free,
  ),
  api(
    'created_by_backup_rule_cron',
    'text',
    'CreatedBy.BackupRuleCron',
    'The schedule of the rule.',
    'cron(0 5 ? * * *)',
    free,
  ),
  api(
    'created_by_backup_rule_timezone',
    'text',
    'CreatedBy.BackupRuleTimezone',
    'The time zone of the rule’s schedule.',
    'Etc/UTC',
  ),
  api(
    'created_by_backup_job_id',
    'text',
    'CreatedByBackupJobId',
    'The backup job that started this copy, if the copy was scheduled.',
    '6C0B27A6-7A8B-4C6D-9E0F-1A2B3C4D5E6F',
  ),
  api(
    'parent_job_id',
    'text',
    'ParentJobId',
    'For a child job: its parent (composite) job.',
    '9E107D9D-372B-4B6E-8E2F-2C3D4E5F6071',
  ),
  api(
    'is_parent',
    'boolean',
    'IsParent',
    'Whether this is a parent (composite) job. Its size includes its children’s sizes: do not add them up.',
    'false',
  ),
  api(
    'composite_member_identifier',
    'text',
    'CompositeMemberIdentifier',
    'For a child job: its place in the composite resource, such as a logical id in a stack.',
    'OrdersTable',
    free,
  ),
  api(
    'number_of_child_jobs',
    'bigint',
    'NumberOfChildJobs',
    'For a parent job: the number of its child jobs.',
    '3',
    {
      unit: 'jobs',
    },
  ),
  api(
    'child_jobs_in_state',
    'text',
    'ChildJobsInState',
    'For a parent job: its child jobs by state, as JSON with sorted keys. Includes states that have no column.',
    '{"COMPLETED":2,"RUNNING":1}',
  ),
  api(
    'child_jobs_in_state_created',
    'bigint',
    'ChildJobsInState.CREATED',
    'Child jobs in state CREATED. Null if AWS does not list this state.',
    '0',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_running',
    'bigint',
    'ChildJobsInState.RUNNING',
    'Child jobs in state RUNNING. Null if AWS does not list this state.',
    '1',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_completed',
    'bigint',
    'ChildJobsInState.COMPLETED',
    'Child jobs in state COMPLETED. Null if AWS does not list this state.',
    '2',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_failed',
    'bigint',
    'ChildJobsInState.FAILED',
    'Child jobs in state FAILED. Null if AWS does not list this state.',
    '0',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_partial',
    'bigint',
    'ChildJobsInState.PARTIAL',
    'Child jobs in state PARTIAL. Null if AWS does not list this state.',
    '0',
    { unit: 'jobs' },
  ),
] as const;

const otherColumns: readonly Column[] = [
  column(
    { kind: 'target' },
    'region',
    'text',
    'The region that lists the job. If several do, the owner’s listing counts first, then the one in the source vault’s region.',
    'us-east-1',
  ),
  column(
    {
      kind: 'derived',
      from: ({ state }) => isTerminal(state ?? null),
      sql: `CASE WHEN state IN (${sqlTexts(terminalStates)}) THEN true WHEN state IN (${sqlTexts(openStates)}) THEN false END`,
    },
    'is_terminal',
    'boolean',
    'True for COMPLETED, FAILED and PARTIAL; false for CREATED and RUNNING; null for an unknown state.',
    'true',
  ),
  column(
    {
      kind: 'derived',
      from: ({ creation_time: begin, completion_time: end }) =>
        typeof begin === 'number' && typeof end === 'number' ? end - begin : null,
      sql: 'epoch_ms(completion_time::TIMESTAMP) - epoch_ms(creation_time::TIMESTAMP)',
    },
    'duration_ms',
    'bigint',
    'The time from creation to completion.',
    '1800000',
    { unit: 'milliseconds' },
  ),
  column(
    fromArn('source_backup_vault_arn', 'account'),
    'source_account_id',
    'text',
    'The account that was copied from, taken from the source vault’s ARN.',
    '111122223333',
  ),
  column(
    fromArn('source_backup_vault_arn', 'region'),
    'source_region',
    'text',
    'The region that was copied from, taken from the source vault’s ARN.',
    'us-east-1',
  ),
  column(
    fromArn('destination_backup_vault_arn', 'account'),
    'destination_account_id',
    'text',
    'The account that was copied to, taken from the destination vault’s ARN.',
    '444455556666',
  ),
  column(
    fromArn('destination_backup_vault_arn', 'region'),
    'destination_region',
    'text',
    'The region that was copied to, taken from the destination vault’s ARN.',
    'eu-west-1',
  ),
  column(
    crossing('account'),
    'is_cross_account',
    'boolean',
    'Whether the copy went to another account. Null if a vault’s ARN does not show the account.',
    'true',
  ),
  column(
    crossing('region'),
    'is_cross_region',
    'boolean',
    'Whether the copy went to another region. Null if a vault’s ARN does not show the region.',
    'true',
  ),
  column(
    {
      kind: 'computed',
      of: ['created_by_backup_rule_cron', 'created_by_backup_rule_timezone', 'creation_time'],
    },
    'schedule_interval_ms',
    'bigint',
    'The time between two starts of the job’s rule: the last before the job was created, and the next. Null: no rule, or a schedule that nobody can read.',
    '86400000',
    { unit: 'milliseconds' },
  ),
  column(
    provenance,
    'first_observed_at',
    'timestamp',
    'When the job was first seen, in AWS’s time.',
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
    'state_history',
    'text',
    'Every state in which the job was seen, and when: read it with the view copy_job_transitions. Null if an older version wrote the row.',
    'CREATED|2026-11-20 02:00:00.000|0199f3a0-7c1e-7b2a-9c3d-4e5f60718293|||',
  ),
  column(
    provenance,
    'run_id',
    'text',
    'The run that last changed this row.',
    '0199f3a0-7c1e-7b2a-9c3d-4e5f60718293',
  ),
  column(
    provenance,
    'queried_account_id',
    'text',
    'The account that was queried: together with `region`, the target that listed this job.',
    '111122223333',
  ),
];

const columns: readonly Column[] = [...apiColumns, ...otherColumns];

export const copyJobs: Table = {
  name: 'copy_jobs',
  description:
    'One row per AWS Backup copy job, in its last known state. Rows stay after AWS has deleted the job.',
  schemaVersion: 3,
  columns,
  partitions: [
    {
      name: 'creation_date',
      description: 'UTC day of creation_time, yyyy-MM-dd.',
      example: '2026-11-20',
      values: { kind: 'day', of: 'creation_time' },
    },
  ],
  merge: { kind: 'upsert', key: ['copy_job_id'] },
  sortBy: ['account_id', 'region', 'creation_time', 'copy_job_id'],
};

/** The account decides which bucket a row belongs to. */
const identity: ReadonlySet<string> = new Set(['copy_job_id', 'account_id']);

/**
 * A job that says it was created later than this is rejected. AWS lists no job before it is created, and no two clocks that a
 * run accepts differ by a day.
 * @param observedAt when AWS listed the job, in milliseconds since the epoch
 */
export function latestCreation(observedAt: number): number {
  return observedAt + dayMs;
}

/** Converts a raw record of ListCopyJobs to a row, or says why it cannot. */
export function copyJobRow(record: unknown, observation: Observation): Normalized {
  try {
    if (!isObject(record)) throw new InvalidRecord('the record is not an object');
    const altered = new Set<string>();
    const values = apiValues(record, columns, { identity, onAltered: (field) => altered.add(field) });
    required(values, 'copy_job_id', 'CopyJobId');
    const created = Number(required(values, 'creation_time', 'CreationDate'));
    if (created > latestCreation(observation.observedAt)) {
      const said = new Date(created).toISOString();
      throw new InvalidRecord(`CreationDate is ${said}, more than a day after AWS listed the job`);
    }
    const row: Row = {
      ...values,
      account_id:
        values.account_id || arnField(values.source_backup_vault_arn, 'account') || observation.accountId,
      region: observation.region,
      schedule_interval_ms: scheduleIntervalOf(
        values.created_by_backup_rule_cron,
        values.created_by_backup_rule_timezone,
        created,
      ),
      first_observed_at: observation.observedAt,
      observed_at: observation.observedAt,
      run_id: observation.runId,
      queried_account_id: observation.accountId,
      creation_date: utcDay(created),
    };
    return {
      row: withDerived(copyJobs, { ...row, state_history: firstSight(row, observation.openReadAt ?? null) }),
      unknownFields: unknownFields(record, columns),
      alteredFields: [...altered],
    };
  } catch (error) {
    if (error instanceof InvalidRecord) return { rejected: error.message };
    throw error;
  }
}

/** The column schedule_interval_ms. Without a time zone, a schedule is in UTC. */
export function scheduleIntervalOf(cron: unknown, timezone: unknown, created: number): number | null {
  return typeof cron === 'string' ? scheduleIntervalAt(cron, String(timezone || 'UTC'), created) : null;
}

/** Null for an unknown state. */
export function isTerminal(state: Row[string]): boolean | null {
  if (terminalStates.some((known) => known === state)) return true;
  if (openStates.some((known) => known === state)) return false;
  return null;
}

/** Whether the ARNs of the source and destination vaults differ in this field. */
function crossing(field: 'account' | 'region'): ColumnOrigin {
  const source = fromArn('source_backup_vault_arn', field);
  const destination = fromArn('destination_backup_vault_arn', field);
  return {
    kind: 'derived',
    from: (row) => {
      const from = source.from(row);
      const to = destination.from(row);
      return from === null || to === null ? null : from !== to;
    },
    sql: `(${source.sql}) <> (${destination.sql})`,
  };
}

function sqlTexts(values: readonly string[]): string {
  return values.map((value) => `'${value}'`).join(', ');
}

/**
 * Does not compile when the SDK's types gain a field without a column. The compiler error then shows `Untaken`, the field.
 */
type Fields =
  | Exclude<keyof CopyJob, 'CreatedBy' | 'DestinationRecoveryPointLifecycle'>
  | `CreatedBy.${keyof RecoveryPointCreator}`
  | `DestinationRecoveryPointLifecycle.${keyof Lifecycle}`;
type Untaken = Exclude<Fields, (typeof apiColumns)[number]['origin']['field']>;
/** @public Nothing reads it: it is there for the compiler. */
export const everyFieldIsTaken: [Untaken] extends [never] ? true : Untaken = true;

/** One row per copy job, as last seen. */
import type { CopyJob, Lifecycle, RecoveryPointCreator } from '@aws-sdk/client-backup';
import { arnField, fromArn } from './arn.ts';
import { api, column, free, provenance } from './column.ts';
import { apiValues, InvalidRecord, isObject, required, unknownFields } from './record-values.ts';
import type { Column, ColumnOrigin, Normalized, Observation, Row, Table } from './table.ts';
import { utcDay, withDerived } from './table.ts';

/** The states that never change again; and those that do. Any other state is unknown: neither. */
const terminalStates = ['COMPLETED', 'FAILED', 'PARTIAL'] as const;
const openStates = ['CREATED', 'RUNNING'] as const;

/*
 * A copy keeps the creation date of its source, and -1 for its days means the source's end:
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html. That -1 keeps a recovery point
 * for ever, and that days and event end it at whichever comes first, is in
 * https://docs.aws.amazon.com/aws-backup/latest/devguide/API_Lifecycle.html. The two contradict each other on -1.
 */
const apiColumns = [
  api(
    'copy_job_id',
    'text',
    'CopyJobId',
    'Identifies the copy job. One row each.',
    '3F2504E0-4F89-41D3-9A0C-0305E82C3301',
  ),
  api(
    'account_id',
    'text',
    'AccountId',
    'The account that owns the job. Where AWS names none: the account of the source vault, else the account that was asked.',
    '111122223333',
  ),
  api(
    'source_backup_vault_arn',
    'text',
    'SourceBackupVaultArn',
    'The vault copied from.',
    'arn:aws:backup:us-east-1:111122223333:backup-vault:prod',
  ),
  api(
    'source_recovery_point_arn',
    'text',
    'SourceRecoveryPointArn',
    'The recovery point copied from. Snapshot and image ARNs carry no account.',
    'arn:aws:ec2:us-east-1::snapshot/snap-0a1b2c3d4e5f60718',
  ),
  api(
    'destination_backup_vault_arn',
    'text',
    'DestinationBackupVaultArn',
    'The vault copied to.',
    'arn:aws:backup:eu-west-1:444455556666:backup-vault:vaulted',
  ),
  api(
    'destination_vault_type',
    'text',
    'DestinationVaultType',
    'BACKUP_VAULT or LOGICALLY_AIR_GAPPED_BACKUP_VAULT; newer values may come.',
    'BACKUP_VAULT',
  ),
  api(
    'destination_vault_lock_state',
    'text',
    'DestinationVaultLockState',
    'Whether the destination vault was locked: LOCKED or UNLOCKED; newer values may come.',
    'LOCKED',
  ),
  api(
    'destination_recovery_point_arn',
    'text',
    'DestinationRecoveryPointArn',
    'The recovery point that the copy made. It may be gone since.',
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
    'When the copy moves to cold storage, where its type can; counted from the creation of its source. -1: never.',
    '30',
    { unit: 'days' },
  ),
  api(
    'destination_recovery_point_lifecycle_delete_after_days',
    'bigint',
    'DestinationRecoveryPointLifecycle.DeleteAfterDays',
    'When the copy is deleted, counted from the creation of its source; counted from the copy job, it is an upper bound. -1 or null: unknown (AWS documents -1 both as for ever and as its source’s end).',
    '365',
    { unit: 'days' },
  ),
  api(
    'destination_recovery_point_lifecycle_opt_in_to_archive_for_supported_resources',
    'boolean',
    'DestinationRecoveryPointLifecycle.OptInToArchiveForSupportedResources',
    'Whether AWS moves the copy to the archive tier, where its type has one; it is then still kept.',
    'false',
  ),
  api(
    'destination_recovery_point_lifecycle_delete_after_event',
    'text',
    'DestinationRecoveryPointLifecycle.DeleteAfterEvent',
    'The event after which AWS deletes the copy, such as DELETE_AFTER_COPY, if that comes before its days.',
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
    'The resource’s name; not unique, any Unicode.',
    'orders-db',
    free,
  ),
  api('resource_type', 'text', 'ResourceType', 'The kind of resource, as AWS Backup names it.', 'EBS'),
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
    'The size of what was copied. Exact to 2^53 − 1.',
    '107374182400',
    { unit: 'bytes' },
  ),
  api(
    'state',
    'text',
    'State',
    'CREATED, RUNNING, COMPLETED, FAILED or PARTIAL; newer values may come. COMPLETED: the copy was made; whether it still exists, no job tells.',
    'COMPLETED',
  ),
  api(
    'status_message',
    'text',
    'StatusMessage',
    'What AWS says about the state, in words.',
    'Access Denied trying to call AWS Backup service',
    free,
  ),
  api(
    'message_category',
    'text',
    'MessageCategory',
    'The kind of message, in mixed case: SUCCESS, AccessDenied, InvalidParameters, …',
    'AccessDenied',
  ),
  api('creation_time', 'timestamp', 'CreationDate', 'When the job was created.', '2026-11-20 01:02:03.456', {
    unit: 'UTC, milliseconds',
  }),
  api(
    'completion_time',
    'timestamp',
    'CompletionDate',
    'When the job ended; null while it runs.',
    '2026-11-20 01:32:03.456',
    { unit: 'UTC, milliseconds' },
  ),
  api(
    'created_by_backup_plan_id',
    'text',
    'CreatedBy.BackupPlanId',
    'The backup plan that asked for the copy; null for a copy on demand.',
    '8F81F553-3A74-4A3F-B93D-B3360DC80C50',
  ),
  api(
    'created_by_backup_plan_arn',
    'text',
    'CreatedBy.BackupPlanArn',
    'The plan’s ARN.',
    'arn:aws:backup:us-east-1:111122223333:backup-plan:8F81F553-3A74-4A3F-B93D-B3360DC80C50',
  ),
  api(
    'created_by_backup_plan_name',
    'text',
    'CreatedBy.BackupPlanName',
    'The plan’s name.',
    'daily-35d',
    free,
  ),
  api(
    'created_by_backup_plan_version',
    'text',
    'CreatedBy.BackupPlanVersion',
    'The plan’s version: any Unicode of at most 1,024 bytes.',
    'ZTFjNjM0ZmQtYjE2',
    free,
  ),
  api(
    'created_by_backup_rule_id',
    'text',
    'CreatedBy.BackupRuleId',
    'The rule of the plan that asked for the copy.',
    '2a1c4b0e-0b52-4c9f-8e6d-0c9c1d2e3f40',
  ),
  api(
    'created_by_backup_rule_name',
    'text',
    'CreatedBy.BackupRuleName',
    'The rule’s name.',
    'copy-to-vault',
    free,
  ),
  api(
    'created_by_backup_rule_cron',
    'text',
    'CreatedBy.BackupRuleCron',
    'The rule’s schedule.',
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
    'The backup job that started this copy, for scheduled copies.',
    '6C0B27A6-7A8B-4C6D-9E0F-1A2B3C4D5E6F',
  ),
  api(
    'parent_job_id',
    'text',
    'ParentJobId',
    'The parent (composite) job of a child.',
    '9E107D9D-372B-4B6E-8E2F-2C3D4E5F6071',
  ),
  api(
    'is_parent',
    'boolean',
    'IsParent',
    'Whether this is a parent (composite) job: do not add its children’s sizes to its own.',
    'false',
  ),
  api(
    'composite_member_identifier',
    'text',
    'CompositeMemberIdentifier',
    'A child’s place within its composite resource, such as its logical id in a stack.',
    'OrdersTable',
    free,
  ),
  api('number_of_child_jobs', 'bigint', 'NumberOfChildJobs', 'How many children a parent has.', '3', {
    unit: 'jobs',
  }),
  api(
    'child_jobs_in_state',
    'text',
    'ChildJobsInState',
    'A parent’s children by state, as JSON with sorted keys: whole, with states that have no column of their own.',
    '{"COMPLETED":2,"RUNNING":1}',
  ),
  api(
    'child_jobs_in_state_created',
    'bigint',
    'ChildJobsInState.CREATED',
    'Children in state CREATED; null where AWS names none.',
    '0',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_running',
    'bigint',
    'ChildJobsInState.RUNNING',
    'Children in state RUNNING; null where AWS names none.',
    '1',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_completed',
    'bigint',
    'ChildJobsInState.COMPLETED',
    'Children in state COMPLETED; null where AWS names none.',
    '2',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_failed',
    'bigint',
    'ChildJobsInState.FAILED',
    'Children in state FAILED; null where AWS names none.',
    '0',
    { unit: 'jobs' },
  ),
  api(
    'child_jobs_in_state_partial',
    'bigint',
    'ChildJobsInState.PARTIAL',
    'Children in state PARTIAL; null where AWS names none.',
    '0',
    { unit: 'jobs' },
  ),
] as const;

const otherColumns: readonly Column[] = [
  column(
    { kind: 'target' },
    'region',
    'text',
    'The region that lists the job. Where several do: that of the owner, then of the source vault.',
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
    'True for COMPLETED, FAILED, PARTIAL; false for CREATED, RUNNING; null for a state not known here.',
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
    'From creation to completion.',
    '1800000',
    { unit: 'milliseconds' },
  ),
  column(
    fromArn('source_backup_vault_arn', 'account'),
    'source_account_id',
    'text',
    'The account copied from, out of the source vault’s ARN.',
    '111122223333',
  ),
  column(
    fromArn('source_backup_vault_arn', 'region'),
    'source_region',
    'text',
    'The region copied from, out of the source vault’s ARN.',
    'us-east-1',
  ),
  column(
    fromArn('destination_backup_vault_arn', 'account'),
    'destination_account_id',
    'text',
    'The account copied to, out of the destination vault’s ARN.',
    '444455556666',
  ),
  column(
    fromArn('destination_backup_vault_arn', 'region'),
    'destination_region',
    'text',
    'The region copied to, out of the destination vault’s ARN.',
    'eu-west-1',
  ),
  column(
    crossing('account'),
    'is_cross_account',
    'boolean',
    'Whether the copy left its account; null where a vault’s ARN does not tell.',
    'true',
  ),
  column(
    crossing('region'),
    'is_cross_region',
    'boolean',
    'Whether the copy left its region; null where a vault’s ARN does not tell.',
    'true',
  ),
  column(
    provenance,
    'first_observed_at',
    'timestamp',
    'AWS’s time of the first answer that held the job.',
    '2026-11-20 02:00:00.000',
    { unit: 'UTC, milliseconds' },
  ),
  column(
    provenance,
    'observed_at',
    'timestamp',
    'AWS’s time of the answer that last changed this row.',
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
  column(
    provenance,
    'queried_account_id',
    'text',
    'The account of the target that `region` names: asked for its jobs, it listed this one.',
    '111122223333',
  ),
];

const columns: readonly Column[] = [...apiColumns, ...otherColumns];

export const copyJobs: Table = {
  name: 'copy_jobs',
  description: 'AWS Backup copy jobs, one row each, as last seen; kept after AWS has forgotten them.',
  schemaVersion: 1,
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

/** The account decides in which bucket a row lies. */
const identity: ReadonlySet<string> = new Set(['copy_job_id', 'account_id']);

/** A record of ListCopyJobs as on the wire, to a row with its partition; or why it cannot become one. */
export function copyJobRow(record: unknown, observation: Observation): Normalized {
  try {
    if (!isObject(record)) throw new InvalidRecord('the record is not an object');
    const altered = new Set<string>();
    const values = apiValues(record, columns, { identity, onAltered: (field) => altered.add(field) });
    required(values, 'copy_job_id', 'CopyJobId');
    const created = required(values, 'creation_time', 'CreationDate');
    const row: Row = {
      ...values,
      account_id:
        values.account_id || arnField(values.source_backup_vault_arn, 'account') || observation.accountId,
      region: observation.region,
      first_observed_at: observation.observedAt,
      observed_at: observation.observedAt,
      run_id: observation.runId,
      queried_account_id: observation.accountId,
      creation_date: utcDay(Number(created)),
    };
    return {
      row: withDerived(copyJobs, row),
      unknownFields: unknownFields(record, columns),
      alteredFields: [...altered],
    };
  } catch (error) {
    if (error instanceof InvalidRecord) return { rejected: error.message };
    throw error;
  }
}

/** Null for a state that is not known here. */
export function isTerminal(state: Row[string]): boolean | null {
  if (terminalStates.some((known) => known === state)) return true;
  if (openStates.some((known) => known === state)) return false;
  return null;
}

/** Whether source and destination vault differ in a part of their ARNs. */
function crossing(part: 'account' | 'region'): ColumnOrigin {
  const source = fromArn('source_backup_vault_arn', part);
  const destination = fromArn('destination_backup_vault_arn', part);
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
 * Fails to compile when the SDK's types gain a field that no column takes: `Untaken` then names it.
 */
type Fields =
  | Exclude<keyof CopyJob, 'CreatedBy' | 'DestinationRecoveryPointLifecycle'>
  | `CreatedBy.${keyof RecoveryPointCreator}`
  | `DestinationRecoveryPointLifecycle.${keyof Lifecycle}`;
type Untaken = Exclude<Fields, (typeof apiColumns)[number]['origin']['field']>;
export const everyFieldIsTaken: [Untaken] extends [never] ? true : Untaken = true;

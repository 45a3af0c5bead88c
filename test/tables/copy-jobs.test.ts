import { describe, expect, it } from 'vitest';
import { UnsafeInteger } from '../../src/shared/exact-json.ts';
import { copyJobRow, copyJobs, isTerminal } from '../../src/tables/copy-jobs.ts';
import type { Observation, Row } from '../../src/tables/table.ts';

const seen: Observation = {
  accountId: '111122223333',
  region: 'us-east-1',
  observedAt: Date.UTC(2026, 10, 20, 2),
  runId: 'run-1',
};

const minimal = { CopyJobId: 'job-1', CreationDate: 1_763_600_523.456 };

/** The fields that hold fields of their own. */
const groups = [
  ...new Set(
    copyJobs.columns.flatMap(({ origin }) =>
      origin.kind === 'api' && origin.field.includes('.') ? [origin.field.replace(/\..*/, '')] : [],
    ),
  ),
];

function rowOf(record: unknown): Row {
  const normalized = copyJobRow(record, seen);
  if ('rejected' in normalized) throw new Error(normalized.rejected);
  return normalized.row;
}

function reasonFor(record: unknown): string {
  const normalized = copyJobRow(record, seen);
  return 'rejected' in normalized ? normalized.rejected : 'not rejected';
}

describe('a copy job record', () => {
  it('becomes a row with every column of the table, null where the record says nothing', () => {
    const row = rowOf(minimal);
    for (const { name } of copyJobs.columns) expect(row, name).toHaveProperty(name);
    expect(row).toMatchObject({
      copy_job_id: 'job-1',
      account_id: '111122223333',
      region: 'us-east-1',
      state: null,
    });
  });

  it('keeps its times to the millisecond and its UTC day as the partition', () => {
    const row = rowOf({ ...minimal, CreationDate: 1_763_596_799.999 });
    expect(row.creation_time).toBe(Date.UTC(2025, 10, 19, 23, 59, 59, 999));
    expect(row.creation_date).toBe('2025-11-19');
  });

  it('is rejected if it was created more than a day after AWS listed it', () => {
    const latest = seen.observedAt + 86_400_000;
    expect(rowOf({ ...minimal, CreationDate: latest / 1000 }).creation_time).toBe(latest);
    expect(reasonFor({ ...minimal, CreationDate: (latest + 1) / 1000 })).toBe(
      'CreationDate is 2026-11-21T02:00:00.001Z, more than a day after AWS listed the job',
    );
  });

  it('keeps times before 1970', () => {
    const row = rowOf({ ...minimal, CreationDate: -0.001 });
    expect(row.creation_time).toBe(-1);
    expect(row.creation_date).toBe('1969-12-31');
  });

  it('flattens plan, lifecycle and children', () => {
    const row = rowOf({
      ...minimal,
      CreatedBy: { BackupPlanId: 'plan', BackupRuleTimezone: 'Europe/Berlin' },
      DestinationRecoveryPointLifecycle: { DeleteAfterDays: 35, OptInToArchiveForSupportedResources: false },
      ChildJobsInState: { RUNNING: 1, COMPLETED: 2, NEW_STATE: 7 },
    });
    expect(row).toMatchObject({
      created_by_backup_plan_id: 'plan',
      created_by_backup_rule_timezone: 'Europe/Berlin',
      created_by_backup_plan_name: null,
      destination_recovery_point_lifecycle_delete_after_days: 35,
      destination_recovery_point_lifecycle_opt_in_to_archive_for_supported_resources: false,
      child_jobs_in_state: '{"COMPLETED":2,"NEW_STATE":7,"RUNNING":1}',
      child_jobs_in_state_running: 1,
      child_jobs_in_state_completed: 2,
      child_jobs_in_state_failed: null,
    });
  });

  it('says where the copy came from and went, in every AWS partition', () => {
    for (const partition of ['aws', 'aws-cn', 'aws-us-gov', 'aws-eusc']) {
      const row = rowOf({
        ...minimal,
        SourceBackupVaultArn: `arn:${partition}:backup:us-east-1:111122223333:backup-vault:a`,
        DestinationBackupVaultArn: `arn:${partition}:backup:eu-west-1:444455556666:backup-vault:b`,
      });
      expect(row).toMatchObject({
        source_account_id: '111122223333',
        source_region: 'us-east-1',
        destination_account_id: '444455556666',
        destination_region: 'eu-west-1',
        is_cross_account: true,
        is_cross_region: true,
      });
    }
  });

  it('does not guess where a copy went when a vault has no ARN that tells', () => {
    for (const arn of [undefined, '', 'vault', 'arn:aws:backup', 'arn:aws:backup:::backup-vault:b']) {
      const row = rowOf({
        ...minimal,
        SourceBackupVaultArn: 'arn:aws:backup:us-east-1:111122223333:backup-vault:a',
        DestinationBackupVaultArn: arn,
      });
      expect(row).toMatchObject({
        destination_account_id: null,
        is_cross_account: null,
        is_cross_region: null,
      });
    }
  });

  it('has an owner: the account named, else the source vault’s, else the one that was asked', () => {
    const vault = { SourceBackupVaultArn: 'arn:aws:backup:us-east-1:444455556666:backup-vault:a' };
    expect(rowOf({ ...minimal, ...vault, AccountId: '012345678901' }).account_id).toBe('012345678901');
    expect(rowOf({ ...minimal, ...vault }).account_id).toBe('444455556666');
    expect(rowOf(minimal).account_id).toBe('111122223333');
  });

  it('keeps an empty text apart from none', () => {
    expect(rowOf({ ...minimal, StatusMessage: '' }).status_message).toBe('');
    expect(rowOf({ ...minimal, StatusMessage: null }).status_message).toBeNull();
  });

  it('takes the largest exact integer, and rejects the next one rather than round it', () => {
    expect(rowOf({ ...minimal, BackupSizeInBytes: 2 ** 53 - 1 }).backup_size_in_bytes).toBe(
      9_007_199_254_740_991,
    );
    expect(reasonFor({ ...minimal, BackupSizeInBytes: new UnsafeInteger('9007199254740992') })).toContain(
      '9007199254740992',
    );
    expect(reasonFor({ ...minimal, BackupSizeInBytes: 2 ** 53 })).toContain('BackupSizeInBytes');
    expect(reasonFor({ ...minimal, BackupSizeInBytes: 1.5 })).toContain('BackupSizeInBytes');
  });

  it.each([
    ['no id', { CreationDate: 1 }, 'CopyJobId'],
    ['an empty id', { ...minimal, CopyJobId: '' }, 'CopyJobId'],
    ['no creation date', { CopyJobId: 'a' }, 'CreationDate'],
    ['an unreadable creation date', { ...minimal, CreationDate: 'yesterday' }, 'CreationDate'],
    ['a creation date past the year 9999', { ...minimal, CreationDate: 1e15 }, 'CreationDate'],
    ['an unreadable completion date', { ...minimal, CompletionDate: {} }, 'CompletionDate'],
    ['text that is a number', { ...minimal, State: 7 }, 'State'],
    ['half a surrogate pair in its id', { ...minimal, CopyJobId: 'a\ud83d' }, 'CopyJobId'],
    ['half a surrogate pair in its account', { ...minimal, AccountId: '\udc00' }, 'AccountId'],
    [
      'states that only halves of surrogate pairs tell apart',
      { ...minimal, ChildJobsInState: { 'A\ud83d': 1, 'A\udc00': 2 } },
      'ChildJobsInState',
    ],
    ['a truth value that is text', { ...minimal, IsParent: 'true' }, 'IsParent'],
    ['a plan that is text', { ...minimal, CreatedBy: 'me' }, 'CreatedBy'],
    [
      'children that are not counted',
      { ...minimal, ChildJobsInState: { RUNNING: 'two' } },
      'ChildJobsInState',
    ],
    ['no object', 'record', 'not an object'],
    ['nothing', null, 'not an object'],
  ])('is rejected, not guessed, when it has %s', (_, record, reason) => {
    expect(reasonFor(record)).toContain(reason);
  });

  it('has U+FFFD for half a surrogate pair in any other text, and says in which', () => {
    const odd = {
      ...minimal,
      ResourceName: 'a\ud83d',
      StatusMessage: '\udc00b \ud83d\ude00 \0\ufffe',
      CreatedBy: { BackupPlanName: '\ud83d' },
      ChildJobsInState: { 'A\ud83d': 1, B: 2 },
    };
    expect(copyJobRow(odd, seen)).toMatchObject({
      row: {
        resource_name: 'a\ufffd',
        status_message: '\ufffdb \ud83d\ude00 \0\ufffe',
        created_by_backup_plan_name: '\ufffd',
        child_jobs_in_state: '{"A\ufffd":1,"B":2}',
      },
      alteredFields: expect.arrayContaining([
        'ResourceName',
        'StatusMessage',
        'CreatedBy.BackupPlanName',
        'ChildJobsInState',
      ]),
    });
    expect(copyJobRow(minimal, seen)).toMatchObject({ alteredFields: [] });
  });

  it('names the fields that no column takes', () => {
    const normalized = copyJobRow({ ...minimal, Brand: 1, CreatedBy: { BackupMood: 'good' } }, seen);
    expect(normalized).toMatchObject({ unknownFields: ['Brand', 'CreatedBy.BackupMood'] });
  });

  it.each(groups)('takes %s that is null as missing, not as a field that no column takes', (group) => {
    expect(copyJobRow({ ...minimal, [group]: null }, seen)).toEqual(copyJobRow(minimal, seen));
  });

  it('names a field that no column takes even if it is null', () => {
    expect(copyJobRow({ ...minimal, Brand: null }, seen)).toMatchObject({ unknownFields: ['Brand'] });
  });

  it('knows which states are final, and does not pretend for those it has never heard of', () => {
    expect(['COMPLETED', 'FAILED', 'PARTIAL'].map(isTerminal)).toEqual([true, true, true]);
    expect(['CREATED', 'RUNNING'].map(isTerminal)).toEqual([false, false]);
    expect(['PAUSED', '', null].map(isTerminal)).toEqual([null, null, null]);
  });
});

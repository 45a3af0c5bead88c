/** A copy job as AWS Backup returns it at a point in time, in the JSON of its API. A field without a value is absent. */

import { knownRegions } from '../aws/known-regions.ts';
import type { Estate, Rule } from './estate.ts';
import { jobIdOf } from './job-ids.ts';
import type { Random } from './random.ts';
import type { Resource } from './resources.ts';
import { DAY } from './simulated-clock.ts';
import { type Job, type State, stateAt } from './timelines.ts';

/** In the field order of the API's documentation. Times are epoch seconds with a fraction. */
export interface CopyJobRecord {
  AccountId?: string;
  CopyJobId?: string;
  SourceBackupVaultArn?: string;
  SourceRecoveryPointArn?: string;
  DestinationBackupVaultArn?: string;
  DestinationVaultType?: string;
  DestinationVaultLockState?: string;
  DestinationRecoveryPointArn?: string;
  DestinationEncryptionKeyArn?: string;
  DestinationRecoveryPointLifecycle?: Record<string, number | boolean | string>;
  ResourceArn?: string;
  CreationDate?: number;
  CompletionDate?: number;
  State?: State;
  StatusMessage?: string;
  BackupSizeInBytes?: number;
  IamRoleArn?: string;
  CreatedBy?: Record<string, string>;
  CreatedByBackupJobId?: string;
  ResourceType?: string;
  ParentJobId?: string;
  IsParent?: boolean;
  CompositeMemberIdentifier?: string;
  NumberOfChildJobs?: number;
  ChildJobsInState?: Partial<Record<State, number>>;
  ResourceName?: string;
  MessageCategory?: string;
}

interface Failure {
  readonly category: string;
  readonly message: (resource: Resource) => string;
}

const failures: readonly Failure[] = [
  {
    category: 'AccessDenied',
    message: () =>
      'Access Denied trying to call AWS Backup service. Please check the permissions of the destination vault’s access policy.',
  },
  {
    category: 'InvalidParameters',
    message: ({ arn }) => `The specified retention period is shorter than the vault’s minimum, for ${arn}.`,
  },
  {
    category: 'LimitExceeded',
    message: ({ type }) =>
      `Too many ${type} snapshot copies in progress. The limit is 20 for this destination.`,
  },
  {
    category: 'KmsKeyNotAccessible',
    message: ({ name }) =>
      `Copy of “${name ?? 'resource'}” failed: the source snapshot KMS key does not exist, is not enabled or you do not have permissions to access it 🔒`,
  },
  {
    category: 'ResourceNotFound',
    message: ({ arn }) => `Source recovery point not found; it may have expired.\nResource: ${arn}`,
  },
];

/** What a job's state, type and message category depend on. The caller continues with `random` for the rest. */
function natureOf(estate: Estate, random: Random, job: Job): { resource: Resource; failure: Failure } {
  const { resources, composites } = estate.belongings(job.site);
  random.key(estate.seed, 9, job.site.index, job.day, job.slot, job.member);
  const failure = random.pick(failures);
  return { resource: random.pick(job.children.length > 0 ? composites : resources), failure };
}

export interface Facets {
  readonly state: State;
  readonly type: string;
  /** Null for a job that has not ended, and for an old record. */
  readonly category: string | null;
}

/** What the summaries are grouped by. */
export function facetsOf(estate: Estate, random: Random, job: Job, now: number, newerFields: number): Facets {
  const state = stateAt(job, now);
  const { resource, failure } = natureOf(estate, random, job);
  return { state, type: resource.type, category: categoryOf(job, state, failure, newerFields) };
}

function categoryOf(job: Job, state: State, failure: Failure, newerFields: number): string | null {
  if (state === 'CREATED' || state === 'RUNNING' || job.created < newerFields) return null;
  return state === 'COMPLETED' ? 'SUCCESS' : state === 'FAILED' ? failure.category : 'PartialSuccess';
}

/** @param newerFields records created before this instant lack the fields that AWS added later */
export function recordOf(
  estate: Estate,
  random: Random,
  job: Job,
  now: number,
  newerFields: number,
): CopyJobRecord {
  const { site, destination } = job;
  const { vaults } = estate.belongings(site);
  const state = stateAt(job, now);
  const size = copiedBytes(estate, random, job, now);
  const { resource, failure } = natureOf(estate, random, job);
  const category = categoryOf(job, state, failure, newerFields);
  const old = job.created < newerFields;
  const ended = now >= job.ended;
  const child = job.member > 0;
  const account = site.account.id;
  const toAccount =
    destination.accountIndex === null
      ? '999988887777'
      : (estate.organization.active[destination.accountIndex]?.id ?? account);
  const toRegion =
    destination.regionIndex === null
      ? (knownRegions.at(-1)?.name ?? site.region)
      : (estate.regions[destination.regionIndex]?.name ?? site.region);
  const toVault =
    destination.vault === 'air-gapped'
      ? 'central-lag-vault'
      : destination.vault === 'locked'
        ? 'compliance-vault'
        : 'Default';

  const record: CopyJobRecord = {
    AccountId: account,
    CopyJobId: '',
    SourceBackupVaultArn: `arn:aws:backup:${site.region}:${account}:backup-vault:${random.pick(vaults)}`,
    SourceRecoveryPointArn: resource.recoveryPoint(random, site.region, account),
    DestinationBackupVaultArn: `arn:aws:backup:${toRegion}:${toAccount}:backup-vault:${toVault}`,
  };
  if (!old) {
    const airGapped = destination.vault === 'air-gapped';
    record.DestinationVaultType = airGapped ? 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT' : 'BACKUP_VAULT';
    record.DestinationVaultLockState = destination.vault === 'ordinary' ? 'UNLOCKED' : 'LOCKED';
  }
  const arrived = resource.recoveryPoint(random, toRegion, toAccount);
  if (ended && job.outcome !== 'FAILED') record.DestinationRecoveryPointArn = arrived;
  const key = random.uuid();
  const lifecycle = lifecycleOf(random);
  if (!old) {
    record.DestinationEncryptionKeyArn = `arn:aws:kms:${toRegion}:${toAccount}:key/${key}`;
    if (lifecycle) record.DestinationRecoveryPointLifecycle = lifecycle;
  }
  record.ResourceArn = resource.arn;
  record.CreationDate = job.created / 1000;
  if (ended) record.CompletionDate = job.ended / 1000;
  record.State = state;
  if (ended && job.outcome === 'FAILED') record.StatusMessage = failure.message(resource);
  else if (ended && job.outcome === 'PARTIAL') {
    record.StatusMessage = 'Some of the nested recovery points could not be copied. See the child jobs.';
  }
  if (state !== 'CREATED') record.BackupSizeInBytes = size;
  record.IamRoleArn = `arn:aws:iam::${account}:role/service-role/AWSBackupDefaultServiceRole`;
  const onDemand = random.chance(0.1);
  const { plan, rule } = estate.ruleFor(site, resource, destination);
  const backupJob = random.uuid().toUpperCase();
  if (!onDemand) {
    record.CreatedBy = creatorOf(plan.id, plan.arn, plan.name, plan.version, rule, old);
    if (!old) record.CreatedByBackupJobId = backupJob;
  }
  record.ResourceType = resource.type;
  record.IsParent = job.children.length > 0;
  if (child)
    record.CompositeMemberIdentifier = `${resource.type}Member${job.member}${random.hex(4).toUpperCase()}`;
  if (job.children.length > 0) {
    const known = job.children.filter((one) => one.created < now);
    record.NumberOfChildJobs = known.length;
    const counts: Partial<Record<State, number>> = {};
    for (const one of known) {
      const its = stateAt(one, now);
      counts[its] = (counts[its] ?? 0) + 1;
    }
    record.ChildJobsInState = counts;
  }
  if (resource.name !== null) record.ResourceName = resource.name;
  if (category !== null) record.MessageCategory = category;
  record.CopyJobId = jobIdOf(estate, random, job);
  if (child) record.ParentJobId = jobIdOf(estate, random, { ...job, member: 0 });
  return record;
}

function creatorOf(
  id: string,
  arn: string,
  name: string,
  version: string,
  rule: Rule,
  old: boolean,
): Record<string, string> {
  const creator = { BackupPlanId: id, BackupPlanArn: arn, BackupPlanVersion: version, BackupRuleId: rule.id };
  if (old) return creator;
  return {
    ...creator,
    BackupPlanName: name,
    BackupRuleName: rule.name,
    BackupRuleCron: rule.cron,
    BackupRuleTimezone: rule.timezone,
  };
}

function lifecycleOf(random: Random): Record<string, number | boolean | string> | null {
  const kind = random.fraction();
  if (kind < 0.2) return null;
  if (kind < 0.6) return { DeleteAfterDays: 35 };
  if (kind < 0.7) return { MoveToColdStorageAfterDays: -1, DeleteAfterDays: -1 };
  if (kind < 0.95) {
    return {
      MoveToColdStorageAfterDays: 30,
      DeleteAfterDays: 365,
      OptInToArchiveForSupportedResources: true,
    };
  }
  return { DeleteAfterEvent: 'DELETE_AFTER_COPY' };
}

/** A parent has the size of its children so far; a job that has not begun has 0. */
function copiedBytes(estate: Estate, random: Random, job: Job, now: number): number {
  if (job.children.length > 0) {
    const sizes = job.children.map((child) =>
      child.created < now ? copiedBytes(estate, random, child, now) : 0,
    );
    return sizes.reduce((sum, size) => sum + size, 0);
  }
  if (stateAt(job, now) === 'CREATED') return 0;
  const { resource } = natureOf(estate, random, job);
  random.key(estate.seed, 13, job.site.index, job.day, job.slot, job.member);
  return sizeOf(random, resource, job.member === 0);
}

/**
 * From zero bytes to petabytes, always an integer that a double represents exactly.
 * @param alone whether the size is not added to others
 */
function sizeOf(random: Random, resource: Resource, alone: boolean): number {
  const kind = random.fraction();
  if (kind < 0.03) return 0;
  if (kind < 0.031 && alone) return Number.MAX_SAFE_INTEGER - random.below(1000);
  return Math.floor(resource.size * (0.9 + 0.2 * random.fraction()));
}

/** The time since which records have the newer fields: the last two thirds of the history that AWS keeps. */
export function newerFieldsSince(start: number, days: number): number {
  return start - Math.floor((Math.min(days, 30) * 2) / 3) * DAY;
}

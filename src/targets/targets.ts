/** Decides which accounts and regions a run reads, and with which credentials. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import type { AccountSelection } from '../config/typed-values.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { AccessError, AssumeRoleError, UsageError } from '../shared/errors.ts';
import { assumedRole, roleArn } from './credentials.ts';
import { listOrganizationAccounts, type OrganizationAccount } from './organization.ts';
import { enabledRegions } from './regions.ts';
import type { Caller, Target } from './target.ts';

export interface TargetPlan {
  readonly aws: Aws;
  readonly caller: Caller;
  /** The caller's own credentials. */
  readonly credentials: AwsCredentialIdentityProvider;
  /** The region for STS and Organizations, from `identifyCaller`. */
  readonly homeRegion: string;
  readonly accounts: AccountSelection;
  readonly excludeAccounts: readonly string[];
  readonly roleName: string;
  readonly externalId: string | null;
  readonly roleSessionName: string;
  readonly organizationRoleArn: string | null;
  readonly regions: 'enabled' | readonly string[];
  /** When it is aborted, requests in flight are cancelled and no more are sent. */
  readonly signal: AbortSignal;
}

/**
 * Every target of the run. The order is always the same, and neighbours differ in account and region, so that no account
 * is queried in all its regions at once. The only role assumed here is `organizationRoleArn`.
 * @throws UsageError when there is no target; AccessError, UnavailableError when discovery fails or is stopped
 */
export async function planTargets(plan: TargetPlan): Promise<Target[]> {
  const excluded = new Set(plan.excludeAccounts);
  const selected = await selectedAccounts(plan);
  const accounts = selected.filter(({ accountId }) => !excluded.has(accountId));
  if (accounts.length === 0) {
    throw new UsageError(
      `No account is left to read: all ${selected.length} selected accounts are excluded or not active`,
      'Check --accounts, --organizational-units and --exclude-accounts',
    );
  }
  const regionNamed = plan.regions !== 'enabled';
  const regions = regionNamed
    ? [...new Set(plan.regions)].sort()
    : await askUnlessStopped(plan.signal, 'The regions enabled in the account could not be listed', () =>
        enabledRegions(plan.aws, plan.homeRegion, plan.credentials, plan.signal),
      );
  if (regions.length === 0) throw new UsageError('No region is left to read', 'Check --regions');
  const readers = accounts.map((account) => ({ ...account, credentials: readerOf(plan, account.accountId) }));
  return regions.flatMap((_, turn) =>
    readers.flatMap(({ accountId, name, credentials }, place) => {
      const region = regions[(turn + place) % regions.length];
      return region === undefined
        ? []
        : [
            {
              accountId,
              region,
              accountName: name,
              regionNamed,
              // The list is of the caller's account; another account may have enabled other regions.
              ...(!regionNamed && accountId === plan.caller.accountId ? { regionListed: true as const } : {}),
              credentials,
            } satisfies Target,
          ];
    }),
  );
}

async function selectedAccounts(plan: TargetPlan): Promise<OrganizationAccount[]> {
  const { accounts } = plan;
  switch (accounts.kind) {
    case 'self':
      return [{ accountId: plan.caller.accountId, name: null }];
    case 'listed':
      return [...new Set(accounts.accountIds)].sort().map((accountId) => ({ accountId, name: null }));
    case 'all':
      return organizationAccounts(plan, null);
    case 'units':
      return organizationAccounts(plan, accounts.unitIds);
  }
}

async function organizationAccounts(
  plan: TargetPlan,
  unitIds: readonly string[] | null,
): Promise<OrganizationAccount[]> {
  const { aws, homeRegion, organizationRoleArn, signal } = plan;
  const credentials =
    organizationRoleArn === null
      ? plan.credentials
      : assumedRole(aws, plan.credentials, homeRegion, {
          roleArn: organizationRoleArn,
          sessionName: plan.roleSessionName,
          externalId: plan.externalId,
        });
  try {
    return await askUnlessStopped(signal, 'The accounts of the organization could not be listed', () =>
      listOrganizationAccounts(aws, homeRegion, credentials, unitIds, signal),
    );
  } catch (error) {
    if (!(error instanceof AssumeRoleError)) throw error;
    throw new AccessError('The role of --organization-role-arn could not be assumed', error.message, {
      cause: error,
    });
  }
}

/** The caller's own account is read with the caller's own credentials, without assuming a role. */
function readerOf(plan: TargetPlan, accountId: string): AwsCredentialIdentityProvider {
  const { aws, caller, credentials, homeRegion } = plan;
  if (accountId === caller.accountId) return credentials;
  return assumedRole(aws, credentials, homeRegion, {
    roleArn: roleArn(caller.partition, accountId, plan.roleName),
    sessionName: plan.roleSessionName,
    externalId: plan.externalId,
  });
}

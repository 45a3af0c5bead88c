/** Decides which accounts and regions a run reads, and with which credentials. */
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import type { AccountSelection } from '../config/typed-values.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { AccessError, AssumeRoleError, UsageError } from '../shared/errors.ts';
import { assumedRole, type RoleToAssume, roleArn, roleAssumer } from './credentials.ts';
import { listOrganizationAccounts, type OrganizationAccount } from './organization.ts';
import { enabledRegions } from './regions.ts';
import type { Caller, Target } from './target.ts';

export interface TargetPlan {
  readonly aws: Aws;
  /** While it is on its way, accounts and regions are listed. If it rejects, so does the discovery. */
  readonly caller: Promise<Caller>;
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
 * Every target of the run: first as AWS lists the accounts, so that some are read while others are still being listed; then
 * all of them, as the result. The order is always the same, and neighbours differ in account and region, so that no account
 * is queried in all its regions at once. The only role assumed here is `organizationRoleArn`.
 * @throws UsageError when there is no target; AccessError, UnavailableError when discovery fails or is stopped
 */
export async function* discoverTargets(
  plan: TargetPlan,
): AsyncGenerator<readonly Target[], readonly Target[]> {
  const excluded = new Set(plan.excludeAccounts);
  const assume = roleAssumer(plan.aws, plan.credentials, plan.homeRegion);
  const listing = regionsOf(plan);
  // Whoever waits for it gets the error.
  listing.catch(() => undefined);
  const readers: Reader[] = [];
  let selected = 0;
  for await (const accounts of selectedAccounts(plan)) {
    selected += accounts.length;
    const left = accounts.filter(({ accountId }) => !excluded.has(accountId));
    if (left.length === 0) continue;
    const regions = await listing;
    const caller = await plan.caller;
    const found = left.map((account) => readerOf(plan, account, { caller, regions, assume }));
    readers.push(...found);
    yield inTurns(found, regions);
  }
  if (readers.length === 0) {
    throw new UsageError(
      `No account is left to read: all ${selected} selected accounts are excluded or not active`,
      'Check --accounts, --organizational-units and --exclude-accounts',
    );
  }
  readers.sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
  return inTurns(readers, await listing);
}

/** Ascending. */
async function regionsOf(plan: TargetPlan): Promise<readonly string[]> {
  const regions =
    plan.regions !== 'enabled'
      ? [...new Set(plan.regions)].sort()
      : await askUnlessStopped(plan.signal, 'The regions enabled in the account could not be listed', () =>
          enabledRegions(plan.aws, plan.homeRegion, plan.credentials, plan.signal),
        );
  if (regions.length === 0) throw new UsageError('No region is left to read', 'Check --regions');
  return regions;
}

/** An account, and its targets by region. */
interface Reader {
  readonly accountId: string;
  readonly targets: ReadonlyMap<string, Target>;
}

function readerOf(
  plan: TargetPlan,
  { accountId, name }: OrganizationAccount,
  { caller, regions, assume }: AccountAccess & { readonly regions: readonly string[] },
): Reader {
  const credentials = credentialsFor(plan, accountId, { caller, assume });
  const regionNamed = plan.regions !== 'enabled';
  // The list is of the caller's account; another account may have enabled other regions.
  const listed = !regionNamed && accountId === caller.accountId ? { regionListed: true as const } : {};
  const targets = regions.map((region): [string, Target] => [
    region,
    { accountId, region, accountName: name, regionNamed, ...listed, credentials },
  ]);
  return { accountId, targets: new Map(targets) };
}

function inTurns(readers: readonly Reader[], regions: readonly string[]): Target[] {
  return regions.flatMap((_, turn) =>
    readers.flatMap(({ targets }, place) => {
      const target = targets.get(regions[(turn + place) % regions.length] ?? '');
      return target === undefined ? [] : [target];
    }),
  );
}

async function* selectedAccounts(plan: TargetPlan): AsyncGenerator<readonly OrganizationAccount[], void> {
  const { accounts } = plan;
  switch (accounts.kind) {
    case 'self':
      yield [{ accountId: (await plan.caller).accountId, name: null }];
      return;
    case 'listed':
      yield [...new Set(accounts.accountIds)].sort().map((accountId) => ({ accountId, name: null }));
      return;
    case 'all':
      yield* organizationAccounts(plan, null);
      return;
    case 'units':
      yield* organizationAccounts(plan, accounts.unitIds);
  }
}

async function* organizationAccounts(
  plan: TargetPlan,
  unitIds: readonly string[] | null,
): AsyncGenerator<readonly OrganizationAccount[], void> {
  const { aws, homeRegion, organizationRoleArn, signal } = plan;
  const credentials =
    organizationRoleArn === null
      ? plan.credentials
      : assumedRole(aws, plan.credentials, homeRegion, {
          roleArn: organizationRoleArn,
          sessionName: plan.roleSessionName,
          externalId: plan.externalId,
        });
  const pages = listOrganizationAccounts(aws, homeRegion, credentials, unitIds, signal);
  try {
    for (;;) {
      const page = await askUnlessStopped(
        signal,
        'The accounts of the organization could not be listed',
        () => pages.next(),
      );
      if (page.done) return;
      yield [...page.value].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
    }
  } catch (error) {
    if (!(error instanceof AssumeRoleError)) throw error;
    throw new AccessError('The role of --organization-role-arn could not be assumed', error.message, {
      cause: error,
    });
  }
}

interface AccountAccess {
  readonly caller: Caller;
  readonly assume: (role: RoleToAssume) => AwsCredentialIdentityProvider;
}

/** The caller's own account is read with the caller's own credentials, without assuming a role. */
function credentialsFor(
  plan: TargetPlan,
  accountId: string,
  { caller, assume }: AccountAccess,
): AwsCredentialIdentityProvider {
  const { credentials } = plan;
  if (accountId === caller.accountId) return credentials;
  return assume({
    roleArn: roleArn(caller.partition, accountId, plan.roleName),
    sessionName: plan.roleSessionName,
    externalId: plan.externalId,
  });
}

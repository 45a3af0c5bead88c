/** Lists the accounts of an organization. */
import {
  type Account,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  OrganizationsClient,
  ParentNotFoundException,
} from '@aws-sdk/client-organizations';
import type { AwsCredentialIdentityProvider } from '@smithy/types';
import type { Aws } from '../aws/aws.ts';
import { signedBy } from '../aws/signing-clock.ts';
import { ReportedError, UsageError } from '../shared/errors.ts';
import { discoveryError } from './discovery-error.ts';
import { everyPage, type ListPage } from './every-page.ts';

export interface OrganizationAccount {
  readonly accountId: string;
  readonly name: string | null;
}

const actions =
  'Allow organizations:ListAccounts, organizations:ListAccountsForParent and organizations:ListOrganizationalUnitsForParent, and run the job in the management account or a delegated administrator account (or name a role there with --organization-role-arn). Or list the accounts with --accounts';

/**
 * Every active account of the organization, or every active account below the given units, at any depth.
 * Ascending by id, each once. Needs `organizations:ListAccounts`, or for units
 * `organizations:ListAccountsForParent` and `organizations:ListOrganizationalUnitsForParent`.
 * @param region any region in the organization's partition; @param unitIds null: all; otherwise `ou-…` or `r-…` ids
 * @param abortSignal cancels the request in flight
 * @throws AccessError when access is denied, UnavailableError when Organizations cannot be reached
 */
export async function listOrganizationAccounts(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  unitIds: readonly string[] | null,
  abortSignal: AbortSignal,
): Promise<OrganizationAccount[]> {
  const client = aws.retrying(
    signedBy(aws.clock, new OrganizationsClient(aws.clientDefaults(region, credentials))),
    abortSignal,
  );
  const accounts =
    unitIds === null
      ? await allAccounts(client, { abortSignal })
      : await accountsBelow(client, unitIds, { abortSignal });
  const active = new Map<string, OrganizationAccount>();
  for (const account of accounts) {
    if (account.Id && isActive(account)) {
      active.set(account.Id, { accountId: account.Id, name: account.Name ?? null });
    }
  }
  return [...active.values()].sort((a, b) => (a.accountId < b.accountId ? -1 : 1));
}

/** `Status` is the older field. Some partitions may return only that. */
function isActive(account: Account): boolean {
  return (account.State ?? account.Status) === 'ACTIVE';
}

/** Options of every request. */
interface Sending {
  readonly abortSignal: AbortSignal;
}

function allAccounts(client: OrganizationsClient, sending: Sending): Promise<Account[]> {
  return listed('The accounts of the organization could not be listed', idOf, async (token) => {
    const page = await client.send(
      new ListAccountsCommand(token === null ? {} : { NextToken: token }),
      sending,
    );
    return { items: page.Accounts, next: page.NextToken };
  });
}

async function accountsBelow(
  client: OrganizationsClient,
  unitIds: readonly string[],
  sending: Sending,
): Promise<Account[]> {
  const accounts: Account[] = [];
  const waiting = [...unitIds];
  const visited = new Set<string>();
  for (let ParentId = waiting.shift(); ParentId !== undefined; ParentId = waiting.shift()) {
    if (visited.has(ParentId)) continue;
    visited.add(ParentId);
    const parent = { ParentId };
    const found = await listed(`The accounts of ${ParentId} could not be listed`, idOf, async (token) => {
      const page = await client.send(
        new ListAccountsForParentCommand(token === null ? parent : { ...parent, NextToken: token }),
        sending,
      );
      return { items: page.Accounts, next: page.NextToken };
    });
    accounts.push(...found);
    const units = await listed(`The units below ${ParentId} could not be listed`, idOf, async (token) => {
      const page = await client.send(
        new ListOrganizationalUnitsForParentCommand(
          token === null ? parent : { ...parent, NextToken: token },
        ),
        sending,
      );
      return { items: page.OrganizationalUnits, next: page.NextToken };
    });
    for (const { Id } of units) if (Id) waiting.push(Id);
  }
  return accounts;
}

const idOf = ({ Id }: { readonly Id?: string | undefined }) => Id;

function listed<Item extends object>(
  what: string,
  nameOf: (item: Item) => string | undefined,
  page: (token: string | null) => Promise<ListPage<Item>>,
): Promise<Item[]> {
  const otherwise = 'list the accounts with --accounts';
  return withAdvice(what, () => everyPage({ what, service: 'AWS Organizations', otherwise, nameOf, page }));
}

async function withAdvice<Result>(what: string, ask: () => Promise<Result>): Promise<Result> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ReportedError) throw error;
    // For a unit or a root: docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
    if (error instanceof ParentNotFoundException) {
      throw new UsageError(
        `${what}: there is no such unit in this organization`,
        'Check the ids in --organizational-units',
        { cause: error },
      );
    }
    throw discoveryError(error, what, actions);
  }
}

/**
 * The accounts of an organization, as AWS Organizations lists them.
 */
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
  'Allow organizations:ListAccounts, organizations:ListAccountsForParent and organizations:ListOrganizationalUnitsForParent, and ask from the management account or a delegated administrator (or name such a role with --organization-role-arn); else list the accounts with --accounts';

/**
 * Every active account of the organization, or every active account below the given units, at any depth.
 * Ascending by id, each once. Needs `organizations:ListAccounts`, or for units
 * `organizations:ListAccountsForParent` and `organizations:ListOrganizationalUnitsForParent`.
 * @param region any of the organization's partition; @param unitIds null: all; else `ou-…` or `r-…` ids
 * @param abortSignal gives up the request that is on its way
 * @throws AccessError when access is refused, UnavailableError when it cannot be asked
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

/** `Status` is the older field, and all that older partitions may give. */
function isActive(account: Account): boolean {
  return (account.State ?? account.Status) === 'ACTIVE';
}

/** What every request is sent with. */
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
  return answerOf(what, () => everyPage({ what, service: 'AWS Organizations', otherwise, nameOf, page }));
}

async function answerOf<Answer>(what: string, ask: () => Promise<Answer>): Promise<Answer> {
  try {
    return await ask();
  } catch (error) {
    if (error instanceof ReportedError) throw error;
    // Of a unit, or of a root: docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccountsForParent.html
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

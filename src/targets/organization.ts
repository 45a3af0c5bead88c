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
import { ReportedError, UnavailableError, UsageError } from '../errors.ts';
import { discoveryError } from './discovery-error.ts';

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
  const client = new OrganizationsClient(aws.clientDefaults(region, credentials));
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
  return everyPage('The accounts of the organization could not be listed', async (token) => {
    const page = await client.send(
      new ListAccountsCommand(token === null ? {} : { NextToken: token }),
      sending,
    );
    return { items: page.Accounts ?? [], next: page.NextToken };
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
    const found = await everyPage(`The accounts of ${ParentId} could not be listed`, async (token) => {
      const page = await client.send(
        new ListAccountsForParentCommand(token === null ? parent : { ...parent, NextToken: token }),
        sending,
      );
      return { items: page.Accounts ?? [], next: page.NextToken };
    });
    accounts.push(...found);
    const units = await everyPage(`The units below ${ParentId} could not be listed`, async (token) => {
      const page = await client.send(
        new ListOrganizationalUnitsForParentCommand(
          token === null ? parent : { ...parent, NextToken: token },
        ),
        sending,
      );
      return { items: page.OrganizationalUnits ?? [], next: page.NextToken };
    });
    for (const { Id } of units) if (Id) waiting.push(Id);
  }
  return accounts;
}

interface ListPage<Item> {
  readonly items: readonly Item[];
  readonly next: string | undefined;
}

/** An empty page may carry a token; a token that comes twice would never end. */
async function everyPage<Item>(
  what: string,
  page: (token: string | null) => Promise<ListPage<Item>>,
): Promise<Item[]> {
  const items: Item[] = [];
  const tokens = new Set<string>();
  let token: string | null = null;
  do {
    const { items: found, next }: ListPage<Item> = await answerOf(what, () => page(token));
    items.push(...found);
    if (next !== undefined && tokens.has(next)) {
      throw new UnavailableError(
        `${what}: AWS Organizations gave the same page token twice`,
        'Run again; if it stays so, list the accounts with --accounts',
      );
    }
    token = next || null;
    if (token !== null) tokens.add(token);
  } while (token !== null);
  return items;
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

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
import { type ListPage, pageByPage } from './every-page.ts';

export interface OrganizationAccount {
  readonly accountId: string;
  readonly name: string | null;
}

const actions =
  'Allow organizations:ListAccounts, organizations:ListAccountsForParent and organizations:ListOrganizationalUnitsForParent, and run the job in the management account or a delegated administrator account (or name a role there with --organization-role-arn). Or list the accounts with --accounts';

/**
 * Every active account of the organization, or every active account below the given units, at any depth, as AWS lists
 * them: each once, also if a list had to be read again. Needs `organizations:ListAccounts`, or for units
 * `organizations:ListAccountsForParent` and `organizations:ListOrganizationalUnitsForParent`.
 * @param region any region in the organization's partition; @param unitIds null: all; otherwise `ou-…` or `r-…` ids
 * @param abortSignal cancels the request in flight
 * @throws AccessError when access is denied, UnavailableError when Organizations cannot be reached
 */
export async function* listOrganizationAccounts(
  aws: Aws,
  region: string,
  credentials: AwsCredentialIdentityProvider,
  unitIds: readonly string[] | null,
  abortSignal: AbortSignal,
): AsyncGenerator<readonly OrganizationAccount[], void> {
  const client = aws.retrying(
    signedBy(aws.clock, new OrganizationsClient(aws.clientDefaults(region, credentials))),
    abortSignal,
  );
  const pages =
    unitIds === null ? allAccounts(client, { abortSignal }) : accountsBelow(client, unitIds, { abortSignal });
  const seen = new Set<string>();
  for await (const page of pages) {
    const accounts: OrganizationAccount[] = [];
    for (const account of page) {
      if (!account.Id || seen.has(account.Id) || !isActive(account)) continue;
      seen.add(account.Id);
      accounts.push({ accountId: account.Id, name: account.Name ?? null });
    }
    if (accounts.length > 0) yield accounts;
  }
}

/** `Status` is the older field. Some partitions may return only that. */
function isActive(account: Account): boolean {
  return (account.State ?? account.Status) === 'ACTIVE';
}

/** Options of every request. */
interface Sending {
  readonly abortSignal: AbortSignal;
}

function allAccounts(
  client: OrganizationsClient,
  sending: Sending,
): AsyncGenerator<readonly Account[], void> {
  return listed('The accounts of the organization could not be listed', idOf, async (token) => {
    const page = await client.send(
      new ListAccountsCommand(token === null ? {} : { NextToken: token }),
      sending,
    );
    return { items: page.Accounts, next: page.NextToken };
  });
}

/** Lists of units that are read at once. */
const listsAtOnce = 4;

/** How many lists of these units are asked for before one has responded. */
export function firstLists(unitIds: readonly string[]): number {
  return Math.min(listsAtOnce, 2 * new Set(unitIds).size);
}

/** What a page of a list below a unit holds. */
interface BelowUnit {
  readonly accounts: readonly Account[];
  readonly units: readonly string[];
}

type ListBelow = AsyncGenerator<BelowUnit, void>;

/** The lists of all units side by side: an organization may have hundreds of units, each with two lists. */
async function* accountsBelow(
  client: OrganizationsClient,
  unitIds: readonly string[],
  sending: Sending,
): AsyncGenerator<readonly Account[], void> {
  const waiting: (() => ListBelow)[] = [];
  const visited = new Set<string>();
  const visit = (unit: string): void => {
    if (visited.has(unit)) return;
    visited.add(unit);
    waiting.push(
      () => accountsOf(client, unit, sending),
      () => unitsOf(client, unit, sending),
    );
  };
  for (const unit of unitIds) visit(unit);

  const running = new Map<ListBelow, Promise<{ list: ListBelow; page: IteratorResult<BelowUnit, void> }>>();
  const pull = (list: ListBelow): void => {
    const arrival = list.next().then((page) => ({ list, page }));
    // If another list fails first, nobody waits for this one.
    arrival.catch(() => undefined);
    running.set(list, arrival);
  };
  for (;;) {
    for (const begin of waiting.splice(0, listsAtOnce - running.size)) pull(begin());
    if (running.size === 0) return;
    const { list, page } = await Promise.race(running.values());
    running.delete(list);
    if (page.done) continue;
    for (const unit of page.value.units) visit(unit);
    pull(list);
    if (page.value.accounts.length > 0) yield page.value.accounts;
  }
}

async function* accountsOf(client: OrganizationsClient, unit: string, sending: Sending): ListBelow {
  const parent = { ParentId: unit };
  const pages = listed(`The accounts of ${unit} could not be listed`, idOf, async (token) => {
    const page = await client.send(
      new ListAccountsForParentCommand(token === null ? parent : { ...parent, NextToken: token }),
      sending,
    );
    return { items: page.Accounts, next: page.NextToken };
  });
  for await (const accounts of pages) yield { accounts, units: [] };
}

async function* unitsOf(client: OrganizationsClient, unit: string, sending: Sending): ListBelow {
  const parent = { ParentId: unit };
  const pages = listed(`The units below ${unit} could not be listed`, idOf, async (token) => {
    const page = await client.send(
      new ListOrganizationalUnitsForParentCommand(token === null ? parent : { ...parent, NextToken: token }),
      sending,
    );
    return { items: page.OrganizationalUnits, next: page.NextToken };
  });
  for await (const page of pages) yield { accounts: [], units: page.flatMap(({ Id }) => Id ?? []) };
}

const idOf = ({ Id }: { readonly Id?: string | undefined }) => Id;

/** The items of each page; a page may come twice. */
async function* listed<Item extends object>(
  what: string,
  nameOf: (item: Item) => string | undefined,
  page: (token: string | null) => Promise<ListPage<Item>>,
): AsyncGenerator<readonly Item[], void> {
  const otherwise = 'list the accounts with --accounts';
  try {
    for await (const { items } of pageByPage({
      what,
      service: 'AWS Organizations',
      otherwise,
      nameOf,
      page,
    })) {
      yield items;
    }
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

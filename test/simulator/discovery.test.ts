import { ListRegionsCommand, type RegionOptStatus } from '@aws-sdk/client-account';
import { DescribeRegionsCommand, type DescribeRegionsCommandInput } from '@aws-sdk/client-ec2';
import {
  type Account,
  ListAccountsCommand,
  ListAccountsForParentCommand,
  ListOrganizationalUnitsForParentCommand,
  ListRootsCommand,
} from '@aws-sdk/client-organizations';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientsOf, keysOf } from './clients.ts';

let simulator: Simulator;
beforeAll(async () => {
  simulator = await startSimulator({ accounts: 45, regions: 4, jobsPerDay: 1 });
});
afterAll(() => simulator.stop());

async function allPages<T>(
  page: (token: {
    NextToken?: string;
  }) => Promise<{ NextToken?: string | undefined; items: T[] | undefined }>,
) {
  const items: T[] = [];
  const sizes: number[] = [];
  let NextToken: string | undefined;
  do {
    const answer = await page(NextToken === undefined ? {} : { NextToken });
    items.push(...(answer.items ?? []));
    sizes.push(answer.items?.length ?? -1);
    NextToken = answer.NextToken;
  } while (NextToken !== undefined);
  return { items, sizes };
}

describe('the organization', () => {
  it('lists its accounts in pages of twenty, one of which is empty', async () => {
    const { organizations } = clientsOf(simulator);
    const { items, sizes } = await allPages(async (token) => {
      const { Accounts, NextToken } = await organizations.send(new ListAccountsCommand(token));
      return { items: Accounts, NextToken };
    });
    expect(sizes).toEqual([20, 0, 20, 7]);
    const states = items.map(({ Status }) => Status);
    expect(states.filter((state) => state === 'ACTIVE')).toHaveLength(45);
    expect(states.filter((state) => state !== 'ACTIVE').sort()).toEqual(['PENDING_CLOSURE', 'SUSPENDED']);
    expect(items.every(({ State, Status }) => State === undefined || State === Status)).toBe(true);
    expect(items.some(({ State }) => State === undefined)).toBe(true);
    const ids = items.map(({ Id }) => Id ?? '');
    expect(new Set(ids).size).toBe(47);
    expect(ids.every((id) => /^\d{12}$/.test(id))).toBe(true);
    expect(ids.some((id) => id.startsWith('0'))).toBe(true);
  });

  it('is a tree in which every account lies once', async () => {
    const { organizations } = clientsOf(simulator);
    const accounts: Account[] = [];
    let deepest = 0;
    const visit = async (ParentId: string, depth: number): Promise<void> => {
      deepest = Math.max(deepest, depth);
      const inside = await allPages(async (token) => {
        const command = new ListAccountsForParentCommand({ ParentId, ...token });
        const { Accounts, NextToken } = await organizations.send(command);
        return { items: Accounts, NextToken };
      });
      accounts.push(...inside.items);
      const units = await allPages(async (token) => {
        const command = new ListOrganizationalUnitsForParentCommand({ ParentId, ...token });
        const { OrganizationalUnits, NextToken } = await organizations.send(command);
        return { items: OrganizationalUnits, NextToken };
      });
      for (const { Id } of units.items) await visit(Id ?? '', depth + 1);
    };
    const { Roots } = await organizations.send(new ListRootsCommand({}));
    await visit(Roots?.[0]?.Id ?? '', 0);
    expect(deepest).toBe(3);
    expect(accounts.map(({ Id }) => Id).sort()).toEqual(
      simulator.organization.all.map(({ id }) => id).sort(),
    );
  });

  it('names the parents that it does not know', async () => {
    const { organizations } = clientsOf(simulator);
    await expect(
      organizations.send(new ListAccountsForParentCommand({ ParentId: 'r-none' })),
    ).rejects.toMatchObject({ name: 'ParentNotFoundException' });
  });

  it('keeps a page token to the request that it came from', async () => {
    const { organizations } = clientsOf(simulator);
    const { NextToken } = await organizations.send(new ListAccountsCommand({}));
    const ParentId = simulator.organization.rootId;
    await expect(
      organizations.send(new ListAccountsForParentCommand({ ParentId, NextToken })),
    ).rejects.toMatchObject({ name: 'InvalidInputException' });
  });
});

describe('regions', () => {
  const enabled = ['us-east-1', 'eu-west-1', 'us-west-2', 'af-south-1'];

  async function listed(filter: RegionOptStatus[] | undefined, MaxResults = 50) {
    const { account } = clientsOf(simulator);
    const { items } = await allPages(async (token) => {
      const command = new ListRegionsCommand({
        ...token,
        MaxResults,
        ...(filter && { RegionOptStatusContains: filter }),
      });
      const { Regions, NextToken } = await account.send(command);
      return { items: Regions, NextToken };
    });
    return items;
  }

  it('are listed with those that are disabled, unless asked for by status', async () => {
    const all = await listed(undefined);
    expect(
      all.filter(({ RegionOptStatus }) => RegionOptStatus !== 'DISABLED').map((one) => one.RegionName),
    ).toEqual(enabled);
    expect(all.some(({ RegionOptStatus }) => RegionOptStatus === 'DISABLED')).toBe(true);
    expect(await listed(undefined, 3)).toEqual(all);
    const asked = await listed(['ENABLED', 'ENABLED_BY_DEFAULT'], 2);
    expect(asked.map(({ RegionName }) => RegionName)).toEqual(enabled);
    expect((await listed(['ENABLED'])).map(({ RegionName }) => RegionName)).toEqual(['af-south-1']);
  });

  it('of another account are for the management account only', async () => {
    const [management, member, other] = simulator.organization.active.map(({ id }) => id);
    const AccountId = other ?? '';
    const asManagement = clientsOf(simulator).account;
    await expect(asManagement.send(new ListRegionsCommand({ AccountId }))).resolves.toBeTruthy();
    const asMember = clientsOf(simulator, 'us-east-1', await keysOf(simulator, member ?? '')).account;
    await expect(asMember.send(new ListRegionsCommand({}))).resolves.toBeTruthy();
    await expect(
      asMember.send(new ListRegionsCommand({ AccountId: management ?? '' })),
    ).rejects.toMatchObject({
      name: 'AccessDeniedException',
    });
  });

  it('are described by EC2: the enabled ones, or all', async () => {
    const { ec2 } = clientsOf(simulator);
    const names = async (input: DescribeRegionsCommandInput) =>
      (await ec2.send(new DescribeRegionsCommand(input))).Regions?.map(({ RegionName }) => RegionName);
    expect(await names({})).toEqual(enabled);
    expect((await names({ AllRegions: true }))?.length).toBeGreaterThan(4);
    expect(await names({ RegionNames: ['eu-west-1'] })).toEqual(['eu-west-1']);
    const Filters = [{ Name: 'opt-in-status', Values: ['opted-in', 'not-opted-in'] }];
    expect(await names({ Filters })).toEqual(['af-south-1']);
    await expect(names({ RegionNames: ['mars-1'] })).rejects.toMatchObject({ name: 'InvalidParameterValue' });
  });
});

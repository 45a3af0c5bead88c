import { afterEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { listOrganizationAccounts, type OrganizationAccount } from '../../src/targets/organization.ts';
import { staticCredentials } from '../source/reading.ts';
import { type Reply, refusal, type ScriptedAws, startScriptedAws } from '../source/scripted-aws.ts';

let server: ScriptedAws | null = null;
let aws: Aws | null = null;
afterEach(async () => {
  aws?.close();
  await server?.close();
});

/** Lists with these pages, by the token that asks for them. */
async function listed(pages: Record<string, object>) {
  const accounts: OrganizationAccount[] = [];
  for await (const page of await listing(pages)) accounts.push(...page);
  return accounts;
}

async function listing(pages: Record<string, object>) {
  server = await startScriptedAws(({ body }) => {
    const { NextToken = 'first' }: { NextToken?: string } = JSON.parse(body);
    if (!Object.hasOwn(pages, NextToken)) {
      return refusal('InvalidInputException', 'You provided an invalid pagination token.');
    }
    return { body: pages[NextToken], headers: { 'content-type': 'application/x-amz-json-1.1' } };
  });
  aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
  return listOrganizationAccounts(aws, 'us-east-1', staticCredentials, null, new AbortController().signal);
}

describe('the accounts of an organization', () => {
  it('are those whose State, or where there is none, whose Status is ACTIVE', async () => {
    const accounts = await listed({
      first: {
        Accounts: [
          { Id: '100000000004', State: 'ACTIVE', Status: 'SUSPENDED', Name: 'by state' },
          { Id: '100000000003', State: 'SUSPENDED', Status: 'ACTIVE' },
          { Id: '100000000002', Status: 'ACTIVE' },
          { Id: '100000000001', Status: 'PENDING_CLOSURE' },
          { Id: '100000000000', State: 'PENDING_ACTIVATION' },
        ],
      },
    });
    expect(accounts).toEqual([
      { accountId: '100000000004', name: 'by state' },
      { accountId: '100000000002', name: null },
    ]);
  });

  it('go on behind an empty page that carries a token', async () => {
    const accounts = await listed({
      first: { Accounts: [], NextToken: 'A' },
      A: { NextToken: 'B' },
      B: { Accounts: [{ Id: '100000000002', State: 'ACTIVE' }] },
    });
    expect(accounts.map(({ accountId }) => accountId)).toEqual(['100000000002']);
  });

  it('whose pages go round in a circle are an UnavailableError, not an endless loop', async () => {
    const listing = listed({
      first: { Accounts: [], NextToken: 'A' },
      A: { Accounts: [], NextToken: 'B' },
      B: { Accounts: [], NextToken: 'A' },
    });
    await expect(listing).rejects.toBeInstanceOf(UnavailableError);
    expect(server?.asked).toHaveLength(3);
  });

  it.each([
    ['a null among the accounts', { Accounts: [{ Id: '100000000001', State: 'ACTIVE' }, null] }, /entry/],
    ['an account without an id', { Accounts: [{ State: 'ACTIVE' }] }, /entry/],
    ['a text among the accounts', { Accounts: ['100000000001'] }, /entry/],
    ['accounts that are no list', { Accounts: { Id: '100000000001' } }, /list/],
    ['a token that it does not take back', { Accounts: [], NextToken: 'made up' }, /page token/],
  ])('are asked for again when the answer has %s, and then time has to heal it', async (_, first, why) => {
    const error: unknown = await listed({ first }).catch((thrown: unknown) => thrown);
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({ exitCode: 75, message: expect.stringMatching(why) });
    expect(String(error)).not.toMatch(/credential|permission|organizations:/i);
    const fromTheFirst = server?.asked.filter(({ body }) => !body.includes('NextToken'));
    expect(fromTheFirst).toHaveLength(3);
  });

  it('come page by page, and each once, also if the list has to be read again', async () => {
    let times = 0;
    const pages = await listing({
      first: { Accounts: [{ Id: '100000000009', State: 'ACTIVE' }], NextToken: 'A' },
      get A() {
        times += 1;
        return { Accounts: times < 2 ? [null] : [{ Id: '100000000002', State: 'ACTIVE' }] };
      },
    });
    expect((await pages.next()).value).toEqual([{ accountId: '100000000009', name: null }]);
    expect(server?.asked).toHaveLength(1);
    expect((await pages.next()).value).toEqual([{ accountId: '100000000002', name: null }]);
    expect(server?.asked).toHaveLength(4);
    expect((await pages.next()).done).toBe(true);
  });

  it('are all there when an answer that made no sense makes sense later', async () => {
    let times = 0;
    const accounts = await listed({
      get first() {
        times += 1;
        return { Accounts: times < 3 ? [null] : [{ Id: '100000000002', State: 'ACTIVE' }] };
      },
    });
    expect(accounts.map(({ accountId }) => accountId)).toEqual(['100000000002']);
  });
});

describe('the accounts below a unit', () => {
  it('come from four lists at once, each unit read once', async () => {
    const held: (() => void)[] = [];
    server = await startScriptedAws(async ({ body }): Promise<Reply> => {
      const { ParentId }: { ParentId: string } = JSON.parse(body);
      const number = Number(ParentId.replace(/\D/g, ''));
      // Of four units, one is named twice, and each has two lists: no answer comes before four are asked for.
      if (number > 0) {
        const { promise, resolve } = Promise.withResolvers<void>();
        held.push(resolve);
        if (held.length === 4) for (const answer of held.splice(0)) answer();
        await promise;
      }
      const units = number > 0 ? ['ou-1'] : ['ou-1', 'ou-2', 'ou-3', 'ou-4', 'ou-2'];
      return {
        body: {
          Accounts: [{ Id: `10000000000${number}`, State: 'ACTIVE' }],
          OrganizationalUnits: units.map((Id) => ({ Id })),
        },
        headers: { 'content-type': 'application/x-amz-json-1.1' },
      };
    });
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
    const { signal } = new AbortController();
    const found: string[] = [];
    for await (const page of listOrganizationAccounts(aws, 'us-east-1', staticCredentials, ['r-0'], signal)) {
      found.push(...page.map(({ accountId }) => accountId));
    }
    expect(found.sort()).toEqual([0, 1, 2, 3, 4].map((number) => `10000000000${number}`));
    expect(server.asked).toHaveLength(10);
  });

  it('cannot be listed if one of the lists cannot, whatever the others say', async () => {
    server = await startScriptedAws(({ body }) =>
      JSON.parse(body).ParentId === 'ou-2'
        ? refusal('ParentNotFoundException', 'You provided a root or unit that does not exist.')
        : {
            body: { Accounts: [{ Id: '100000000001', State: 'ACTIVE' }] },
            headers: { 'content-type': 'application/x-amz-json-1.1' },
          },
    );
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
    const { signal } = new AbortController();
    const pages = listOrganizationAccounts(aws, 'us-east-1', staticCredentials, ['ou-1', 'ou-2'], signal);
    const all = async () => {
      for await (const _ of pages);
    };
    await expect(all()).rejects.toThrow(/ou-2 could not be listed: there is no such unit/);
  });
});

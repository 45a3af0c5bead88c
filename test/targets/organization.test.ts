import { afterEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { UnavailableError } from '../../src/shared/errors.ts';
import { listOrganizationAccounts, type OrganizationAccount } from '../../src/targets/organization.ts';
import { staticCredentials } from '../source/reading.ts';
import { refusal, type ScriptedAws, startScriptedAws } from '../source/scripted-aws.ts';

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

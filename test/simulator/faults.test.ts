import { ListCopyJobSummariesCommand, ListCopyJobsCommand } from '@aws-sdk/client-backup';
import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import { AssumeRoleCommand, GetCallerIdentityCommand } from '@aws-sdk/client-sts';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type FaultInput, Faults } from '../../src/simulator/faults.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientsOf, drainJobs, keysOf } from './clients.ts';

let simulator: Simulator;
let management: string;
let member: string;
beforeEach(async () => {
  simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 4 });
  management = simulator.organization.management.id;
  member = simulator.organization.active[1]?.id ?? '';
});
afterEach(() => simulator.stop());

async function list(account = management, region = 'us-east-1', input = {}) {
  const { backup } = clientsOf(simulator, region, await keysOf(simulator, account));
  return backup.send(new ListCopyJobsCommand(input));
}

function add(...faults: FaultInput[]) {
  simulator.addFaults(faults);
}

const outcome = (call: Promise<unknown>): Promise<{ name: string; status: number | undefined }> =>
  call.then(
    () => ({ name: 'accepted', status: 200 }),
    (error: Error & { $metadata?: { httpStatusCode?: number } }) => ({
      name: error.name,
      status: error.$metadata?.httpStatusCode,
    }),
  );

describe('a fault', () => {
  it('meets the account, region and api that it names, and no others', async () => {
    add({ kind: 'deny', account: member, region: 'eu-west-1', api: 'ListCopyJobs' });
    expect(await outcome(list(member, 'eu-west-1'))).toEqual({ name: 'AccessDeniedException', status: 403 });
    expect((await outcome(list(member, 'us-east-1'))).name).toBe('accepted');
    expect((await outcome(list(management, 'eu-west-1'))).name).toBe('accepted');
    const { backup } = clientsOf(simulator, 'eu-west-1', await keysOf(simulator, member));
    expect((await outcome(backup.send(new ListCopyJobSummariesCommand({})))).name).toBe('accepted');
    simulator.clearFaults();
    expect((await outcome(list(member, 'eu-west-1'))).name).toBe('accepted');
  });

  it('that names no api meets AWS Backup only; a star means all', async () => {
    const { sts, organizations } = clientsOf(simulator);
    const identity = () => outcome(sts.send(new GetCallerIdentityCommand({})));
    add({ kind: 'throttle' });
    expect((await outcome(list())).name).toBe('ThrottlingException');
    expect((await identity()).name).toBe('accepted');
    add({ kind: 'throttle', api: '*' });
    expect((await identity()).name).toBe('Throttling');
    expect((await outcome(organizations.send(new ListAccountsCommand({})))).name).toBe('ThrottlingException');
  });

  it('of AssumeRole is told by the account of the role', async () => {
    add({ kind: 'deny', account: member, api: 'AssumeRole' });
    const assume = (account: string) =>
      clientsOf(simulator).sts.send(
        new AssumeRoleCommand({
          RoleArn: `arn:aws:iam::${account}:role/${simulator.roleName}`,
          RoleSessionName: 'tests',
        }),
      );
    expect(await outcome(assume(member))).toEqual({ name: 'AccessDenied', status: 403 });
    expect((await outcome(assume(simulator.organization.active[2]?.id ?? ''))).name).toBe('accepted');
  });

  it('ends after its count, and begins after what it lets through', async () => {
    add({ kind: 'server-error', count: 2, after: 1 });
    const names: string[] = [];
    for (let n = 0; n < 5; n++) names.push((await outcome(list())).name);
    const error = 'ServiceUnavailableException';
    expect(names).toEqual(['accepted', error, error, 'accepted', 'accepted']);
  });

  it('with a probability meets about so many requests, and the same ones again', async () => {
    const pattern = async (): Promise<string> => {
      add({ kind: 'throttle', probability: 0.4 });
      const names: string[] = [];
      for (let n = 0; n < 24; n++) names.push((await outcome(list())).name);
      return names.map((name) => (name === 'accepted' ? '.' : 'x')).join('');
    };
    const first = await pattern();
    expect(first.replaceAll('.', '').length).toBeGreaterThan(2);
    expect(first.replaceAll('.', '').length).toBeLessThan(20);
    await simulator.stop();
    simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 4 });
    expect(await pattern()).toBe(first);
  });

  it.each([
    ['ThrottlingException', 400, 'ThrottlingException'],
    ['TooManyRequestsException', 429, 'TooManyRequestsException'],
  ])('of throttling can look like %s', async (error, status, name) => {
    add({ kind: 'throttle', error });
    expect(await outcome(list())).toEqual({ name, status });
  });

  it('of throttling can be a bare 429', async () => {
    add({ kind: 'throttle', error: '429' });
    expect((await outcome(list())).status).toBe(429);
  });

  it('of throttling can let a rate through, for each account, region and api', () => {
    let now = 0;
    const faults = new Faults(7, [{ kind: 'throttle', rate: 2 }], () => now);
    const isMet = (region: string) =>
      faults.meet({ api: 'ListCopyJobs', account: member, region }, () => true).length > 0;
    expect([1, 2, 3, 4].map(() => isMet('a'))).toEqual([false, false, true, true]);
    expect(isMet('b')).toBe(false);
    now = 500;
    expect([1, 2].map(() => isMet('a'))).toEqual([false, true]);
    now = 60_000;
    expect([1, 2, 3].map(() => isMet('a'))).toEqual([false, false, true]);
  });

  it('of a region makes the caller unknown there, and leaves the region in the lists', async () => {
    add({ kind: 'disable-region', region: 'eu-west-1' });
    expect(await outcome(list(member, 'eu-west-1'))).toEqual({
      name: 'UnrecognizedClientException',
      status: 403,
    });
    expect((await outcome(list(member, 'us-east-1'))).name).toBe('accepted');
  });

  it('of credentials makes them expired', async () => {
    add({ kind: 'expired-credentials', count: 1 });
    expect(await outcome(list(member))).toEqual({ name: 'ExpiredTokenException', status: 403 });
    expect((await outcome(list(member))).name).toBe('accepted');
  });
});

describe('a connection', () => {
  it('that hangs is never answered', async () => {
    add({ kind: 'hang' });
    const { backup } = clientsOf(simulator);
    const abortSignal = AbortSignal.timeout(300);
    await expect(backup.send(new ListCopyJobsCommand({}), { abortSignal })).rejects.toMatchObject({
      name: 'AbortError',
    });
    expect(simulator.requests().recent.at(-1)).toMatchObject({
      api: 'ListCopyJobs',
      status: 0,
      error: 'hang',
    });
  });

  it('that is dropped ends without an answer', async () => {
    add({ kind: 'drop' });
    await expect(list()).rejects.toMatchObject({ code: 'ECONNRESET' });
  });

  it('that is slow answers later', async () => {
    add({ kind: 'slow', ms: 400 });
    const before = performance.now();
    await list();
    expect(performance.now() - before).toBeGreaterThanOrEqual(395);
  });
});

describe('a page', () => {
  it('can be broken JSON', async () => {
    add({ kind: 'bad-json' });
    await expect(list()).rejects.toThrow(SyntaxError);
  });

  it.each([
    ['bad-date', 'CreationDate', 'the day before yesterday'],
    ['missing-id', 'CopyJobId', undefined],
    ['unknown-state', 'State', 'QUIESCING'],
    ['unknown-field', 'FieldOfTomorrow', { Depth: 1 }],
  ] as const)('can begin with a record of %s', async (kind, field, value) => {
    const whole = (await drainJobs(simulator, management, 'us-east-1')).records;
    add({ kind });
    const client = clientsOf(simulator).backup;
    let body = '';
    client.middlewareStack.add(
      (next) => async (args) => {
        const result = await next(args);
        // Safe: at this step the response is an HTTP response with a body to be read.
        const { body: stream } = result.response as { body: AsyncIterable<Buffer> };
        for await (const chunk of stream) body += chunk.toString();
        throw new Error('read');
      },
      { step: 'deserialize', priority: 'low' },
    );
    await expect(client.send(new ListCopyJobsCommand({}))).rejects.toThrow('read');
    const parsed = JSON.parse(body);
    expect(parsed.CopyJobs[0][field]).toEqual(value);
    expect(parsed.CopyJobs.slice(1)).toEqual(whole.slice(1));
  });

  it('can hold an integer that no double holds', async () => {
    add({ kind: 'big-integer' });
    const url = new URL(simulator.endpoint);
    const signer = new SignatureV4({
      service: 'backup',
      region: 'us-east-1',
      sha256: Sha256,
      credentials: {
        accessKeyId: simulator.env.AWS_ACCESS_KEY_ID ?? '',
        secretAccessKey: simulator.env.AWS_SECRET_ACCESS_KEY ?? '',
      },
    });
    const { headers } = await signer.sign({
      method: 'GET',
      protocol: 'http:',
      hostname: '127.0.0.1',
      path: '/copy-jobs',
      headers: { host: url.host },
    });
    const response = await fetch(`${simulator.endpoint}/copy-jobs`, { headers });
    expect(await response.text()).toContain('"BackupSizeInBytes":9007199254740993,');
  });
});

describe('a page token', () => {
  const follow = async (steps: number) => {
    const tokens: (string | undefined)[] = [];
    let NextToken: string | undefined;
    for (let n = 0; n < steps; n++) {
      NextToken = (await list(management, 'us-east-1', { MaxResults: 20, ...(NextToken && { NextToken }) }))
        .NextToken;
      tokens.push(NextToken);
    }
    return tokens;
  };

  it('can be the same for ever', async () => {
    add({ kind: 'repeat-token' });
    const [first, ...others] = await follow(4);
    expect(first).toBeTruthy();
    expect(new Set(others)).toEqual(new Set([first]));
  });

  it('can go in a circle of two', async () => {
    add({ kind: 'token-cycle' });
    const [a, b, c, d] = await follow(4);
    expect(a).toBeTruthy();
    expect(b).not.toBe(a);
    expect([c, d]).toEqual([a, b]);
  });

  it('can expire midway, for a time', async () => {
    add({ kind: 'expire-token', count: 1 });
    const first = await list(management, 'us-east-1', { MaxResults: 20 });
    const next = () => list(management, 'us-east-1', { MaxResults: 20, NextToken: first.NextToken });
    expect(await outcome(next())).toEqual({ name: 'InvalidParameterValueException', status: 400 });
    expect((await next()).CopyJobs).toHaveLength(20);
  });

  it('can come with an empty page, and nothing is missing', async () => {
    const whole = await drainJobs(simulator, management, 'us-east-1', { MaxResults: 20 });
    add({ kind: 'empty-page-with-token' });
    const first = await list(management, 'us-east-1', { MaxResults: 20 });
    expect(first.CopyJobs).toEqual([]);
    expect(first.NextToken).toBeTruthy();
    const { records, pages } = await drainJobs(simulator, management, 'us-east-1', { MaxResults: 20 });
    expect(records).toEqual(whole.records);
    expect(pages).toBe(2 * whole.pages);
  });

  it('can be missing where there is more', async () => {
    add({ kind: 'cut-short' });
    const first = await list(management, 'us-east-1', { MaxResults: 20 });
    expect(first.CopyJobs).toHaveLength(10);
    expect(first.NextToken).toBeUndefined();
  });

  it('can be missing together with all records', async () => {
    add({ kind: 'served-empty' });
    const first = await list(management, 'us-east-1', { MaxResults: 20 });
    expect(first.CopyJobs).toEqual([]);
    expect(first.NextToken).toBeUndefined();
  });
});

describe('an external id', () => {
  it('can be asked for from now on', async () => {
    add({ kind: 'require-external-id', account: member, externalId: 'green' });
    await expect(keysOf(simulator, member)).rejects.toMatchObject({ name: 'AccessDenied' });
    await expect(keysOf(simulator, simulator.organization.active[2]?.id ?? '')).resolves.toBeTruthy();
  });
});

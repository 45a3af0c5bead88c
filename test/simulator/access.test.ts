import { ListRegionsCommand } from '@aws-sdk/client-account';
import { ListCopyJobsCommand } from '@aws-sdk/client-backup';
import { DescribeRegionsCommand } from '@aws-sdk/client-ec2';
import { ListAccountsCommand } from '@aws-sdk/client-organizations';
import {
  AssumeRoleCommand,
  type AssumeRoleCommandInput,
  GetCallerIdentityCommand,
} from '@aws-sdk/client-sts';
import { Sha256 } from '@smithy/core/checksum';
import { SignatureV4 } from '@smithy/signature-v4';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { Credentials } from '../../src/simulator/access-keys.ts';
import { authenticate, readClaim } from '../../src/simulator/signatures.ts';
import { DAY } from '../../src/simulator/simulated-clock.ts';
import { lakeRole, organizationRole } from '../../src/simulator/simulated-organization.ts';
import { type Simulator, startSimulator } from '../../src/simulator/simulator.ts';
import { clientsOf, type Keys, keysOf, ownKeys } from './clients.ts';

let simulator: Simulator;
let member: string;
let management: string;

beforeAll(async () => {
  simulator = await startSimulator({ accounts: 3, regions: 2, jobsPerDay: 2 });
  management = simulator.organization.management.id;
  member = simulator.organization.active[1]?.id ?? '';
});
afterAll(() => simulator.stop());

function assume(roleArn: string, more: Partial<AssumeRoleCommandInput> = {}, keys = ownKeys(simulator)) {
  const command = new AssumeRoleCommand({ RoleArn: roleArn, RoleSessionName: 'audit', ...more });
  return clientsOf(simulator, 'us-east-1', keys).sts.send(command);
}

const reader = (account: string) => `arn:aws:iam::${account}:role/${simulator.roleName}`;

/** Calls each service once; how each of them refuses, by its name. */
async function refusals(keys: Keys): Promise<Record<string, string>> {
  const { backup, sts, organizations, account, ec2 } = clientsOf(simulator, 'us-east-1', keys);
  const calls = {
    backup: () => backup.send(new ListCopyJobsCommand({})),
    sts: () => sts.send(new GetCallerIdentityCommand({})),
    organizations: () => organizations.send(new ListAccountsCommand({})),
    account: () => account.send(new ListRegionsCommand({})),
    ec2: () => ec2.send(new DescribeRegionsCommand({})),
  };
  const names: Record<string, string> = {};
  for (const [service, call] of Object.entries(calls)) {
    names[service] = await call().then(
      () => 'accepted',
      (error: Error) => error.name,
    );
  }
  return names;
}

describe('a signature', () => {
  it('of the right key is accepted by every service', async () => {
    expect(new Set(Object.values(await refusals(ownKeys(simulator))))).toEqual(new Set(['accepted']));
  });

  it('of another secret does not match', async () => {
    const names = await refusals({ ...ownKeys(simulator), secretAccessKey: 'wrong' });
    expect(new Set(Object.values(names))).toEqual(new Set(['SignatureDoesNotMatch']));
  });

  it('of an unknown key is refused as each service does', async () => {
    expect(await refusals({ accessKeyId: 'AKIAIOSFODNN7EXAMPLE', secretAccessKey: 'x' })).toEqual({
      backup: 'UnrecognizedClientException',
      sts: 'InvalidClientTokenId',
      organizations: 'UnrecognizedClientException',
      account: 'UnrecognizedClientException',
      ec2: 'AuthFailure',
    });
  });

  it('covers the query', async () => {
    const { backup } = clientsOf(simulator);
    backup.middlewareStack.add(
      (next) => (args) => {
        // Safe: at this step the request is an HTTP request with its query.
        const request = args.request as { query: Record<string, string> };
        request.query.state = 'FAILED';
        return next(args);
      },
      { step: 'finalizeRequest', priority: 'low' },
    );
    await expect(backup.send(new ListCopyJobsCommand({}))).rejects.toThrow(/signature/);
  });

  it('that is missing is refused', async () => {
    const response = await fetch(`${simulator.endpoint}/copy-jobs`);
    expect(response.status).toBe(403);
    expect(response.headers.get('x-amzn-errortype')).toBe('MissingAuthenticationTokenException');
    expect(await response.json()).toMatchObject({ message: 'Missing Authentication Token' });
  });

  it.each([
    ['now, in real time', 0, true],
    ['the simulated now', DAY, true],
    ['14 minutes before', -14 * 60_000, true],
    ['16 minutes before', -16 * 60_000, false],
    ['16 minutes after the simulated now', DAY + 16 * 60_000, false],
  ])('dated %s: accepted or not', async (_, offset, accepted) => {
    const realNow = Date.UTC(2026, 10, 21);
    const credentials = new Credentials(7, management);
    const { accessKeyId, secretAccessKey } = credentials;
    const signer = new SignatureV4({
      service: 'backup',
      region: 'us-east-1',
      credentials: { accessKeyId, secretAccessKey },
      sha256: Sha256,
    });
    const request = { method: 'GET', path: '/copy-jobs', query: {}, headers: { host: 'x' }, body: '' };
    const signed = await signer.sign(
      { ...request, protocol: 'http:', hostname: 'x' },
      { signingDate: new Date(realNow + offset) },
    );
    const wire = { ...request, headers: signed.headers };
    const claim = readClaim(signed.headers);
    if (claim === null) throw new Error('the signer wrote no claim');
    const outcome = authenticate(wire, claim, 'rest-json', credentials, [realNow + DAY, realNow], realNow);
    if (accepted) await expect(outcome).resolves.toMatchObject({ accountId: management });
    else await expect(outcome).rejects.toMatchObject({ code: 'InvalidSignatureException', status: 403 });
  });
});

describe('a session', () => {
  it('speaks for the account whose role was assumed', async () => {
    const keys = await keysOf(simulator, member);
    const identity = await clientsOf(simulator, 'us-east-1', keys).sts.send(new GetCallerIdentityCommand({}));
    expect(identity.Account).toBe(member);
    expect(identity.Arn).toBe(`arn:aws:sts::${member}:assumed-role/${simulator.roleName}/tests`);
    const { CopyJobs } = await clientsOf(simulator, 'us-east-1', keys).backup.send(
      new ListCopyJobsCommand({}),
    );
    expect(new Set(CopyJobs?.map((job) => job.AccountId))).toEqual(new Set([member]));
  });

  it('is worth nothing without its token, or with another', async () => {
    const { accessKeyId, secretAccessKey, sessionToken } = await keysOf(simulator, member);
    const other = await keysOf(simulator, member);
    const tokens = [undefined, other.sessionToken, `${sessionToken}A`, 'nonsense'];
    for (const token of tokens) {
      const keys = { accessKeyId, secretAccessKey, ...(token === undefined ? {} : { sessionToken: token }) };
      expect((await refusals(keys)).backup).toBe('UnrecognizedClientException');
    }
  });

  it('expires in real time, as long after as was asked for', async () => {
    const { Credentials: keys } = await assume(reader(member), { DurationSeconds: 900 });
    const left = (keys?.Expiration?.getTime() ?? 0) - Date.now();
    expect(left).toBeGreaterThan(800_000);
    expect(left).toBeLessThanOrEqual(900_000);
    const credentials = new Credentials(7, management);
    const past = Date.now() - 1000;
    const { accessKeyId, secretAccessKey, sessionToken } = credentials.issue(member, 'any', 'late', past);
    expect(await refusals({ accessKeyId, secretAccessKey, sessionToken })).toEqual({
      backup: 'ExpiredTokenException',
      sts: 'ExpiredToken',
      organizations: 'ExpiredTokenException',
      account: 'ExpiredTokenException',
      ec2: 'RequestExpired',
    });
  });

  it.each([899, 43_201])('of %i seconds is refused', async (DurationSeconds) => {
    await expect(assume(reader(member), { DurationSeconds })).rejects.toMatchObject({
      name: 'ValidationError',
    });
  });

  it('that assumes another role lasts an hour at most', async () => {
    const { Credentials: first } = await assume(`arn:aws:iam::${management}:role/${organizationRole}`);
    const keys = {
      accessKeyId: first?.AccessKeyId ?? '',
      secretAccessKey: first?.SecretAccessKey ?? '',
      sessionToken: first?.SessionToken ?? '',
    };
    await expect(assume(reader(member), { DurationSeconds: 3601 }, keys)).rejects.toThrow(/role chaining/);
    await expect(assume(reader(member), { DurationSeconds: 3600 }, keys)).resolves.toBeTruthy();
    expect(await refusals(keys)).toMatchObject({
      organizations: 'accepted',
      backup: 'AccessDeniedException',
    });
  });
});

describe('trust', () => {
  it('is only for the reader role of active members, and the two roles of the management account', async () => {
    const gone = simulator.organization.all.find((account) => account.state === 'SUSPENDED')?.id ?? '';
    expect(gone).toMatch(/^\d{12}$/);
    const refused = [
      `arn:aws:iam::${member}:role/Other`,
      `arn:aws:iam::${member}:role/${lakeRole}`,
      reader(management),
      reader('123456789012'),
      reader(gone),
    ];
    for (const arn of refused) {
      await expect(assume(arn)).rejects.toMatchObject({
        name: 'AccessDenied',
        message: `User: arn:aws:iam::${management}:user/backup-copy-export is not authorized to perform: sts:AssumeRole on resource: ${arn}`,
        $metadata: { httpStatusCode: 403 },
      });
    }
    for (const role of [organizationRole, lakeRole]) {
      await expect(assume(`arn:aws:iam::${management}:role/${role}`)).resolves.toBeTruthy();
    }
  });

  it('is not for members', async () => {
    const keys = await keysOf(simulator, member);
    const other = simulator.organization.active[2]?.id ?? '';
    await expect(assume(reader(other), {}, keys)).rejects.toMatchObject({ name: 'AccessDenied' });
    expect(await refusals(keys)).toMatchObject({
      organizations: 'AccessDeniedException',
      account: 'accepted',
    });
  });

  it('asks for the external id where there is one', async () => {
    const strict = await startSimulator({ accounts: 2, regions: 1, jobsPerDay: 1, externalId: 'blue/7' });
    try {
      const arn = `arn:aws:iam::${strict.organization.active[1]?.id}:role/${strict.roleName}`;
      const { sts } = clientsOf(strict);
      const input = { RoleArn: arn, RoleSessionName: 'audit' };
      await expect(sts.send(new AssumeRoleCommand(input))).rejects.toThrow(/not authorized/);
      await expect(sts.send(new AssumeRoleCommand({ ...input, ExternalId: 'red' }))).rejects.toThrow(
        /not auth/,
      );
      await expect(sts.send(new AssumeRoleCommand({ ...input, ExternalId: 'blue/7' }))).resolves.toBeTruthy();
    } finally {
      await strict.stop();
    }
  });

  it('does not reach regions that are not enabled', async () => {
    const { backup } = clientsOf(simulator, 'af-south-1');
    await expect(backup.send(new ListCopyJobsCommand({}))).rejects.toMatchObject({
      name: 'UnrecognizedClientException',
      $metadata: { httpStatusCode: 403 },
    });
  });
});

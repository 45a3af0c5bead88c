import { afterEach, describe, expect, it } from 'vitest';
import { type Aws, createAws } from '../../src/aws/aws.ts';
import { AssumeRoleError, UnavailableError } from '../../src/shared/errors.ts';
import { roleArn, assumedRole as roleCredentials, shareCredentials } from '../../src/targets/credentials.ts';
import {
  assumedRole,
  type Reply,
  type ScriptedAws,
  startScriptedAws,
  stsRefusal,
} from '../source/scripted-aws.ts';

const minute = 60_000;

/** Credentials named by their turn, good for so long. */
function issuer(lifeMs: number, clock: { now: number }) {
  let issued = 0;
  return {
    issued: () => issued,
    fetch: async () => {
      issued += 1;
      const expiration = new Date(clock.now + lifeMs);
      return { accessKeyId: `KEY${issued}`, secretAccessKey: 's', expiration };
    },
  };
}

describe('shared credentials', () => {
  it('are fetched once for many that ask at the same time', async () => {
    const clock = { now: 0 };
    const { fetch, issued } = issuer(60 * minute, clock);
    const credentials = shareCredentials(
      fetch,
      () => clock.now,
      () => clock.now,
    );
    const all = await Promise.all(Array.from({ length: 20 }, () => credentials()));
    expect(new Set(all.map(({ accessKeyId }) => accessKeyId))).toEqual(new Set(['KEY1']));
    expect(issued()).toBe(1);
  });

  it('are renewed before they expire, and not long before', async () => {
    const clock = { now: 0 };
    const { fetch } = issuer(60 * minute, clock);
    const credentials = shareCredentials(
      fetch,
      () => clock.now,
      () => clock.now,
    );
    await credentials();
    clock.now = 54 * minute;
    expect((await credentials()).accessKeyId).toBe('KEY1');
    clock.now = 56 * minute;
    expect((await credentials()).accessKeyId).toBe('KEY2');
  });

  it('that live shortly are not renewed at every call', async () => {
    const clock = { now: 0 };
    const { fetch, issued } = issuer(2 * minute, clock);
    const credentials = shareCredentials(
      fetch,
      () => clock.now,
      () => clock.now,
    );
    await credentials();
    clock.now = minute;
    await credentials();
    expect(issued()).toBe(1);
  });

  it('are renewed in time though the clock is set back by a day after they came', async () => {
    const clock = { now: 0 };
    const { fetch } = issuer(60 * minute, clock);
    let wall = 0;
    const credentials = shareCredentials(
      fetch,
      () => wall,
      () => clock.now,
    );
    await credentials();
    wall = -60 * 24 * minute;
    clock.now = 56 * minute;
    expect((await credentials()).accessKeyId).toBe('KEY2');
  });

  it.each([61, 90, 60 * 24])(
    'are not renewed at every call by a clock that is %d minutes ahead',
    async (ahead) => {
      const aws = { now: 0 };
      const { fetch, issued } = issuer(60 * minute, aws);
      const credentials = shareCredentials(
        fetch,
        () => aws.now + ahead * minute,
        () => aws.now,
      );
      for (let call = 0; call < 50; call += 1) await credentials();
      expect(issued()).toBe(1);
      aws.now = 44 * minute;
      expect((await credentials()).accessKeyId).toBe('KEY1');
      aws.now = 46 * minute;
      expect((await credentials()).accessKeyId).toBe('KEY2');
    },
  );

  it('are handed out while they hold and cannot be renewed, by a clock that is ahead, too', async () => {
    const aws = { now: 0 };
    let works = true;
    const { fetch } = issuer(60 * minute, aws);
    const credentials = shareCredentials(
      () => (works ? fetch() : Promise.reject(new Error('STS is away'))),
      () => aws.now + 90 * minute,
      () => aws.now,
    );
    await credentials();
    works = false;
    aws.now = 59 * minute;
    expect((await credentials()).accessKeyId).toBe('KEY1');
    aws.now = 61 * minute;
    await expect(credentials()).rejects.toThrow('STS is away');
  });

  it('are renewed by force once, however many learn that the same key was refused', async () => {
    const { fetch, issued } = issuer(60 * minute, { now: Date.now() });
    const credentials = shareCredentials(fetch);
    await credentials();
    const refresh = { forceRefresh: true, refused: 'KEY1' };
    await Promise.all([credentials(refresh), credentials(refresh), credentials()]);
    expect((await credentials(refresh)).accessKeyId).toBe('KEY2');
    expect(issued()).toBe(2);
  });

  it('are handed out while they hold and cannot be renewed', async () => {
    const clock = { now: 0 };
    let works = true;
    const { fetch } = issuer(60 * minute, clock);
    const credentials = shareCredentials(
      () => (works ? fetch() : Promise.reject(new Error('STS is away'))),
      () => clock.now,
      () => clock.now,
    );
    await credentials();
    works = false;
    clock.now = 57 * minute;
    expect((await credentials()).accessKeyId).toBe('KEY1');
    clock.now = 61 * minute;
    await expect(credentials()).rejects.toThrow('STS is away');
    works = true;
    expect((await credentials()).accessKeyId).toBe('KEY2');
  });
});

describe('an assumed role', () => {
  let server: ScriptedAws | null = null;
  let aws: Aws | null = null;
  afterEach(async () => {
    aws?.close();
    await server?.close();
  });

  const role = {
    roleArn: 'arn:aws:iam::444455556666:role/audit/Reader',
    sessionName: 'who',
    externalId: 'tell&me',
  };

  async function assuming(script: (number: number) => Reply, sourceKeys = ['SOURCE1']) {
    server = await startScriptedAws(({ number }) => {
      const reply = script(number);
      // A Date that is now: else the SDK takes a refusal for one about its clock.
      return typeof reply === 'string' ? reply : { ...reply, date: new Date().toUTCString() };
    });
    aws = createAws({ endpointUrl: server.endpoint, maxSockets: 4 });
    let asked = -1;
    const source = shareCredentials(async () => {
      asked += 1;
      return { accessKeyId: sourceKeys[asked] ?? 'NONE', secretAccessKey: 's' };
    });
    return { server, credentials: roleCredentials(aws, source, 'us-gov-west-1', role) };
  }

  it('is asked for once, at home, with external id and session name', async () => {
    const { server, credentials } = await assuming(() =>
      assumedRole('ASSUMED', new Date(Date.now() + 60 * minute)),
    );
    const all = await Promise.all([credentials(), credentials(), credentials()]);
    expect(all.map(({ accessKeyId }) => accessKeyId)).toEqual(['ASSUMED', 'ASSUMED', 'ASSUMED']);
    expect(server.asked).toHaveLength(1);
    expect(server.asked[0]?.region).toBe('us-gov-west-1');
    expect(Object.fromEntries(new URLSearchParams(server.asked[0]?.body))).toMatchObject({
      Action: 'AssumeRole',
      RoleArn: role.roleArn,
      RoleSessionName: 'who',
      ExternalId: 'tell&me',
      DurationSeconds: '3600',
    });
  });

  it('that is refused is an AssumeRoleError for good, with advice, asked for once', async () => {
    const { server, credentials } = await assuming(() =>
      stsRefusal('AccessDenied', 'not authorized to perform: sts:AssumeRole'),
    );
    const failures = await Promise.all(
      [credentials(), credentials()].map((one) => one.catch((error) => error)),
    );
    failures.push(await credentials().catch((error) => error));
    for (const failure of failures) {
      expect(failure).toBeInstanceOf(AssumeRoleError);
      expect(failure.message).toMatch(
        /role\/audit\/Reader could not be assumed: AccessDenied: not authorized.*\. Check/,
      );
    }
    expect(server.asked).toHaveLength(1);
  });

  it('that cannot be asked for now is an UnavailableError, and is asked for again', async () => {
    let broken = true;
    const { credentials } = await assuming(() =>
      broken
        ? stsRefusal('InternalFailure', 'later', 500)
        : assumedRole('ASSUMED', new Date(Date.now() + 60 * minute)),
    );
    await expect(credentials()).rejects.toBeInstanceOf(UnavailableError);
    broken = false;
    expect((await credentials()).accessKeyId).toBe('ASSUMED');
  });

  it('is asked for again with renewed credentials when those of the caller have expired', async () => {
    const { server, credentials } = await assuming(
      (number) =>
        number === 0
          ? stsRefusal('ExpiredToken', 'expired')
          : assumedRole('ASSUMED', new Date(Date.now() + 60 * minute)),
      ['SOURCE1', 'SOURCE2'],
    );
    expect((await credentials()).accessKeyId).toBe('ASSUMED');
    expect(server.asked.map(({ accessKeyId }) => accessKeyId)).toEqual(['SOURCE1', 'SOURCE2']);
  });
});

it('a role may have a path, and lies in the partition of the caller', () => {
  expect(roleArn('aws-cn', '111122223333', 'audit/Reader')).toBe(
    'arn:aws-cn:iam::111122223333:role/audit/Reader',
  );
  expect(roleArn('aws', '111122223333', '/Reader')).toBe('arn:aws:iam::111122223333:role/Reader');
});

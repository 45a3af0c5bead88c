import { NodeHttpHandler } from '@smithy/node-http-handler';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createSource } from '../../src/source/backup.ts';
import { fixedConcurrency } from '../../src/source/concurrency.ts';
import { shareCredentials } from '../../src/targets/credentials.ts';
import { type Bench, type BenchOptions, day, hour, job, page, startBench, to } from './reading.ts';
import { type Asked, callerIdentity, inTurn, type Reply, refusal, stsRefusal } from './scripted-aws.ts';

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

async function reading(
  script: (asked: Asked) => Reply | Promise<Reply>,
  options?: BenchOptions,
): Promise<Bench> {
  bench = await startBench(script, options);
  return bench;
}

describe('a target that only a person can heal', () => {
  it.each(['AccessDeniedException', 'AccessDenied', 'NotAuthorized'])(
    'is ACCESS_DENIED at once on %s',
    async (name) => {
      const denied = refusal(name, 'explicit deny in a service control policy', 403);
      const { readJobs, server } = await reading(() => ({
        ...(denied as object),
        date: new Date().toUTCString(),
      }));
      expect(await readJobs()).toMatchObject({
        status: 'ACCESS_DENIED',
        errorName: name,
        records: 0,
        retries: 0,
      });
      expect(server.asked).toHaveLength(1);
    },
  );

  it('is asked again, dated as the refusal is, when the refusal is about the date; and not for ever', async () => {
    const serverTime = Date.now() + 30 * day;
    const script =
      (known: (asked: Asked) => boolean) =>
      (asked: Asked): Reply => ({
        ...((known(asked)
          ? page([])
          : refusal('InvalidSignatureException', 'Signature expired', 403)) as object),
        date: new Date(serverTime).toUTCString(),
      });
    const skewed = await reading(script(({ signedFor }) => Math.abs(signedFor - serverTime) < 5 * 60_000));
    expect(await skewed.readJobs()).toMatchObject({ status: 'OK', retries: 1 });
    await skewed.close();
    const refused = await reading(script(() => false));
    // Time heals a clock, whoever's it is: no person is blamed for it.
    expect(await refused.readJobs()).toMatchObject({
      status: 'FAILED',
      errorName: 'InvalidSignatureException',
      retries: 3,
    });
  });

  it('is FAILED at once, by its own name, on what we have no name for', async () => {
    const { readJobs } = await reading(inTurn(refusal('InvalidParameterValueException', 'accountId', 400)));
    expect(await readJobs()).toMatchObject({
      status: 'FAILED',
      errorName: 'InvalidParameterValueException',
      retries: 0,
    });
  });

  it.each(['UnrecognizedClientException', 'InvalidClientTokenId'])(
    'is REGION_DISABLED on %s while STS takes the same credentials at home',
    async (name) => {
      const { readJobs, server } = await reading(({ service }) =>
        service === 'sts' ? callerIdentity() : refusal(name, 'The security token is invalid', 403),
      );
      expect(await readJobs()).toMatchObject({ status: 'REGION_DISABLED', errorName: name, records: 0 });
      expect(server.asked.map(({ service, region }) => `${service} ${region}`)).toEqual([
        'backup eu-west-1',
        'sts us-east-1',
      ]);
    },
  );

  it('is ACCESS_DENIED when STS no longer takes the credentials either', async () => {
    const { readJobs } = await reading(({ service }) =>
      service === 'sts'
        ? stsRefusal('InvalidClientTokenId', 'no')
        : refusal('UnrecognizedClientException', 'The security token is invalid', 403),
    );
    expect(await readJobs()).toMatchObject({
      status: 'ACCESS_DENIED',
      errorName: 'UnrecognizedClientException',
    });
  });

  it('is UNREACHABLE, not denied or disabled, when STS cannot be asked whether they still hold', async () => {
    const { readJobs } = await reading(
      ({ service }) =>
        service === 'sts'
          ? 'reset'
          : refusal('UnrecognizedClientException', 'The security token is invalid', 403),
      { targetTimeoutMs: 2_000 },
    );
    expect(await readJobs()).toMatchObject({ status: 'UNREACHABLE', errorName: 'ECONNRESET' });
  });

  it('is ACCESS_DENIED in the home region, which cannot be disabled', async () => {
    const { readJobs, server } = await reading(
      inTurn(refusal('UnrecognizedClientException', 'invalid', 403)),
      {
        region: 'us-east-1',
      },
    );
    expect(await readJobs()).toMatchObject({ status: 'ACCESS_DENIED' });
    expect(server.asked.map(({ service }) => service)).toEqual(['backup', 'backup']);
  });
});

describe('a host name that is not found', () => {
  const notFound = (code: string) => async () => {
    const hostname = 'backup.eu-west-1.amazonaws.com';
    throw Object.assign(new Error(`getaddrinfo ${code} ${hostname}`), {
      code,
      syscall: 'getaddrinfo',
      hostname,
    });
  };

  /** AWS Backup's host in the target's region cannot be resolved; STS at home is there. */
  async function unresolved(code: string, sts: Reply) {
    const { aws, target } = await reading(() => sts);
    let attempts = 0;
    const handle = () => {
      attempts += 1;
      return notFound(code)();
    };
    const source = createSource({
      aws: {
        ...aws,
        clientDefaults: (region, credentials) => ({
          ...aws.clientDefaults(region, credentials),
          ...(region === target.region
            ? { requestHandler: Object.assign(new NodeHttpHandler(), { handle }) }
            : {}),
        }),
      },
      homeRegion: 'us-east-1',
      concurrency: fixedConcurrency(1),
      requestsPerSecond: 1000,
      targetTimeoutMs: 2_000,
      memoryDays: 35,
      log: pino({ level: 'silent' }),
      timing: { firstDelayMs: 1, longestDelayMs: 10 },
    });
    const drain = source.copyJobs(target, { from: null, to }, new AbortController().signal);
    for await (const _ of drain);
    return { report: drain.report(), attempts };
  }

  it('is UNREACHABLE after some tries, for only AWS says that a region is disabled', async () => {
    const { report, attempts } = await unresolved('ENOTFOUND', callerIdentity());
    expect(report).toMatchObject({ status: 'UNREACHABLE', errorName: 'ENOTFOUND', retries: 2 });
    expect(attempts).toBe(3);
  });

  it('is UNREACHABLE when STS at home is not to be had either', async () => {
    const { report, attempts } = await unresolved('ENOTFOUND', 'reset');
    expect(report).toMatchObject({ status: 'UNREACHABLE' });
    expect(attempts).toBeGreaterThanOrEqual(3);
  });

  it('is UNREACHABLE when DNS fails only for now', async () => {
    const { report, attempts } = await unresolved('EAI_AGAIN', callerIdentity());
    expect(report).toMatchObject({ status: 'UNREACHABLE', errorName: 'EAI_AGAIN' });
    expect(attempts).toBeGreaterThan(3);
  });
});

describe('credentials that expire in the middle of a drain', () => {
  function expiring() {
    let issued = 0;
    const credentials = shareCredentials(async () => {
      issued += 1;
      return { accessKeyId: `KEY${issued}`, secretAccessKey: 'secret' };
    });
    return { credentials, issued: () => issued };
  }

  it('are renewed, and the page is asked for again', async () => {
    const { credentials, issued } = expiring();
    const { readJobs, ids, server } = await reading(
      ({ query, accessKeyId }) => {
        if (!query.has('nextToken')) return page([job('a', hour)], 'more');
        if (accessKeyId === 'KEY1')
          return refusal('ExpiredTokenException', 'The security token has expired', 403);
        return page([job('b', hour)]);
      },
      { credentials },
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', pages: 2, retries: 1 });
    expect(ids()).toEqual(['a', 'b']);
    expect(issued()).toBe(2);
    expect(server.asked.map(({ accessKeyId }) => accessKeyId)).toEqual(['KEY1', 'KEY1', 'KEY2']);
  });

  it('end as ACCESS_DENIED when new ones are expired too', async () => {
    const { credentials, issued } = expiring();
    const { readJobs } = await reading(inTurn(refusal('ExpiredTokenException', 'expired', 403)), {
      credentials,
    });
    expect(await readJobs()).toMatchObject({ status: 'ACCESS_DENIED', errorName: 'ExpiredTokenException' });
    expect(issued()).toBe(4);
  });
});

import { NodeHttpHandler } from '@smithy/node-http-handler';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createSource } from '../../src/source/backup.ts';
import { UnsafeInteger } from '../../src/source/source.ts';
import { shareCredentials } from '../../src/targets/credentials.ts';
import { type Bench, type BenchOptions, day, hour, job, page, startBench, to } from './reading.ts';
import { type Asked, awsTime, callerIdentity, type Reply, refusal, stsRefusal } from './scripted-aws.ts';

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

/** Answers in this order; the last one again and again. */
function inTurn(...replies: readonly Reply[]): (asked: Asked) => Reply {
  return ({ number }) => replies[number] ?? replies.at(-1) ?? 'hang';
}

describe('a drain that ends well', () => {
  it('reads every page, an empty one with a token too, and reports what it did', async () => {
    const { readJobs, ids, pages, server } = await reading(
      inTurn(page([job('a', hour)], 'one'), page([], 'two'), page([job('b', 2 * hour)])),
    );
    const report = await readJobs();
    expect(report).toMatchObject({
      status: 'OK',
      pages: 3,
      records: 2,
      retries: 0,
      firstRequestId: 'request-0',
      lastRequestId: 'request-2',
      errorName: null,
    });
    expect(ids()).toEqual(['a', 'b']);
    expect(pages.map(({ observedAt, more }) => [observedAt, more])).toEqual([
      [Date.parse(awsTime), true],
      [Date.parse(awsTime), true],
      [Date.parse(awsTime), false],
    ]);
    expect(server.asked.map(({ query }) => query.get('nextToken'))).toEqual([null, 'one', 'two']);
    expect(server.asked.map(({ query }) => query.get('maxResults'))).toEqual(['1000', '1000', '1000']);
    expect(server.asked[0]?.userAgent).toContain('backup-copy-export/');
  });

  it('says OK with no records when AWS lists none', async () => {
    const { readJobs } = await reading(inTurn(page([])));
    expect(await readJobs()).toMatchObject({ status: 'OK', pages: 1, records: 0 });
  });

  it('asks for summaries of its own account, with every filter said', async () => {
    const { readSummaries, server, pages } = await reading(
      inTurn(
        { body: { CopyJobSummaries: [{ Count: 1 }], NextToken: 'x' } },
        { body: { CopyJobSummaries: [{ Count: 2 }] } },
      ),
    );
    expect(await readSummaries()).toMatchObject({ status: 'OK', pages: 2, records: 2 });
    expect(Object.fromEntries(server.asked[1]?.query ?? [])).toEqual({
      AccountId: '444455556666',
      State: 'ANY',
      ResourceType: 'ANY',
      MessageCategory: 'ANY',
      AggregationPeriod: 'ONE_DAY',
      MaxResults: '500',
      NextToken: 'x',
    });
    expect(pages.flatMap(({ records }) => records)).toEqual([{ Count: 1 }, { Count: 2 }]);
  });

  it('keeps a record as it was on the wire: unknown fields, a bad date, an integer beyond 2^53 − 1', async () => {
    const { readJobs, pages } = await reading(
      inTurn({
        body: `{"CopyJobs":[{"CopyJobId":"a","CreationDate":${to / 1000 - 60},"BackupSizeInBytes":9007199254740993,"Brand":{"new":9007199254740991}},{"CopyJobId":"b","CreationDate":"yesterday","CompletionDate":{}}]}`,
      }),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', records: 2, retries: 0 });
    expect(pages[0]?.records).toEqual([
      {
        CopyJobId: 'a',
        CreationDate: to / 1000 - 60,
        BackupSizeInBytes: new UnsafeInteger('9007199254740993'),
        Brand: { new: 9007199254740991 },
      },
      { CopyJobId: 'b', CreationDate: 'yesterday', CompletionDate: {} },
    ]);
  });

  it('waits for each page to be taken before it asks for the next', async () => {
    let taken = 0;
    const askedWhenTaken: number[] = [];
    const { readJobs, server } = await reading(
      inTurn(page([job('a', hour)], 'one'), page([job('b', hour)], 'two'), page([job('c', hour)])),
      {
        onPage: async () => {
          await new Promise((resolve) => setTimeout(resolve, 20));
          taken += 1;
          askedWhenTaken.push(server.asked.length);
        },
      },
    );
    await readJobs();
    expect(taken).toBe(3);
    expect(askedWhenTaken).toEqual([1, 2, 3]);
  });

  it('gives back what onPage was rejected with', async () => {
    const { readJobs, server } = await reading(inTurn(page([job('a', hour)], 'one'), page([])), {
      onPage: async () => {
        throw new RangeError('scratch is full');
      },
    });
    await expect(readJobs()).rejects.toThrow(RangeError);
    expect(server.asked).toHaveLength(1);
  });
});

describe('a chain of pages that does not end', () => {
  it('ends as FAILED when a token comes twice in a row', async () => {
    const { readJobs, server } = await reading(inTurn(page([job('a', hour)], 'again')));
    expect(await readJobs()).toMatchObject({ status: 'FAILED', errorName: 'TokenCycle', pages: 2 });
    expect(server.asked).toHaveLength(2);
  });

  it('ends as FAILED when tokens go round in a circle', async () => {
    const next: Record<string, string> = { none: 'A', A: 'B', B: 'A' };
    const { readJobs, server } = await reading(({ query }) =>
      page([], next[query.get('nextToken') ?? 'none']),
    );
    expect(await readJobs()).toMatchObject({ status: 'FAILED', errorName: 'TokenCycle' });
    expect(server.asked).toHaveLength(3);
  });

  it('begins again when a token expires midway, and hands on only what came since', async () => {
    const expired = refusal('InvalidParameterValueException', 'Provided NextToken is expired');
    const { readJobs, ids, restarts } = await reading(
      inTurn(page([job('a', hour)], 'old'), expired, page([job('a', hour)], 'new'), page([job('b', hour)])),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', pages: 3, records: 3 });
    expect(restarts()).toBe(1);
    expect(ids()).toEqual(['a', 'b']);
  });

  it('gives up after three restarts', async () => {
    const expired = refusal('InvalidParameterValueException', 'Provided NextToken is expired');
    const { readJobs, restarts, server } = await reading(({ query }) =>
      query.has('nextToken') ? expired : page([job('a', hour)], 'old'),
    );
    expect(await readJobs()).toMatchObject({ status: 'FAILED', errorName: 'PageTokenExpired' });
    expect(restarts()).toBe(3);
    expect(server.asked).toHaveLength(8);
  });
});

describe('a drain that outlasts what time heals', () => {
  it.each([
    ['a storm of ThrottlingException', refusal('ThrottlingException', 'Rate exceeded')],
    ['a storm of TooManyRequestsException', refusal('TooManyRequestsException', 'Too many', 429)],
    ['a storm of bare 429', { status: 429 }],
    ['ServiceUnavailableException', refusal('ServiceUnavailableException', 'later', 503)],
    ['a load balancer that answers in HTML', { status: 502, body: '<html>' }],
    ['connections that break', 'reset'],
  ] as const)('asks again through %s', async (_, reply) => {
    const { readJobs, ids } = await reading(({ number }) => (number < 40 ? reply : page([job('a', hour)])));
    expect(await readJobs()).toMatchObject({ status: 'OK', retries: 40, records: 1 });
    expect(ids()).toEqual(['a']);
  });

  it('tells of throttling while it waits', async () => {
    let told = 0;
    const { readJobs } = await reading(
      inTurn(refusal('ThrottlingException', 'x'), refusal('ThrottlingException', 'x'), page([])),
      { onThrottle: () => (told += 1) },
    );
    await readJobs();
    expect(told).toBe(2);
  });

  it('asks again when a 200 is broken JSON, has no list, or no readable Date', async () => {
    const { readJobs, ids } = await reading(
      inTurn(
        { body: '{"CopyJobs":[{"Copy' },
        { body: '{}' },
        { ...(page([job('a', hour)]) as object), date: null },
        { ...(page([job('a', hour)]) as object), date: 'soon' },
        page([job('a', hour)]),
      ),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', pages: 1, retries: 4 });
    expect(ids()).toEqual(['a']);
  });

  it.each([
    ['JSON stays broken', { body: '[' }, 'UnreadableAnswer'],
    ['the Date stays unreadable', { body: { CopyJobs: [] }, date: 'soon' }, 'UnreadableDate'],
  ])('ends as FAILED when %s', async (_, reply, errorName) => {
    const { readJobs, server } = await reading(inTurn(reply));
    expect(await readJobs()).toMatchObject({ status: 'FAILED', errorName, pages: 0, records: 0 });
    expect(server.asked).toHaveLength(6);
  });

  it('cuts a hung call and makes it again', async () => {
    const { readJobs, ids } = await reading(inTurn('hang', page([job('a', hour)])), {
      timing: { firstDelayMs: 1, longestDelayMs: 2, requestTimeoutMs: 100 },
    });
    expect(await readJobs()).toMatchObject({ status: 'OK', retries: 1 });
    expect(ids()).toEqual(['a']);
  });

  it('cuts a call that hangs in the middle of its body', async () => {
    const { readJobs } = await reading(
      inTurn({ body: '{"CopyJobs":[', headers: { 'content-length': '1000' } }, page([])),
      { timing: { firstDelayMs: 1, longestDelayMs: 2, requestTimeoutMs: 100 } },
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', retries: 1 });
  });
});

describe('a target whose time is up', () => {
  it.each([
    ['THROTTLED', refusal('ThrottlingException', 'Rate exceeded'), 'ThrottlingException'],
    ['UNREACHABLE', 'reset', 'ECONNRESET'],
    ['UNREACHABLE', refusal('ServiceUnavailableException', 'x', 503), 'ServiceUnavailableException'],
    ['TIMED_OUT', 'hang', 'TimeoutError'],
  ] as const)('is %s by its last cause', async (status, reply, errorName) => {
    const { readJobs } = await reading(inTurn(page([job('a', hour)], 'more'), reply), {
      targetTimeoutMs: 400,
      timing: { firstDelayMs: 5, longestDelayMs: 20, requestTimeoutMs: 80 },
    });
    const report = await readJobs();
    expect(report).toMatchObject({ status, errorName, pages: 1, records: 1 });
    expect(report.retries).toBeGreaterThan(1);
  });

  it('is TIMED_OUT when AWS answers, but has too much to say', async () => {
    const { readJobs } = await reading(
      ({ number }) => page([job(`job-${number}`, hour)], `token-${number}`),
      {
        targetTimeoutMs: 300,
        requestsPerSecond: 20,
      },
    );
    const report = await readJobs({ from: to - 2 * hour, to });
    expect(report).toMatchObject({ status: 'TIMED_OUT', errorName: 'TargetTimeout' });
    expect(report.pages).toBeGreaterThan(1);
  });

  it('is UNREACHABLE when nobody listens', async () => {
    const { readJobs, server } = await reading(inTurn(page([])), { targetTimeoutMs: 200 });
    await server.close();
    expect(await readJobs()).toMatchObject({ status: 'UNREACHABLE', errorName: 'ECONNREFUSED', pages: 0 });
  });
});

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

  it('is asked once more when the refusal may be about the clock, and no more than that', async () => {
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
    expect(await refused.readJobs()).toMatchObject({ status: 'ACCESS_DENIED', retries: 1 });
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
      { targetTimeoutMs: 700 },
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
      concurrency: 1,
      requestsPerSecond: 1000,
      targetTimeoutMs: 700,
      memoryDays: 35,
      log: pino({ level: 'silent' }),
      timing: { firstDelayMs: 1, longestDelayMs: 10 },
    });
    const handlers = { onPage: async () => {}, onRestart: () => {} };
    const report = await source.drainCopyJobs(
      target,
      { from: null, to },
      handlers,
      new AbortController().signal,
    );
    return { report, attempts };
  }

  it('is REGION_DISABLED after some tries, when STS at home is found', async () => {
    const { report, attempts } = await unresolved('ENOTFOUND', callerIdentity());
    expect(report).toMatchObject({ status: 'REGION_DISABLED', errorName: 'ENOTFOUND', retries: 2 });
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

describe('a run that is interrupted', () => {
  it('ends a hung request at once as INTERRUPTED', async () => {
    const controller = new AbortController();
    const { readJobs } = await reading(async ({ query }) => {
      if (!query.has('nextToken')) return page([job('a', hour)], 'more');
      setTimeout(() => controller.abort(new Error('SIGTERM')), 10);
      return 'hang';
    });
    const report = await readJobs({ from: null, to }, controller.signal);
    expect(report).toMatchObject({ status: 'INTERRUPTED', pages: 1, records: 1 });
    // Not the 5 s of the request time-out, nor the 20 s of the target's.
    expect(report.durationMs).toBeLessThan(4_000);
  });

  it('ends a wait between retries, and a wait for credentials', async () => {
    const waiting = new AbortController();
    const first = await reading(
      () => {
        setTimeout(() => waiting.abort(), 10);
        return refusal('ThrottlingException', 'x');
      },
      { timing: { firstDelayMs: 60_000, longestDelayMs: 60_000, requestTimeoutMs: 5_000 } },
    );
    expect(await first.readJobs({ from: null, to }, waiting.signal)).toMatchObject({ status: 'INTERRUPTED' });
    await first.close();
    const assuming = new AbortController();
    const second = await reading(inTurn(page([])), {
      credentials: () => {
        setTimeout(() => assuming.abort(), 10);
        return new Promise(() => {});
      },
    });
    expect(await second.readJobs({ from: null, to }, assuming.signal)).toMatchObject({
      status: 'INTERRUPTED',
      pages: 0,
    });
    expect(second.server.asked).toEqual([]);
  });

  it('ends a wait for a socket that another target holds', async () => {
    const { readJobs, readSummaries, server } = await reading(inTurn('hang'), { maxSockets: 1 });
    const holding = new AbortController();
    const held = readJobs({ from: null, to }, holding.signal);
    const waiting = new AbortController();
    setTimeout(() => waiting.abort(), 30);
    expect(await readSummaries(waiting.signal)).toMatchObject({ status: 'INTERRUPTED', pages: 0 });
    expect(server.asked).toHaveLength(1);
    holding.abort();
    expect(await held).toMatchObject({ status: 'INTERRUPTED' });
  });

  it('asks nothing when it was interrupted before', async () => {
    const { readJobs, server } = await reading(inTurn(page([])));
    expect(await readJobs({ from: null, to }, AbortSignal.abort())).toMatchObject({
      status: 'INTERRUPTED',
      pages: 0,
    });
    expect(server.asked).toEqual([]);
  });
});

it('counts every attempt of both APIs against the rate', async () => {
  const { readJobs, readSummaries, server } = await reading(
    ({ number, path }) => {
      if (number % 2 === 0) return refusal('ThrottlingException', 'x');
      return path.includes('summaries') ? { body: { CopyJobSummaries: [] } } : page([]);
    },
    { requestsPerSecond: 10 },
  );
  await Promise.all([readJobs(), readSummaries(), readJobs(), readSummaries(), readJobs(), readSummaries()]);
  const times = server.asked.map(({ at }) => at).sort((a, b) => a - b);
  expect(times.length).toBeGreaterThan(11);
  // In any second at most ten, with a tenth of it for the way.
  for (const [index, time] of times.entries()) {
    const eleventh = times[index + 10];
    if (eleventh !== undefined) expect(eleventh - time).toBeGreaterThan(900);
  }
});

it('never logs a secret, and names account, region and table on every line', async () => {
  const lines: string[] = [];
  const { readJobs } = await reading(
    inTurn(refusal('ThrottlingException', 'Rate exceeded'), page([job('a', day)])),
    { log: pino({ level: 'trace' }, { write: (line: string) => lines.push(line) }) },
  );
  await readJobs();
  expect(lines.length).toBeGreaterThan(1);
  for (const line of lines) {
    expect(JSON.parse(line)).toMatchObject({
      account: '444455556666',
      region: 'eu-west-1',
      table: 'copy_jobs',
    });
    expect(line).not.toMatch(/secret/i);
  }
});

import { afterEach, describe, expect, it } from 'vitest';
import { DeadlineReached } from '../../src/shared/abort.ts';
import { type Bench, type BenchOptions, hour, job, page, startBench, to } from './reading.ts';
import { type Asked, inTurn, type Reply, refusal } from './scripted-aws.ts';

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
      timing: { firstDelayMs: 1, longestDelayMs: 2, requestTimeoutMs: 500 },
    });
    expect(await readJobs()).toMatchObject({ status: 'OK', retries: 1 });
    expect(ids()).toEqual(['a']);
  });

  it('cuts a call that hangs in the middle of its body', async () => {
    const { readJobs } = await reading(
      inTurn({ body: '{"CopyJobs":[', headers: { 'content-length': '1000' } }, page([])),
      { timing: { firstDelayMs: 1, longestDelayMs: 2, requestTimeoutMs: 500 } },
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
    const { readJobs } = await reading(
      ({ query }) => (query.has('nextToken') ? reply : page([job('a', hour)], 'more')),
      {
        targetTimeoutMs: 1_500,
        // A slow machine must not turn an answer into a hang.
        timing: { firstDelayMs: 5, longestDelayMs: 20, requestTimeoutMs: reply === 'hang' ? 200 : 5_000 },
      },
    );
    const report = await readJobs();
    expect(report).toMatchObject({ status, errorName, pages: 1, records: 1 });
    expect(report.retries).toBeGreaterThan(1);
  });

  it('is TIMED_OUT when AWS answers, but has too much to say', async () => {
    const { readJobs } = await reading(
      ({ number }) => page([job(`job-${number}`, hour)], `token-${number}`),
      {
        targetTimeoutMs: 1_500,
        requestsPerSecond: 5,
      },
    );
    const report = await readJobs({ from: to - 2 * hour, to });
    expect(report).toMatchObject({ status: 'TIMED_OUT', errorName: 'TargetTimeout' });
    expect(report.pages).toBeGreaterThan(1);
  });

  it('is UNREACHABLE when nobody listens', async () => {
    const { readJobs, server } = await reading(inTurn(page([])), { targetTimeoutMs: 500 });
    await server.close();
    expect(await readJobs()).toMatchObject({ status: 'UNREACHABLE', errorName: 'ECONNREFUSED', pages: 0 });
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
    const holding = new AbortController();
    const waiting = new AbortController();
    const { readJobs, readSummaries, server } = await reading(
      () => {
        setTimeout(() => waiting.abort(), 10);
        return 'hang';
      },
      { maxSockets: 1 },
    );
    const held = readJobs({ from: null, to }, holding.signal);
    const said = { errorName: 'Interrupted', errorMessage: 'the run was interrupted' };
    expect(await readSummaries(waiting.signal)).toMatchObject({ status: 'INTERRUPTED', pages: 0, ...said });
    expect(server.asked).toHaveLength(1);
    holding.abort();
    expect(await held).toMatchObject({ status: 'INTERRUPTED' });
  });

  it('says that the run’s deadline was reached, when that is why it was stopped', async () => {
    const deadline = new AbortController();
    const { readJobs } = await reading(() => {
      setTimeout(() => deadline.abort(new DeadlineReached()), 10);
      return 'hang';
    });
    const said = { errorName: 'DeadlineReached', errorMessage: 'the deadline of the run was reached' };
    expect(await readJobs({ from: null, to }, deadline.signal)).toMatchObject({
      status: 'TIMED_OUT',
      ...said,
    });
    expect(await readJobs({ from: null, to }, deadline.signal)).toMatchObject({
      status: 'TIMED_OUT',
      ...said,
    });
  });

  it('says at the run’s deadline what it was trying again for', async () => {
    const deadline = new AbortController();
    const { readJobs } = await reading(({ number }) => {
      if (number === 0) return 'reset';
      deadline.abort(new DeadlineReached());
      return 'hang';
    });
    const { status, errorName, errorMessage } = await readJobs({ from: null, to }, deadline.signal);
    expect([status, errorName]).toEqual(['TIMED_OUT', 'DeadlineReached']);
    expect(errorMessage).toMatch(
      /^the deadline of the run was reached; the last attempt .* with ECONNRESET: /,
    );
  });

  it('asks nothing when it was interrupted before', async () => {
    const { readJobs, server } = await reading(inTurn(page([])));
    expect(await readJobs({ from: null, to }, AbortSignal.abort())).toMatchObject({
      status: 'INTERRUPTED',
      pages: 0,
      errorName: 'Interrupted',
      errorMessage: 'the run was interrupted',
    });
    expect(server.asked).toEqual([]);
  });
});

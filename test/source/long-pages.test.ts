import { afterEach, describe, expect, it } from 'vitest';
import { createBodyMemory } from '../../src/aws/body-memory.ts';
import { DeadlineReached } from '../../src/shared/abort.ts';
import { type Bench, everything, hour, job, page, startBench } from './reading.ts';
import type { Reply } from './scripted-aws.ts';

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

const kilobyte = 1024;

/** A page of one job with a message of so many bytes. */
function longPage(id: string, bytes: number, token?: string): Reply {
  return page([job(id, hour, { StatusMessage: 'x'.repeat(bytes) })], token);
}

/** A page in chunks: nobody says how long it is. */
function unsaid(reply: Reply): Reply {
  if (typeof reply === 'string') return reply;
  return { ...reply, headers: { 'transfer-encoding': 'chunked' } };
}

describe.each([
  ['length said', (reply: Reply) => reply],
  ['length not said', unsaid],
])('pages that are long, %s', (_, sent) => {
  it('are in memory only as far as the budget allows, and none is lost or counted as a retry', async () => {
    let held = 0;
    let most = 0;
    const { promise: gathered, resolve: go } = Promise.withResolvers<void>();
    let asked = 0;
    bench = await startBench(
      async () => {
        asked += 1;
        // All six are answered at once, so that all would be in memory at once.
        if (asked === 6) go();
        await gathered;
        return sent(longPage('a', 600 * kilobyte));
      },
      {
        memory: createBodyMemory(1000 * kilobyte, 5000 * kilobyte),
        onPage: async ({ records }) => {
          held += 1;
          most = Math.max(most, held);
          expect(JSON.stringify(records.map(({ value }) => value)).length).toBeGreaterThan(600 * kilobyte);
          await new Promise((resolve) => setImmediate(resolve));
          held -= 1;
        },
      },
    );
    const { readJobs, pages } = bench;
    const reports = await Promise.all(Array.from({ length: 6 }, () => readJobs()));
    expect(reports.map(({ status, retries }) => [status, retries])).toEqual(Array(6).fill(['OK', 0]));
    expect(pages).toHaveLength(6);
    expect(most).toBe(1);
  });

  it('are read alone where one is longer than the whole budget', async () => {
    bench = await startBench(() => sent(longPage('a', 600 * kilobyte)), {
      memory: createBodyMemory(100 * kilobyte, 1000 * kilobyte),
    });
    const { readJobs } = bench;
    const reports = await Promise.all([readJobs(), readJobs(), readJobs()]);
    expect(reports.map(({ status, retries }) => [status, retries])).toEqual(Array(3).fill(['OK', 0]));
  });

  it('fail their target, by a name and without being asked for again and again, where one is absurdly long', async () => {
    let answered = 0;
    bench = await startBench(
      () => {
        answered += 1;
        return sent(longPage('a', 600 * kilobyte));
      },
      { memory: createBodyMemory(100 * kilobyte, 500 * kilobyte) },
    );
    expect(await bench.readJobs()).toMatchObject({
      status: 'FAILED',
      errorName: 'AnswerTooLarge',
      errorMessage: expect.stringMatching(/longer than .* MiB/),
      retries: 0,
    });
    expect(answered).toBeLessThanOrEqual(2);
    // What it took is free again.
    expect(await bench.readJobs()).toMatchObject({ errorName: 'AnswerTooLarge' });
  });
});

it('a target that waits for memory waits longer than its time, ends with the run, and leaves the memory to others', async () => {
  const memory = createBodyMemory(100 * kilobyte);
  const place = await memory.reserve(100 * kilobyte);
  bench = await startBench(() => longPage('a', 50 * kilobyte), { memory, targetTimeoutMs: 1_000 });
  const waiting = bench.readJobs();
  const run = new AbortController();
  setTimeout(() => run.abort(new DeadlineReached()), 1_200);
  const ended = await bench.readJobs(everything, run.signal);
  expect(ended).toMatchObject({ status: 'TIMED_OUT', errorName: 'DeadlineReached' });
  place.release();
  expect(await waiting).toMatchObject({ status: 'OK', records: 1 });
  expect(await bench.readJobs()).toMatchObject({ status: 'OK', records: 1 });
});

import { setTimeout as sleep } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import pLimit from 'p-limit';
import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { createBodyMemory } from '../../src/aws/body-memory.ts';
import { UnsafeInteger } from '../../src/shared/exact-json.ts';
import { fixedConcurrency } from '../../src/source/concurrency.ts';
import type { Page } from '../../src/source/source.ts';
import type { ListedRecord, ListedRecords } from '../../src/tables/listed-record.ts';
import {
  type Bench,
  type BenchOptions,
  day,
  everything,
  hour,
  job,
  page,
  startBench,
  to,
} from './reading.ts';
import { type Asked, awsTime, inTurn, type Reply, refusal } from './scripted-aws.ts';

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

const never = () => new AbortController().signal;

async function reading(
  script: (asked: Asked) => Reply | Promise<Reply>,
  options?: BenchOptions,
): Promise<Bench> {
  bench = await startBench(script, options);
  return bench;
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
    expect(pages.flatMap(({ records }) => records.map(({ value }) => value))).toEqual([
      { Count: 1 },
      { Count: 2 },
    ]);
  });

  it('keeps a record as it was on the wire: unknown fields, a bad date, an integer beyond 2^53 − 1', async () => {
    const { readJobs, pages } = await reading(
      inTurn({
        body: `{"CopyJobs":[{"CopyJobId":"a","CreationDate":${to / 1000 - 60},"BackupSizeInBytes":9007199254740993,"Brand":{"new":9007199254740991}},{"CopyJobId":"b","CreationDate":"yesterday","CompletionDate":{}}]}`,
      }),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', records: 2, retries: 0 });
    expect(pages[0]?.records.map(({ value }) => value)).toEqual([
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

  it('has no report before its loop has ended', async () => {
    const { source, target } = await reading(inTurn(page([])));
    const drain = source.copyJobs(target, everything, never());
    expect(() => drain.report()).toThrow(TypeError);
    for await (const _ of drain) expect(() => drain.report()).toThrow(TypeError);
    expect(drain.report()).toMatchObject({ status: 'OK' });
  });
});

describe('a loop over pages', () => {
  it('rethrows what its body throws, and nothing more is asked for', async () => {
    const { readJobs, server } = await reading(inTurn(page([job('a', hour)], 'one'), page([])), {
      onPage: async () => {
        throw new RangeError('scratch is full');
      },
    });
    await expect(readJobs()).rejects.toThrow(RangeError);
    expect(server.asked).toHaveLength(1);
  });

  it('asks for nothing before its first turn', async () => {
    const { source, target, server, readSummaries } = await reading(({ path }) =>
      path.includes('summaries') ? { body: { CopyJobSummaries: [] } } : page([]),
    );
    const drain = source.copyJobs(target, everything, never());
    await readSummaries();
    expect(server.asked).toHaveLength(1);
    for await (const _ of drain);
    expect(server.asked).toHaveLength(2);
  });

  it('that works on a page leaves its slot to others', async () => {
    const four = Promise.withResolvers<void>();
    const { source, target, server, readSummaries } = await reading(
      async ({ path }) => {
        if (!path.includes('summaries')) return page([job('a', hour)]);
        if (server.asked.length === 5) four.resolve();
        await four.promise;
        return { body: { CopyJobSummaries: [] } };
      },
      { maxSockets: 4 },
    );
    for await (const _ of source.copyJobs(target, everything, never())) {
      const others = Array.from({ length: 4 }, () => readSummaries(AbortSignal.timeout(15_000)));
      for (const other of await Promise.all(others)) expect(other).toMatchObject({ status: 'OK', pages: 1 });
    }
    expect(server.asked).toHaveLength(5);
  });

  it('that works slowly does not let pages pile up, however many lists are read side by side', async () => {
    const oneStaged = pLimit(1);
    let staged = 0;
    let most = 0;
    const { server, readJobs } = await reading(
      ({ number, query }) => {
        // Those on their way and those in memory.
        most = Math.max(most, number + 1 - staged);
        const at = Number(query.get('nextToken') ?? 0);
        return page([job(`job-${number}`, hour)], ...(at < 8 ? [String(at + 1)] : []));
      },
      {
        maxSockets: 4,
        onPage: async () => {
          await oneStaged(() => sleep(3));
          staged += 1;
        },
      },
    );
    const drains = Array.from({ length: 5 }, () => readJobs({ from: to - 8 * day, to }));
    for (const drain of await Promise.all(drains)) expect(drain).toMatchObject({ status: 'OK' });
    expect(server.asked.length).toBeGreaterThan(100);
    expect(most).toBeLessThanOrEqual(5);
  });

  it.each<[string, (asked: Asked) => Reply, number]>([
    ['succeeds', inTurn(page([job('a', hour)], 'one'), page([])), 2],
    ['succeeds at the second attempt', inTurn(refusal('ThrottlingException', 'x'), page([])), 2],
    ['is denied', inTurn(refusal('AccessDeniedException', 'no')), 2],
    ['is too long', inTurn({ body: { CopyJobs: [], padding: 'x'.repeat(100_000) } }), 1],
    ['is cut off by the end of the run', () => 'hang', 1],
    ['is left', inTurn(page([job('a', hour)], 'one')), 1],
  ])('gives everything back when a request %s', async (what, script, requests) => {
    const concurrency = fixedConcurrency(4);
    const { source, target, server } = await reading(script, {
      concurrency,
      memory: createBodyMemory(64 * 1024, 64 * 1024),
    });
    const run = new AbortController();
    if (what.startsWith('is cut off')) setTimeout(() => run.abort(new Error('the run ends')), 100);
    for await (const _ of source.copyJobs(target, everything, run.signal)) if (what === 'is left') break;
    expect(server.asked).toHaveLength(requests);
    expect([concurrency.slots.getValue(), concurrency.pages.getValue()]).toEqual([4, 5]);
  });

  it('that holds a page takes no time from its target, or from one that waits for its place', async () => {
    const targetTimeoutMs = 1_000;
    const { source, target, readJobs, server } = await reading(
      ({ query, number }) =>
        page([job(`job-${number}`, hour)], query.has('nextToken') || number > 1 ? undefined : 'two'),
      { maxSockets: 1, targetTimeoutMs },
    );
    let other: ReturnType<typeof readJobs> | null = null;
    const drain = source.copyJobs(target, everything, never());
    for await (const _ of drain) {
      if (other !== null) continue;
      other = readJobs({ from: to - hour, to });
      // Published elsewhere meanwhile; only this page has a place.
      await sleep(targetTimeoutMs + 200);
      expect(server.asked).toHaveLength(1);
    }
    expect(drain.report()).toMatchObject({ status: 'OK', pages: 2 });
    expect(await other).toMatchObject({ status: 'OK' });
  });

  it.each(['pages', 'slots'] as const)(
    'waits for %s that others have as long as the run lasts',
    async (places) => {
      const concurrency = fixedConcurrency(1);
      const { readJobs } = await reading(inTurn(page([job('a', hour)])), {
        concurrency,
        targetTimeoutMs: 600,
      });
      const [, free] = await concurrency[places].acquire();
      const drain = readJobs();
      await sleep(500);
      free();
      expect(await drain).toMatchObject({ status: 'OK', records: 1 });
      const [, freeAgain] = await concurrency[places].acquire();
      expect(await readJobs(everything, AbortSignal.timeout(100))).toMatchObject({ pages: 0, records: 0 });
      freeAgain();
      expect(await readJobs()).toMatchObject({ status: 'OK', records: 1 });
    },
  );

  it('that is left stops every request of its drain, and leaves the slots to others', async () => {
    const pieces = Promise.withResolvers<void>();
    const others = Promise.withResolvers<void>();
    const { source, target, server, readJobs } = await reading(
      async ({ number }) => {
        if (number < 4) return page([job(`job-${number}`, hour)], `token-${number}`);
        if (number === 7) pieces.resolve();
        if (number === 11) others.resolve();
        // Of the four pieces that are read side by side, two answer when all have been asked for.
        if (number === 6 || number === 7) return 'hang';
        await (number < 8 ? pieces : others).promise;
        return page([job(`job-${number}`, day)], 'more');
      },
      { maxSockets: 4, targetTimeoutMs: 60_000, timing: { requestTimeoutMs: 60_000 } },
    );
    const drain = source.copyJobs(target, { from: to - 8 * day, to }, never());
    let pages = 0;
    for await (const _ of drain) {
      pages += 1;
      if (pages < 5) continue;
      // The other page that was sent is to arrive meanwhile, and to wait for its turn.
      await sleep(50);
      break;
    }
    expect(drain.report()).toMatchObject({ status: 'INTERRUPTED', pages: 5, retries: 0 });
    expect(server.asked).toHaveLength(8);
    // All four slots are free again at once, not when sockets time out after 30 s.
    const again = await Promise.all(
      Array.from({ length: 4 }, () => readJobs({ from: to - hour, to }, AbortSignal.timeout(15_000))),
    );
    expect(again.map(({ errorName }) => errorName)).toEqual(Array(4).fill('TokenCycle'));
  });

  it('has the records of its page, and no longer when the next is asked for', async () => {
    setFlagsFromString('--expose-gc');
    const collectGarbage: () => void = runInNewContext('gc');
    const { promise: nextAsked, resolve: asked } = Promise.withResolvers<void>();
    const { promise: answered, resolve: answer } = Promise.withResolvers<void>();
    const { source, target } = await reading(async ({ number }) => {
      if (number === 0) return page([job('a', hour)], 'one');
      asked();
      await answered;
      return page([]);
    });
    const seen: { page: Page; records: WeakRef<ListedRecords> }[] = [];
    const look = (page: Page) => {
      seen.push({ page, records: new WeakRef(page.records) });
    };
    const reads = (async () => {
      for await (const page of source.copyJobs(target, everything, never())) look(page);
    })();
    await nextAsked;
    expect(() => seen[0]?.page.records).toThrow(TypeError);
    collectGarbage();
    expect(seen[0]?.records.deref()).toBeUndefined();
    answer();
    await reads;
  });

  it('frees the bytes of a page once the next one is asked for: its records cannot be read any more', async () => {
    const { source, target } = await reading(({ number }) =>
      page([job(number === 0 ? 'a' : 'b', hour)], number === 0 ? 'one' : undefined),
    );
    const records: ListedRecord[] = [];
    for await (const one of source.copyJobs(target, everything, never())) {
      records.push(...one.records);
      expect(records.at(-1)?.field('CopyJobId')).toBe(records.length === 1 ? 'a' : 'b');
    }
    expect(records).toHaveLength(2);
    for (const record of records) {
      expect(() => record.field('CopyJobId')).toThrow(TypeError);
      expect(() => record.value).toThrow(TypeError);
    }
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

it('counts every attempt of both APIs against the rate limit', async () => {
  const { readJobs, readSummaries, server } = await reading(
    ({ number, path }) => {
      if (number % 2 === 0) return refusal('ThrottlingException', 'x');
      return path.includes('summaries') ? { body: { CopyJobSummaries: [] } } : page([]);
    },
    { requestsPerSecond: 10 },
  );
  const begun = performance.now();
  await Promise.all([readJobs(), readSummaries(), readJobs(), readSummaries(), readJobs(), readSummaries()]);
  const elapsed = performance.now() - begun;
  const attempts = server.asked.length;
  expect(attempts).toBeGreaterThan(11);
  // Ten begin in the first second, ten in the next. Measured where they begin: on their way they close up.
  expect(elapsed).toBeGreaterThanOrEqual((Math.ceil(attempts / 10) - 1) * 1000);
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
      account_id: '444455556666',
      region: 'eu-west-1',
      table: 'copy_jobs',
    });
    expect(line).not.toMatch(/secret/i);
  }
});

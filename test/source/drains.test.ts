import pino from 'pino';
import { afterEach, describe, expect, it } from 'vitest';
import { UnsafeInteger } from '../../src/shared/exact-json.ts';
import { type Bench, type BenchOptions, day, hour, job, page, startBench, to } from './reading.ts';
import { type Asked, awsTime, inTurn, type Reply, refusal } from './scripted-aws.ts';

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
      account_id: '444455556666',
      region: 'eu-west-1',
      table: 'copy_jobs',
    });
    expect(line).not.toMatch(/secret/i);
  }
});

import { afterEach, describe, expect, it } from 'vitest';
import type { Window } from '../../src/source/source.ts';
import { askedBounds, creationTime, mayHold, pieces } from '../../src/source/window.ts';
import { parsedRecord } from '../../src/tables/listed-record.ts';
import {
  type Bench,
  type BenchOptions,
  day,
  everything,
  hour,
  job,
  listing,
  page,
  startBench,
  to,
} from './reading.ts';
import type { Asked, Reply } from './scripted-aws.ts';
import { refusal } from './scripted-aws.ts';

let bench: Bench | null = null;
afterEach(async () => {
  await bench?.close();
  bench = null;
});

async function reading(script: (asked: Asked) => Reply, options?: BenchOptions): Promise<Bench> {
  bench = await startBench(script, options);
  return bench;
}

const from = to - 7 * day;
const seconds = 1000;

describe('a window', () => {
  const edges = [
    job('before', 7 * day + 1),
    job('at from', 7 * day),
    job('after from', 7 * day - 1),
    job('last millisecond', 1),
    job('at to', 0),
    job('after to', -1),
  ];

  it.each([
    ['include', true],
    ['exclude', false],
  ])('is half-open whether the filters of AWS %s their bounds or not', async (_, inclusive) => {
    const { readJobs, ids, server } = await reading(
      listing(edges, { pageSize: 2, inclusive, childrenListed: true }),
    );
    expect(await readJobs({ from, to })).toMatchObject({ status: 'OK', records: 3 });
    expect(ids()).toEqual(['last millisecond', 'after from', 'at from']);
    expect(server.asked[0]?.query.get('createdAfter')).toBe(
      new Date(from - seconds).toISOString().replace('.000', ''),
    );
    expect(server.asked[0]?.query.get('createdBefore')).toBe(new Date(to).toISOString().replace('.000', ''));
  });

  it('without a lower bound asks for everything before its end', async () => {
    const { readJobs, ids, server } = await reading(
      listing([job('ancient', 400 * day), job('new', hour)], {
        pageSize: 10,
        inclusive: true,
        childrenListed: true,
      }),
    );
    await readJobs(everything);
    expect(ids()).toEqual(['new', 'ancient']);
    expect(server.asked[0]?.query.has('createdAfter')).toBe(false);
    expect(server.asked[0]?.query.has('createdBefore')).toBe(true);
  });

  it('hands on a record whose creation date cannot be read: it is rejected later, not lost here', async () => {
    const odd = [{ CopyJobId: 'none' }, { CopyJobId: 'text', CreationDate: 'Friday' }];
    const { readJobs, ids } = await reading(() => page([...odd, job('old', 8 * day)]));
    await readJobs({ from, to });
    expect(ids()).toEqual(['none', 'text']);
  });

  const spellings: readonly (readonly [string, (record: string) => string])[] = [
    ['found in the bytes', (record) => `{"CopyJobs":[${record}]}`],
    ['parsed alone', (record) => `{"CopyJobs":[${record.replace('}', ',"Brand":{"new":1}}')}]}`],
    ['parsed with its page', (record) => `{"Copy\\u004aobs":[${record}]}`],
  ];
  const impossible = [
    ['in milliseconds', '1763600000000'],
    ['past the year 9999', '253402300800'],
    ['before the year 1', '-62135596800.001'],
    ['of 1e15', '1e15'],
    ['of -1e15', '-1e15'],
    ['beyond all numbers', '1e999'],
    ['beyond the exact integers', '9007199254740993'],
  ] as const;

  it.each(spellings.flatMap(([way, spelled]) => impossible.map((date) => [...date, way, spelled] as const)))(
    'hands on a record with a creation date %s (%s, %s): it is rejected later, not lost here',
    async (_, date, _way, spelled) => {
      const { readJobs, ids } = await reading(() => ({
        body: spelled(`{"CopyJobId":"odd","CreationDate":${date}}`),
      }));
      for (const window of [{ from, to }, everything]) await readJobs(window);
      expect(ids()).toEqual(['odd', 'odd']);
    },
  );

  describe.each(spellings)('and a record that is %s:', (_, spelled) => {
    const oneJob = (created: number) => () => ({
      body: spelled(`{"CopyJobId":"odd","CreationDate":${created / 1000}}`),
    });
    // AWS dates its responses `to`.
    it.each([
      ['is left to the next run if it was created', 'at its end', to, []],
      ['is left to the next run if it was created', 'a day after the response', to + day, []],
      ['is handed on to be rejected if it was created', 'later than that', to + day + 1, ['odd']],
      ['is handed on to be rejected if it was created', 'in 2500', Date.UTC(2500, 0), ['odd']],
    ])('a job after the window %s %s', async (_what, _when, created, expected) => {
      const { readJobs, ids } = await reading(oneJob(created));
      await readJobs({ from, to });
      expect(ids()).toEqual(expected);
    });

    it('a job created between the end of the window and the response is left out', async () => {
      const { readJobs, ids } = await reading(oneJob(to - day));
      await readJobs({ from, to: to - 2 * day });
      expect(ids()).toEqual([]);
    });
  });

  it('that lies between seconds is asked for in whole ones, and filtered to the millisecond', () => {
    expect(askedBounds({ from: 1_500, to: 9_500 })).toEqual({
      createdAfter: new Date(0),
      createdBefore: new Date(10_000),
    });
    const within = (window: Window, record: object) =>
      mayHold(window, creationTime(parsedRecord(record), window.to));
    expect(within({ from: 1_500, to: 9_500 }, { CreationDate: 9.499 })).toBe(true);
    expect(within({ from: 1_500, to: 9_500 }, { CreationDate: 9.5 })).toBe(false);
    expect(within({ from: 1_500, to: 9_500 }, { CreationDate: 1.499 })).toBe(false);
    expect(within({ from: 1_500, to: 9_500 }, { CreationDate: 1.5 })).toBe(true);
  });
});

describe('pieces of a window', () => {
  it.each([
    ['bounded', { from, to }],
    ['open below', { from: null, to }],
    ['of odd milliseconds', { from: from + 123, to: to - 77 }],
  ])('that is %s follow one another without a gap or an overlap', (_, window) => {
    const parts = pieces(window, 8, 35 * day);
    expect(parts).toHaveLength(8);
    expect(parts[0]?.from).toBe(window.from);
    expect(parts.at(-1)?.to).toBe(window.to);
    for (const [index, part] of parts.entries()) {
      expect(part.to).toBeGreaterThan(part.from ?? 0);
      if (index > 0) expect(part.from).toBe(parts[index - 1]?.to);
    }
  });

  it('are not made of a window that is too short to cut', () => {
    expect(pieces({ from: to - 60_000, to }, 8, day)).toEqual([{ from: to - 60_000, to }]);
  });
});

describe('a hot target', () => {
  // Some at the very edges of pieces: a window of eight days is cut at midnights before `to`.
  const jobs = Array.from({ length: 400 }, (_, index) =>
    job(`job-${index}`, Math.floor((index / 400) * 8 * day)),
  );
  const window = { from: to - 8 * day, to: to + 1 };

  it.each([
    ['inclusive', true],
    ['exclusive', false],
  ])('is read in pieces side by side, and every record comes once (%s filters)', async (_, inclusive) => {
    let now = 0;
    let most = 0;
    const answer = listing(jobs, { pageSize: 10, inclusive, childrenListed: true });
    const { readJobs, ids, server } = await reading((asked) => answer(asked), {
      onPage: async () => {
        now += 1;
        most = Math.max(most, now);
        await new Promise((resolve) => setTimeout(resolve, 2));
        now -= 1;
      },
    });
    const report = await readJobs(window);
    expect(report).toMatchObject({ status: 'OK', records: 400 });
    expect(new Set(ids()).size).toBe(400);
    expect(ids()).toHaveLength(400);
    expect(report.pages).toBe(server.asked.length);
    expect(new Set(server.asked.map(({ query }) => query.get('createdBefore'))).size).toBe(8);
    // Pages are read side by side, but handed on one at a time.
    expect(most).toBe(1);
  });

  it('is read to its end, and nothing of it twice, if that is not far after four pages', async () => {
    const answer = listing(jobs, { pageSize: 40, inclusive: true, childrenListed: true });
    const { readJobs, ids, server } = await reading((asked) => answer(asked));
    expect(await readJobs(window)).toMatchObject({ status: 'OK', records: 400 });
    expect(ids()).toHaveLength(400);
    expect(server.asked).toHaveLength(10);
  });

  it('takes no request more if it ends with the fourth page', async () => {
    const lately = Array.from({ length: 40 }, (_, index) => job(`job-${index}`, index * 1_000));
    const answer = listing(lately, { pageSize: 10, inclusive: true, childrenListed: true });
    const { readJobs, server } = await reading((asked) => answer(asked));
    expect(await readJobs(window)).toMatchObject({ status: 'OK', records: 40 });
    expect(server.asked).toHaveLength(4);
  });

  it('is not OK when one piece is not, and stops the others at once', async () => {
    const answer = listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true });
    const denied = new Date(to - 6 * day - seconds).toISOString().replace('.000', '');
    const { readJobs, server } = await reading((asked) => {
      if (asked.number < 4) return answer(asked);
      return asked.query.get('createdAfter') === denied
        ? refusal('AccessDeniedException', 'no', 403)
        : 'hang';
    });
    const report = await readJobs({ from: to - 8 * day, to });
    expect(report).toMatchObject({ status: 'ACCESS_DENIED', errorName: 'AccessDeniedException', pages: 4 });
    // Not the 5 s of the request time-out.
    expect(report.durationMs).toBeLessThan(4_000);
    // Four side by side; the denied one is asked twice where the refusal may be about the clock.
    expect(server.asked.length).toBeLessThanOrEqual(4 + 5);
  });

  it('keeps no more pages in memory than there are sockets, however slowly they are taken', async () => {
    let taken = 0;
    let most = 0;
    const answer = listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true });
    const { readJobs, server } = await reading((asked) => answer(asked), {
      maxSockets: 2,
      onPage: async () => {
        await new Promise((resolve) => setTimeout(resolve, 10));
        most = Math.max(most, server.asked.length - taken);
        taken += 1;
      },
    });
    expect(await readJobs(window)).toMatchObject({ status: 'OK', records: 400 });
    expect(most).toBe(2);
  });

  it('hands on nothing more once the loop has thrown', async () => {
    let calls = 0;
    const answer = listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true });
    const { readJobs } = await reading((asked) => answer(asked), {
      onPage: async () => {
        calls += 1;
        await new Promise((resolve) => setTimeout(resolve, 10));
        if (calls === 6) throw new RangeError('scratch is full');
      },
    });
    await expect(readJobs(window)).rejects.toThrow(RangeError);
    await new Promise((resolve) => setTimeout(resolve, 50));
    expect(calls).toBe(6);
  });

  it.each([
    ['a text', 'Friday'],
    ['in milliseconds', to],
    ['in a year to come', Date.UTC(2500, 0) / 1000],
  ])(
    'hands on a record once, whichever pieces list it, if its creation date is %s',
    async (_, CreationDate) => {
      const odd = { CopyJobId: 'odd', CreationDate };
      const { readJobs, ids } = await reading(({ number, query }) => {
        if (number < 4) return page([job(`first-${number}`, hour)], `token-${number}`);
        return page([odd, job(`from ${query.get('createdBefore')}`, -1)]);
      });
      expect(await readJobs({ from, to })).toMatchObject({ status: 'OK', records: 5 });
      expect(ids()).toEqual(['first-0', 'first-1', 'first-2', 'first-3', 'odd']);
    },
  );

  it('begins again as a whole when the token of a piece expires', async () => {
    const answer = listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true });
    let expired = false;
    const { readJobs, ids, restarts } = await reading((asked) => {
      if (asked.number > 10 && !expired && asked.query.has('nextToken')) {
        expired = true;
        return refusal('InvalidParameterValueException', 'The token has expired');
      }
      return answer(asked);
    });
    expect(await readJobs(window)).toMatchObject({ status: 'OK' });
    expect(restarts()).toBe(1);
    expect([...ids()].sort()).toEqual(jobs.map((one) => Reflect.get(one, 'CopyJobId')).sort());
  });
});

describe('children', () => {
  const parent = (id: string, agoMs: number, count: number, more: object = {}) =>
    job(id, agoMs, { IsParent: true, NumberOfChildJobs: count, ...more });
  const child = (id: string, of: string, agoMs: number, more: object = {}) =>
    job(id, agoMs, { ParentJobId: of, ...more });
  const family = [
    parent('parent', hour, 3),
    child('child-1', 'parent', hour),
    child('child-2', 'parent', hour),
    parent('child-3', hour, 1, { ParentJobId: 'parent' }),
    child('grandchild', 'child-3', hour),
    job('single', hour),
  ];
  const allOfThem = ['child-1', 'child-2', 'child-3', 'grandchild', 'parent', 'single'];

  it('that are hidden are asked for by their parent, at any depth', async () => {
    const { readJobs, ids, server } = await reading(
      listing(family, { pageSize: 2, inclusive: true, childrenListed: false }),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', records: 6, pages: 4 });
    expect([...ids()].sort()).toEqual(allOfThem);
    const parents = server.asked.map(({ query }) => query.get('parentJobId'));
    expect(parents).toEqual([null, 'parent', 'parent', 'child-3']);
  });

  it('that are hidden are asked for by a parent that a piece of a long list has shown', async () => {
    const others = Array.from({ length: 100 }, (_, index) => job(`single-${index}`, index * 30 * 60_000));
    const early = [
      parent('parent', 6 * day, 2),
      child('one', 'parent', 6 * day),
      child('two', 'parent', 6 * day),
    ];
    const { readJobs, ids, server } = await reading(
      listing([...others, ...early], { pageSize: 10, inclusive: true, childrenListed: false }),
    );
    expect(await readJobs({ from, to: to + 1 })).toMatchObject({ status: 'OK', records: 103 });
    expect(new Set(server.asked.map(({ query }) => query.get('createdBefore'))).size).toBe(8);
    expect([...ids()].sort()).toEqual(
      [...others, ...early].map((one) => Reflect.get(one, 'CopyJobId')).sort(),
    );
  });

  it('that are listed are not asked for again', async () => {
    const { readJobs, ids, server } = await reading(
      listing(family, { pageSize: 10, inclusive: true, childrenListed: true }),
    );
    await readJobs();
    expect([...ids()].sort()).toEqual(allOfThem);
    expect(server.asked).toHaveLength(1);
  });

  it('are read though they were created before the window, but not after its end', async () => {
    const jobs = [
      parent('parent', 6 * day, 3),
      child('old', 'parent', 9 * day),
      child('listed', 'parent', day),
      child('too new', 'parent', -hour),
    ];
    const { readJobs, ids } = await reading(
      listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true }),
    );
    expect(await readJobs({ from, to })).toMatchObject({ status: 'OK' });
    expect([...ids()].sort()).toEqual(['listed', 'old', 'parent']);
  });

  it('are handed on to be rejected if they were created in a year to come', async () => {
    const late = child('late', 'parent', to - Date.UTC(2500, 0));
    const { readJobs, ids } = await reading(({ query }) =>
      page(query.has('parentJobId') ? [late] : [parent('parent', hour, 1)]),
    );
    expect(await readJobs({ from, to })).toMatchObject({ status: 'OK' });
    expect(ids()).toEqual(['parent', 'late']);
  });

  it('that are fewer than their parent says, or each other’s parents, do not make a drain endless', async () => {
    const jobs = [
      parent('a', hour, 5, { ParentJobId: 'b' }),
      parent('b', hour, 5, { ParentJobId: 'a' }),
      parent('alone', hour, 2),
      job('unsaid', hour, { IsParent: true }),
    ];
    const { readJobs, ids, server } = await reading(
      listing(jobs, { pageSize: 10, inclusive: true, childrenListed: true }),
    );
    expect(await readJobs()).toMatchObject({ status: 'OK', records: 4 });
    expect([...ids()].sort()).toEqual(['a', 'alone', 'b', 'unsaid']);
    expect(server.asked.map(({ query }) => query.get('parentJobId')).sort()).toEqual(
      ['a', 'alone', 'b', null, 'unsaid'].sort(),
    );
  });

  it('that cannot be read make the drain end badly', async () => {
    const { readJobs } = await reading((asked) =>
      asked.query.has('parentJobId')
        ? refusal('AccessDeniedException', 'no', 403)
        : page([parent('p', hour, 1)]),
    );
    expect(await readJobs()).toMatchObject({ status: 'ACCESS_DENIED', records: 1 });
  });
});

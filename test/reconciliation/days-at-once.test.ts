/** How many days are compared with AWS's counts at once, and what remains of their order. */
import { setImmediate as turn } from 'node:timers/promises';
import { expect, it } from 'vitest';
import { partKey } from '../../src/lake/layout.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { countJobs, type ReadCountsOptions } from '../../src/reconciliation/read-counts.ts';
import { reconcile } from '../../src/reconciliation/reconcile.ts';
import { LakeError } from '../../src/shared/errors.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';

const unused = () => Promise.reject(new TypeError('there is nothing to read'));
const unusedStore: Store = {
  url: '/lake',
  head: () => Promise.resolve(null),
  read: () => Promise.resolve(null),
  list: () => {
    throw new TypeError('there is nothing to list');
  },
  put: unused,
  download: unused,
  close: () => Promise.resolve(),
};

function optionsOf(store: Store): ReadCountsOptions {
  return {
    store,
    buckets: 1,
    scratchFolder: '/nowhere',
    reserve: () => () => undefined,
    log: { warn: () => undefined },
    published: new Map(),
    signal: new AbortController().signal,
  };
}

/** Nobody gets an answer from the store before `answer` is called. */
function comparing(days: readonly string[], targetCount: number) {
  const asked: string[] = [];
  const waiting: { readonly answer: () => void; readonly fail: () => void }[] = [];
  const targets = Array.from({ length: targetCount }, (_, at) => ({
    target: { accountId: String(at).padStart(12, '0'), accountName: null, region: 'eu-west-1' },
    proven: null,
    counts: 'OK' as const,
    countedDays: new Set(days),
  }));
  const store: Store = {
    ...unusedStore,
    head: (key) => {
      if (key.startsWith('copy_jobs/')) return Promise.resolve(null);
      asked.push(/start_date=([^/]+)/.exec(key)?.[1] ?? '');
      return new Promise((resolve, reject) =>
        waiting.push({
          answer: () => resolve(null),
          fail: () => reject(new LakeError('The store does not answer', 'Run again')),
        }),
      );
    },
  };
  const done = reconcile(
    days.map((day) => ({ day, stillCounting: false, targets })),
    optionsOf(store),
  );
  return { asked, waiting, done };
}

const days = ['2026-11-01', '2026-11-02', '2026-11-03', '2026-11-04', '2026-11-05', '2026-11-06'];

it('reads four days at once, and the next one when one is done', async () => {
  const { asked, waiting, done } = comparing(days, 800);
  await turn();
  expect(asked).toEqual(days.slice(0, 4));
  waiting[2]?.answer();
  await turn();
  expect(asked).toEqual(days.slice(0, 5));
  for (const { answer } of waiting) answer();
  await turn();
  for (const { answer } of waiting) answer();
  expect(await done).toMatchObject({ slices: [], notComparable: 0, unreadableDays: [] });
});

it.each([
  [2_000, 2],
  [4_000, 1],
  [5_000, 1],
])('reads fewer days at once of %i accounts and regions', async (targets, atOnce) => {
  const { asked, waiting, done } = comparing(days.slice(0, 3), targets);
  await turn();
  expect(asked).toHaveLength(atOnce);
  for (let at = 0; at < 3; at += 1) {
    waiting[at]?.answer();
    await turn();
  }
  await done;
});

it('asks for no further day when the store fails, and waits for those under way', async () => {
  const { asked, waiting, done } = comparing(days, 800);
  let ended = false;
  done
    .catch(() => undefined)
    .finally(() => {
      ended = true;
    });
  await turn();
  waiting[0]?.fail();
  await turn();
  expect(ended).toBe(false);
  for (const { answer } of waiting) answer();
  await expect(done).rejects.toThrow('The store does not answer');
  expect(asked).toEqual(days.slice(0, 4));
});

it('stops to add up jobs ahead after the part that it reads', async () => {
  const stop = new AbortController();
  const asked: string[] = [];
  const head = async (key: string) => {
    asked.push(key);
    if (asked.length === 5) stop.abort();
    return null;
  };
  await countJobs(days, { ...optionsOf({ ...unusedStore, head }), buckets: 4 }, stop.signal);
  expect(asked).toEqual([
    ...[0, 1, 2, 3].map((bucket) => partKey(copyJobs, { creation_date: '2026-11-01' }, bucket)),
    partKey(copyJobs, { creation_date: '2026-11-02' }, 0),
  ]);
});

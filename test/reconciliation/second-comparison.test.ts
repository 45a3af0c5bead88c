/** Which days are compared with AWS's counts a second time, by which rules, and with what the lake has then. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { reconcile } from '../../src/reconciliation/reconcile.ts';
import type { Row } from '../../src/tables/table.ts';
import { count, day, home, job, jobsKeyOf, midnight, put } from './made-days.ts';

const regions = ['eu-west-1', 'eu-west-2', 'eu-west-3'];
const [second, third] = ['2026-11-21', '2026-11-22'];

let folder: string;
let store: Store;
let lakes = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-second-'));
  await mkdir(join(folder, 'scratch'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  lakes += 1;
  store = await openLocalStore({ folder: join(folder, `lake-${lakes}`), create: true });
  return () => store.close();
});

/** A parent and its two children. */
function family(region: string): readonly Row[] {
  return [
    job({ region, number_of_child_jobs: 2, destination_region: region }),
    job({ region, parent_job_id: 'p' }),
    job({ region, parent_job_id: 'p' }),
  ];
}

/** So many jobs in each of some regions, as AWS counts them on a day. */
function countsOf(jobs: number, of: readonly string[], date: string = day): readonly Row[] {
  const start = midnight + Date.parse(date) - Date.parse(day);
  return of.map((region) => count(jobs, { region, start_time: start, end_time: start + 86_400_000 }));
}

async function etagOf(date: string): Promise<string> {
  return (await store.read(jobsKeyOf(date)))?.etag ?? '';
}

/** Compares days; `asked` has those whose jobs the store was asked for, as often as it was. */
async function compare(dates: readonly string[], published: ReadonlyMap<string, string> = new Map()) {
  const asked: string[] = [];
  const watched: Store = {
    url: store.url,
    read: (key, signal) => {
      asked.push(...dates.filter((date) => key.includes('copy_jobs') && key.includes(date)));
      return store.read(key, signal);
    },
    head: (key, signal) => store.head(key, signal),
    list: (prefix) => store.list(prefix),
    put: (request, signal) => store.put(request, signal),
    download: (key, file, signal) => store.download(key, file, signal),
    close: async () => undefined,
  };
  const targets = regions.map((region) => ({
    target: { accountId: home, accountName: null, region },
    ...{ proven: null, counts: 'OK' as const, countedDays: new Set(dates) },
  }));
  const result = await reconcile(
    dates.map((date) => ({ day: date, stillCounting: false, targets })),
    {
      store: watched,
      buckets: 1,
      scratchFolder: join(folder, 'scratch'),
      reserve: () => () => undefined,
      log: { warn: () => undefined },
      published,
      signal: new AbortController().signal,
    },
  );
  const differing = result.slices.filter(({ differences }) => differences.length > 0);
  return {
    ...result,
    differing: differing.map((one) => `${one.day} ${one.target.region}`),
    asked: asked.sort(),
  };
}

it('is of a day that differs, with what another run has published since', async () => {
  await put(store, [job()], countsOf(1, ['eu-west-1']));
  await put(store, [job()], countsOf(1, ['eu-west-1'], second), second);
  const published = new Map([[jobsKeyOf(day), await etagOf(day)]]);
  expect(await compare([day, second], published)).toMatchObject({ differing: [], asked: [day, second] });
  // Another run replaces both parts before this one compares them.
  await put(store, [job(), job()], countsOf(2, ['eu-west-1']));
  const { asked, slices, differing } = await compare([day, second], published);
  expect(slices).toMatchObject([
    { awsJobs: 2, lakeJobs: 2 },
    { awsJobs: 1, lakeJobs: 1 },
  ]);
  expect(differing).toEqual([]);
  expect(asked).toEqual([day, day, second]);

  await put(store, [], countsOf(2, ['eu-west-1']));
  expect((await compare([day], published)).slices).toMatchObject([{ awsJobs: 2, lakeJobs: 0, missing: 2 }]);
});

it('is of days that differ in many places, too', async () => {
  const singles = regions.map((region) => job({ region }));
  await put(store, singles, countsOf(1, regions));
  const published = new Map([[jobsKeyOf(day), await etagOf(day)]]);
  await compare([day], published);
  await put(store, [...singles, ...singles], countsOf(2, regions));
  expect(await compare([day], published)).toMatchObject({ differing: [], asked: [day, day] });
});

it('is of no day if nothing was published, and too little differs for another rule', async () => {
  await put(store, regions.slice(0, 2).flatMap(family), countsOf(1, regions.slice(0, 2)));
  expect(await compare([day])).toMatchObject({
    countingRule: 'every job',
    differing: [`${day} eu-west-1`, `${day} eu-west-2`],
    asked: [day],
  });
});

it('is by all rules if more differs, of the days on which they disagree', async () => {
  await put(store, regions.flatMap(family), countsOf(1, regions));
  const singles = regions.map((region) => job({ region }));
  await put(store, singles, countsOf(1, regions, second), second);
  const { countingRule, slices, differing, asked } = await compare([day, second]);
  expect(countingRule).toBe('without children');
  expect(slices).toHaveLength(6);
  expect(slices).toMatchObject(slices.map(() => ({ awsJobs: 1, lakeJobs: 1 })));
  expect(differing).toEqual([]);
  expect(asked).toEqual([day, day, second]);
});

it('takes no rule that explains some days and contradicts as many others', async () => {
  await put(store, regions.flatMap(family), countsOf(1, regions));
  await put(store, regions.flatMap(family), countsOf(3, regions, third), third);
  const { countingRule, differing } = await compare([day, third]);
  expect(countingRule).toBe('every job');
  expect(differing).toEqual(regions.map((region) => `${day} ${region}`));
});

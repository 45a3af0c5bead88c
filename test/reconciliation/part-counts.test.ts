/** What parts add up to: by their content, and without reading again what has not changed. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { writePart } from '../../src/lake/engines/part-writer.ts';
import { partCountsKey, partKey } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import type { Group } from '../../src/reconciliation/count-part.ts';
import { total } from '../../src/reconciliation/counts.ts';
import { formatPartCounts, parsePartCounts } from '../../src/reconciliation/part-counts.ts';
import { readCounts, type Slice, sliceName } from '../../src/reconciliation/read-counts.ts';
import { reconcile } from '../../src/reconciliation/reconcile.ts';
import { LakeError } from '../../src/shared/errors.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row } from '../../src/tables/table.ts';

const day = '2026-11-20';
const midnight = Date.UTC(2026, 10, 20);
const jobsKey = partKey(copyJobs, { creation_date: day }, 0);
const countsKey = partKey(copyJobSummaries, { aggregation_period: 'ONE_DAY', start_date: day }, 0);
const [home, other] = ['111122223333', '444455556666'];

let folder: string;
let store: Store;
let lakes = 0;
let warnings: unknown[];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-counts-'));
  await mkdir(join(folder, 'scratch'));
});
afterAll(() => rm(folder, { recursive: true }));
beforeEach(async () => {
  lakes += 1;
  warnings = [];
  store = await openLocalStore({ folder: join(folder, `lake-${lakes}`), create: true });
  return () => store.close();
});

function job(change: Row = {}): Row {
  return {
    ...{ copy_job_id: 'j', account_id: home, region: 'eu-west-1', resource_type: 'EBS', state: 'COMPLETED' },
    ...{ message_category: 'SUCCESS', destination_account_id: other, destination_region: 'eu-west-2' },
    ...change,
  };
}

function count(jobs: number, change: Row = {}): Row {
  return {
    ...{ account_id: home, region: 'eu-west-1', resource_type: 'EBS', state: 'COMPLETED' },
    ...{
      message_category: 'SUCCESS',
      job_count: jobs,
      start_time: midnight,
      end_time: midnight + 86_400_000,
    },
    ...change,
  };
}

/** Replaces both parts of the day. */
async function put(jobs: readonly Row[], counts: readonly Row[]) {
  for (const [table, key, rows] of [
    [copyJobs, jobsKey, jobs],
    [copyJobSummaries, countsKey, counts],
  ] as const) {
    const file = join(store.url, key);
    await mkdir(join(file, '..'), { recursive: true });
    await writePart(table, rows, file, {});
  }
}

/** What the day adds up to, and which parts were downloaded for it. */
async function read(over: Partial<Store> = {}, published: ReadonlyMap<string, string> = new Map()) {
  const downloaded: string[] = [];
  const watched: Store = {
    url: store.url,
    read: (key, signal) => store.read(key, signal),
    head: (key, signal) => store.head(key, signal),
    list: (prefix) => store.list(prefix),
    put: (request, signal) => store.put(request, signal),
    close: async () => undefined,
    download: (key, file, signal) => {
      downloaded.push(key);
      return store.download(key, file, signal);
    },
    ...over,
  };
  const slices = new Map<string, Slice>();
  for (const account of [home, other]) {
    for (const region of ['eu-west-1', 'eu-west-2']) {
      slices.set(sliceName(account, region), { aws: new Map(), lake: new Map(), aligned: true });
    }
  }
  await readCounts(day, slices, {
    store: watched,
    buckets: 1,
    scratchFolder: join(folder, 'scratch'),
    reserve: () => () => undefined,
    log: { warn: (about: unknown) => void warnings.push(about) },
    published,
    signal: new AbortController().signal,
  });
  const sums = [...slices].flatMap(([name, { aws, lake, aligned }]) => {
    const roles = [...lake].map(([role, kinds]) => `${role} ${total(kinds)}`);
    return aws.size + roles.length === 0 ? [] : [`${name}: aws ${total(aws)} ${roles} ${aligned}`];
  });
  return { sums, downloaded };
}

/** The day of these regions, compared with AWS's counts. */
async function compared(regions: readonly string[], published: ReadonlyMap<string, string> = new Map()) {
  const targets = regions.map((region) => ({
    target: { accountId: home, accountName: null, region },
    ...{ proven: null, counts: 'OK' as const, countedDays: new Set([day]) },
  }));
  return await reconcile([{ day, stillCounting: false, targets }], {
    store,
    buckets: 1,
    scratchFolder: join(folder, 'scratch'),
    reserve: () => () => undefined,
    log: { warn: (about: unknown) => void warnings.push(about) },
    published,
    signal: new AbortController().signal,
  });
}

it('counts each part once, and again when it has changed', async () => {
  await put([job(), job({ parent_job_id: 'p' }), job({ number_of_child_jobs: 2 })], [count(3)]);
  const sums = [
    `${home}/eu-west-1: aws 3 single 1,child 1,parent 1 true`,
    `${other}/eu-west-2: aws 0 incomingSingle 1,incomingChild 1,incomingParent 1 true`,
  ];
  expect(await read()).toEqual({ sums, downloaded: [countsKey, jobsKey] });
  expect(await read()).toEqual({ sums, downloaded: [] });

  await put([job()], [count(3)]);
  const fewer = [`${home}/eu-west-1: aws 3 single 1 true`, `${other}/eu-west-2: aws 0 incomingSingle 1 true`];
  // The counts' part was written again with the same content.
  expect(await read()).toEqual({ sums: fewer, downloaded: [jobsKey] });
  expect(await read()).toEqual({ sums: fewer, downloaded: [] });
  await rm(join(store.url, jobsKey));
  expect(await read()).toEqual({ sums: [`${home}/eu-west-1: aws 3  true`], downloaded: [] });
  expect(warnings).toEqual([]);
});

it('does not ask the store for the ETag of a part that the run has just published', async () => {
  await put([job()], [count(1)]);
  const good = await read();
  const asked: string[] = [];
  const head: Store['head'] = (key, signal) => {
    asked.push(key);
    return store.head(key, signal);
  };
  const etag = (await store.read(jobsKey))?.etag ?? '';
  expect(await read({ head }, new Map([[jobsKey, etag]]))).toEqual({ ...good, downloaded: [] });
  expect(asked).toEqual([countsKey]);

  // Another run has replaced it since.
  await put([job(), job()], [count(1)]);
  const { sums } = await read();
  await rm(join(store.url, partCountsKey(jobsKey)));
  expect(await read({ head }, new Map([[jobsKey, etag]]))).toEqual({ sums, downloaded: [jobsKey] });
  expect(await read()).toEqual({ sums, downloaded: [] });
});

it('compares a day that differs again, with what the lake has then', async () => {
  await put([job()], [count(1)]);
  const publishedEtag = (await store.read(jobsKey))?.etag ?? '';
  await read();
  // Another run replaces both parts before this one compares them.
  await put([job(), job()], [count(2)]);
  const published = new Map([[jobsKey, publishedEtag]]);
  const { slices } = await compared(['eu-west-1'], published);
  expect(slices).toMatchObject([{ awsJobs: 2, lakeJobs: 2, differences: [] }]);

  await put([], [count(2)]);
  const { slices: later } = await compared(['eu-west-1'], published);
  expect(later).toMatchObject([{ awsJobs: 2, lakeJobs: 0, missing: 2 }]);
});

it('takes another rule if that explains what differs in several places', async () => {
  const regions = ['eu-west-1', 'eu-west-2', 'eu-west-3'];
  const family = (region: string) => [
    job({ region, number_of_child_jobs: 2, destination_region: region }),
    job({ region, parent_job_id: 'p' }),
    job({ region, parent_job_id: 'p' }),
  ];
  const ofParents = regions.map((region) => count(1, { region }));
  await put(regions.flatMap(family), ofParents);
  const { countingRule, slices } = await compared(regions);
  expect(countingRule).toBe('without children');
  expect(slices).toMatchObject(regions.map(() => ({ awsJobs: 1, lakeJobs: 1, differences: [] })));

  // In two places, it may be by chance.
  await put(regions.slice(0, 2).flatMap(family), ofParents.slice(0, 2));
  const { countingRule: first, slices: ofTwo } = await compared(regions);
  expect(first).toBe('every job');
  expect(ofTwo).toMatchObject([{ surplus: 2 }, { surplus: 2 }]);
});

it('knows a count of another time from the day’s', async () => {
  await put([], [count(3), count(4, { start_time: midnight + 3_600_000 })]);
  const sums = [`${home}/eu-west-1: aws 7  false`];
  expect(await read()).toMatchObject({ sums });
  expect(await read()).toEqual({ sums, downloaded: [] });
});

it('counts again if the ledger’s counts are damaged, lost, of another part, or cannot be read', async () => {
  await put([job()], [count(1)]);
  const good = await read();
  const kept = join(store.url, partCountsKey(jobsKey));
  const bytes = await readFile(kept);
  const again = async () => {
    expect(await read()).toEqual({ ...good, downloaded: [jobsKey] });
    expect(await readFile(kept)).toEqual(bytes);
  };
  await writeFile(kept, bytes.toString().replace('"COMPLETED"', '"FAILED"'));
  await again();
  await rm(kept);
  await again();
  await writeFile(kept, await readFile(join(store.url, partCountsKey(countsKey))));
  await again();
  expect(warnings).toEqual([]);

  const refuse = async () => {
    throw new LakeError('The store refuses this', 'Ask its owner.');
  };
  expect(await read({ read: refuse, put: refuse })).toEqual({ ...good, downloaded: [countsKey, jobsKey] });
  expect(warnings).toHaveLength(4);
});

it('keeps every group as it was', () => {
  const text = fc.option(fc.constantFrom('', 'a', 'ä😀', '"', '\n'), { nil: null });
  const group: fc.Arbitrary<Group> = fc.record({
    texts: fc.tuple(text, text, text, text, text, text, text, text),
    jobs: fc.nat(),
  });
  fc.assert(
    fc.property(fc.array(group), fc.string(), (groups, partEtag) => {
      const counts = { partEtag, groups };
      const bytes = formatPartCounts(counts, jobsKey);
      expect(parsePartCounts(bytes, jobsKey)).toEqual(counts);
      expect(parsePartCounts(bytes, countsKey)).toBeNull();
      expect(parsePartCounts(bytes.subarray(1), jobsKey)).toBeNull();
    }),
  );
});

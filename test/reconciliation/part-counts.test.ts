/** What parts add up to: by their content, and without reading again what has not changed. */
import { mkdir, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { partCountsKey } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import type { Group } from '../../src/reconciliation/count-part.ts';
import { total } from '../../src/reconciliation/counts.ts';
import { formatPartCounts, parsePartCounts } from '../../src/reconciliation/part-counts.ts';
import { readCounts, type Slice, sliceName } from '../../src/reconciliation/read-counts.ts';
import { LakeError } from '../../src/shared/errors.ts';
import { count, countsKeyOf, day, home, job, jobsKeyOf, midnight, other, put } from './made-days.ts';

const jobsKey = jobsKeyOf(day);
const countsKey = countsKeyOf(day);

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

it('counts each part once, and again when it has changed', async () => {
  await put(store, [job(), job({ parent_job_id: 'p' }), job({ number_of_child_jobs: 2 })], [count(3)]);
  const sums = [
    `${home}/eu-west-1: aws 3 single 1,child 1,parent 1 true`,
    `${other}/eu-west-2: aws 0 incomingSingle 1,incomingChild 1,incomingParent 1 true`,
  ];
  expect(await read()).toEqual({ sums, downloaded: [countsKey, jobsKey] });
  expect(await read()).toEqual({ sums, downloaded: [] });

  await put(store, [job()], [count(3)]);
  const fewer = [`${home}/eu-west-1: aws 3 single 1 true`, `${other}/eu-west-2: aws 0 incomingSingle 1 true`];
  // The counts' part was written again with the same content.
  expect(await read()).toEqual({ sums: fewer, downloaded: [jobsKey] });
  expect(await read()).toEqual({ sums: fewer, downloaded: [] });
  await rm(join(store.url, jobsKey));
  expect(await read()).toEqual({ sums: [`${home}/eu-west-1: aws 3  true`], downloaded: [] });
  expect(warnings).toEqual([]);
});

it('does not ask the store for the ETag of a part that the run has just published', async () => {
  await put(store, [job()], [count(1)]);
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
  await put(store, [job(), job()], [count(1)]);
  const { sums } = await read();
  await rm(join(store.url, partCountsKey(jobsKey)));
  expect(await read({ head }, new Map([[jobsKey, etag]]))).toEqual({ sums, downloaded: [jobsKey] });
  expect(await read()).toEqual({ sums, downloaded: [] });
});

it('knows a count of another time from the day’s', async () => {
  await put(store, [], [count(3), count(4, { start_time: midnight + 3_600_000 })]);
  const sums = [`${home}/eu-west-1: aws 7  false`];
  expect(await read()).toMatchObject({ sums });
  expect(await read()).toEqual({ sums, downloaded: [] });
});

it('counts again if the ledger’s counts are damaged, lost, of another part, or cannot be read', async () => {
  await put(store, [job()], [count(1)]);
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

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import type { Engine } from '../../src/lake/engines/engine.ts';
import { openEngine } from '../../src/lake/engines/open-engine.ts';
import { KeptDigests } from '../../src/lake/kept-digests.ts';
import { rowDigestsKey } from '../../src/lake/layout.ts';
import { RowLineDigests } from '../../src/lake/line-digests.ts';
import { publishChanges } from '../../src/lake/publish-changes.ts';
import { lineOf } from '../../src/lake/staged-line.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { LakeError } from '../../src/shared/errors.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row, Table } from '../../src/tables/table.ts';
import { writeOf } from './stores/described-store.ts';

const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const digestsKey = rowDigestsKey(key);
const day = Date.UTC(2026, 10, 20);

let folder: string;
let engine: Engine;
let store: Store;
let merges = 0;
let lakes = 0;
const warnings: unknown[] = [];

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-changes-'));
  await mkdir(join(folder, 'scratch'));
  engine = await openEngine('duckdb', { memoryLimitBytes: 256 * 2 ** 20, scratch: folder });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});
beforeEach(async () => {
  lakes += 1;
  store = await openLocalStore({ folder: join(folder, `lake-${lakes}`), create: true });
  warnings.length = 0;
  return () => store.close();
});

/** Publishes jobs by their states, and says how: by a merge, and whether anything was written. */
async function publish(states: Readonly<Record<string, string>>, seenAt = day, over: Store = store) {
  const rows = Object.entries(states).map(([id, state]) => ({
    ...{ copy_job_id: id, account_id: '111122223333', state, creation_time: day, region: 'eu-west-1' },
    ...{ first_observed_at: seenAt, observed_at: seenAt, run_id: 'run' },
  }));
  return await publishRows(copyJobs, { creation_date: '2026-11-20' }, rows, over);
}

async function publishRows(
  table: Table,
  partition: Readonly<Record<string, string>>,
  lines: readonly Row[],
  over: Store = store,
) {
  const staged = join(folder, 'staged.csv');
  const [digests, texts] = [new RowLineDigests(), [] as string[]];
  for (const row of lines) {
    const [compared, rest] = lineOf(table, row);
    texts.push(`${compared}${rest}\n`);
    digests.add(table, row, compared);
  }
  await writeFile(staged, texts.join(''));
  const kept = new KeptDigests(join(folder, 'digests'));
  kept.add(digests);
  const before = merges;
  let told = 0;
  const counting = {
    ...engine,
    merge: (request: Parameters<Engine['merge']>[0]) => {
      merges += 1;
      return engine.merge(request);
    },
  };
  const { outcome, read, written } = await publishChanges(
    {
      ...{ store: over, engine: counting, table, partition },
      ...{ bucket: 0, buckets: 1, staged: [staged], stagedRows: lines.length, digests: kept },
      ...{ scratchFolder: join(folder, 'scratch'), runId: 'run', metadata: {}, random: () => 0 },
      ...{ sleep: async () => undefined, maxAttempts: 3, latest: () => day * 2 },
      onMerge: () => {
        told += merges === before ? 1 : 2;
      },
    },
    { warn: (about: unknown) => void warnings.push(about) },
  );
  // Once, and before the merge.
  expect(told).toBe(merges > before ? 1 : 0);
  const { fate: _, ...counts } = outcome;
  return { merged: merges - before, counts, read, written };
}

function delegating(change: Partial<Store>): Store {
  const { url } = store;
  return {
    url,
    download: (name, file) => store.download(name, file),
    read: (name) => store.read(name),
    head: (name) => store.head(name),
    list: (prefix) => store.list(prefix),
    put: (request) => store.put(request),
    close: async () => undefined,
    ...change,
  };
}

const done = { a: 'COMPLETED', b: 'FAILED' };

it('neither reads nor merges a part that has the rows already', async () => {
  const first = await publish(done);
  expect(first.merged).toBe(1);
  const downloads: string[] = [];
  const watched = delegating({
    download: (name, file) => {
      downloads.push(name);
      return store.download(name, file);
    },
  });
  const again = await publish(done, day + 1, watched);
  expect(again).toEqual({
    merged: 0,
    counts: { changed: false, rows: 2, added: 0, updated: 0, unchanged: 2, removed: 0 },
    read: { bytes: first.written?.bytes, sha256: first.written?.sha256 },
    written: null,
  });
  expect(downloads).toEqual([]);
  expect(await publish({ a: 'COMPLETED' })).toMatchObject({ merged: 0, counts: { rows: 2, unchanged: 1 } });
});

it('merges what is new, and knows it from then on', async () => {
  await publish({ a: 'RUNNING', b: 'RUNNING' });
  const next = await publish({ a: 'COMPLETED', c: 'RUNNING' }, day + 1);
  expect(next).toMatchObject({ merged: 1, counts: { added: 1, updated: 1, rows: 3 } });
  expect(await publish({ a: 'COMPLETED', b: 'RUNNING', c: 'RUNNING' }, day + 2)).toMatchObject({ merged: 0 });
  // What the part no longer shows.
  expect(await publish({ c: 'CREATED' }, day + 3)).toMatchObject({ merged: 1, counts: { updated: 1 } });
});

it('merges when the part is another, is gone, or its digests are damaged or lost', async () => {
  await publish(done);
  const [part, digests] = [await store.read(key), await store.read(digestsKey)];
  await publish({ c: 'FAILED' });
  const other = (await store.read(key))?.etag ?? '';
  // Somebody restores the earlier version; its digests are gone.
  await store.put(writeOf(key, Buffer.from(part?.bytes ?? []), { ifMatch: other }));
  expect(await publish(done)).toMatchObject({ merged: 1, written: null });
  expect(await publish(done)).toMatchObject({ merged: 0 });

  const etag = (await store.read(digestsKey))?.etag ?? '';
  await store.put(writeOf(digestsKey, 'damaged', { ifMatch: etag }));
  expect(await publish(done)).toMatchObject({ merged: 1, written: null });
  expect(await publish(done)).toMatchObject({ merged: 0 });

  // An earlier version's, as the lake holds them when this one comes.
  const kept = Buffer.from((await store.read(digestsKey))?.bytes ?? []);
  const [text = ''] = kept.toString('latin1', 65).split('\n');
  const head = text.replace('"format":2', '"format":1');
  const entries = kept.subarray(text.length + 66);
  const sha256 = createHash('sha256').update(head).update(entries).digest('hex');
  await writeFile(join(store.url, digestsKey), Buffer.concat([Buffer.from(`${sha256} ${head}\n`), entries]));
  expect(head).toContain('"format":1');
  expect(await publish(done)).toMatchObject({ merged: 1, written: null });
  expect(await publish(done)).toMatchObject({ merged: 0 });

  await rm(join(store.url, key));
  expect(await publish(done)).toMatchObject({ merged: 1, counts: { added: 2 } });
  await rm(join(store.url, digestsKey));
  expect(await publish(done)).toMatchObject({ merged: 1, written: null });
  expect(digests).not.toBeNull();
  expect(warnings).toEqual([]);
});

it('makes one row of a new part from those of one job, and one slice from several drains', async () => {
  const count = (state: string, seenAt: number): Row => ({
    ...{ account_id: '111122223333', region: 'eu-west-1', state, job_count: 1, start_time: day },
    ...{ first_observed_at: seenAt, observed_at: seenAt, run_id: 'run' },
  });
  const counts = { aggregation_period: 'ONE_DAY', start_date: '2026-11-20' };
  const drains = [count('RUNNING', day), count('COMPLETED', day + 1), count('FAILED', day + 1)];
  expect((await publishRows(copyJobSummaries, counts, drains)).counts).toMatchObject({ rows: 2, added: 2 });
  const job = (state: string): Row => ({
    ...{ copy_job_id: 'a', account_id: '111122223333', state, creation_time: day, region: 'eu-west-1' },
    ...{ first_observed_at: day, observed_at: day, run_id: 'run' },
  });
  const ofJobs = { creation_date: '2026-11-20' };
  const twice = await publishRows(copyJobs, ofJobs, [job('RUNNING'), job('COMPLETED')]);
  expect(twice.counts).toMatchObject({ rows: 1, added: 1 });
});

it('finds a damaged part, as a merge does', async () => {
  await publish(done);
  await writeFile(join(store.url, key), 'not a part');
  await expect(publish(done)).rejects.toThrow(/is damaged: it is not a complete Parquet file/);
});

it('publishes the part if the digests can be neither read nor kept', async () => {
  const refuse = async () => {
    throw new LakeError('The store refuses this', 'Ask its owner.');
  };
  const refusing = delegating({
    read: (name) => (name === digestsKey ? refuse() : store.read(name)),
    put: (request) => (request.key === digestsKey ? refuse() : store.put(request)),
  });
  expect(await publish(done, day, refusing)).toMatchObject({ merged: 1, counts: { added: 2 } });
  expect(warnings).toHaveLength(2);
  expect(await publish(done, day, refusing)).toMatchObject({ merged: 1, written: null });
});

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { openLake } from '../../src/lake/lake.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { PutRequest, Store } from '../../src/lake/stores/store.ts';
import { LakeError, UsageError } from '../../src/shared/errors.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../src/tables/export-reconciliation.ts';
import { writeOf } from './stores/described-store.ts';

const tables = [copyJobs, copyJobSummaries, exportCoverage, exportReconciliation];
const newerTables = [
  { ...copyJobs, schemaVersion: copyJobs.schemaVersion + 1 },
  copyJobSummaries,
  exportCoverage,
  exportReconciliation,
];

/** The same store, but for what it makes of a write's condition. */
function forgetful(store: Store, forgets: (request: PutRequest) => boolean): Store {
  return {
    url: store.url,
    download: store.download.bind(store),
    read: store.read.bind(store),
    head: store.head.bind(store),
    list: store.list.bind(store),
    close: store.close.bind(store),
    async put(request, signal) {
      if (!forgets(request)) return await store.put(request, signal);
      for (;;) {
        const found = await store.read(request.key);
        const condition = found === null ? ({ ifAbsent: true } as const) : { ifMatch: found.etag };
        const outcome = await store.put({ ...request, condition }, signal);
        if (outcome.written) return outcome;
      }
    },
  };
}

describe('opening a lake', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = join(await mkdtemp(join(tmpdir(), 'bce-lake-')), 'lake');
    store = await openLocalStore({ folder, create: true });
  });
  afterEach(async () => {
    await store.close();
    await rm(join(folder, '..'), { recursive: true, force: true });
  });

  const open = (change: Partial<Parameters<typeof openLake>[0]> = {}) =>
    openLake({
      store,
      buckets: null,
      allowUnsafeStore: false,
      runId: 'run-1',
      programVersion: '1.2.3',
      now: '2026-11-21T00:00:00.000Z',
      mode: 'write',
      ...change,
    });
  const keys = async () => {
    const found: string[] = [];
    for await (const key of store.list('')) found.push(key);
    return found;
  };
  const rewrite = async (change: object) => {
    const found = await store.read('_ledger/lake.json');
    const record = JSON.parse(Buffer.from(found?.bytes ?? '').toString());
    const text = JSON.stringify({ ...record, ...change });
    await store.put(writeOf('_ledger/lake.json', text, { ifMatch: found?.etag ?? '' }));
  };

  it('makes one that is not there, and says what it is made of', async () => {
    const lake = await open({ buckets: 4 });
    expect(lake).toMatchObject({ buckets: 4, isNew: true });
    expect(lake.record).toEqual({
      format_version: 1,
      schema_versions: {
        copy_jobs: copyJobs.schemaVersion,
        copy_job_summaries: copyJobSummaries.schemaVersion,
        export_coverage: exportCoverage.schemaVersion,
        export_reconciliation: exportReconciliation.schemaVersion,
      },
      buckets: 4,
      bucket_hash: 'sha256-first4-be',
      created_at: '2026-11-21T00:00:00.000Z',
      created_by_run: 'run-1',
      created_by_version: '1.2.3',
      unsafe_store: false,
      multipart: true,
    });
    expect(await open({ runId: 'run-2' })).toMatchObject({ buckets: 4, isNew: false, record: lake.record });
  });

  it('writes nothing to read, whether there is a lake or not', async () => {
    expect(await open({ mode: 'read' })).toMatchObject({ buckets: 1, isNew: true });
    expect(await keys()).toEqual([]);
    await open();
    const before = await store.read('_ledger/probe.json');
    expect(await open({ mode: 'read' })).toMatchObject({ isNew: false });
    expect(await store.read('_ledger/probe.json')).toEqual(before);
  });

  it('is made by one of many runs that come at once, and known to all', async () => {
    const lakes = await Promise.all(Array.from({ length: 6 }, (_, n) => open({ runId: `run-${n}` })));
    expect(lakes.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(new Set(lakes.map(({ record }) => record.created_by_run)).size).toBe(1);
  });

  it('refuses another bucket count than the lake has', async () => {
    await open({ buckets: 2 });
    expect(await open({ buckets: 2 })).toMatchObject({ buckets: 2 });
    await expect(open({ buckets: 3 })).rejects.toThrow(UsageError);
    await expect(open({ buckets: 3, mode: 'read' })).rejects.toThrow(UsageError);
  });

  it.each([
    ['format', { format_version: 2 }],
    ['schema', { schema_versions: { copy_jobs: 99 } }],
    ['table', { schema_versions: { copy_jobs: 1, restore_jobs: 1 } }],
    ['hash', { bucket_hash: 'crc32' }],
  ])('refuses a lake of a newer program, by its %s, and writes nothing', async (_, change) => {
    await open();
    await rewrite(change);
    const before = await store.read('_ledger/probe.json');
    for (const mode of ['write', 'read'] as const) {
      await expect(open({ mode })).rejects.toThrow(LakeError);
      await expect(open({ mode })).rejects.toThrow(/newer program wrote/);
    }
    expect(await store.read('_ledger/probe.json')).toEqual(before);
  });

  it('raises the schema version of an older lake, and the older program refuses it from then on', async () => {
    await open({ tables });
    await open({ tables: newerTables, mode: 'read' });
    await expect(open({ tables })).resolves.toMatchObject({ isNew: false });
    expect((await open({ tables: newerTables })).record.schema_versions.copy_jobs).toBe(
      copyJobs.schemaVersion + 1,
    );
    await expect(open({ tables })).rejects.toThrow(/newer program wrote/);
  });

  it.each([
    ['buckets', { buckets: 2 }],
    ['created_by_version', { created_by_version: '9.9.9' }],
    ['unsafe_store', { unsafe_store: true }],
    ['multipart', { multipart: false }],
    ['schema_versions', { schema_versions: { copy_jobs: 1, copy_job_summaries: 1 } }],
    ['a field that nobody knows', { note: 'moved to the new bucket' }],
    ['sha256', { sha256: '0'.repeat(64) }],
  ])('refuses a record that was edited: %s', async (_, change) => {
    await open();
    await rewrite(change);
    const before = await store.read('_ledger/lake.json');
    for (const mode of ['write', 'read'] as const) {
      await expect(open({ mode })).rejects.toThrow(/lake\.json in .* is damaged: it was edited/);
    }
    expect(await store.read('_ledger/lake.json')).toEqual(before);
  });

  it('takes a record that was only indented anew', async () => {
    await open();
    const found = await store.read('_ledger/lake.json');
    const record: Record<string, unknown> = JSON.parse(Buffer.from(found?.bytes ?? '').toString());
    const turned = JSON.stringify(Object.fromEntries(Object.entries(record).reverse()));
    await store.put(writeOf('_ledger/lake.json', turned, { ifMatch: found?.etag ?? '' }));
    expect(await open()).toMatchObject({ isNew: false });
  });

  it('refuses a record that says one thing twice', async () => {
    await open();
    const found = await store.read('_ledger/lake.json');
    const text = Buffer.from(found?.bytes ?? '')
      .toString()
      .replace('{', '{"buckets": 7,');
    await store.put(writeOf('_ledger/lake.json', text, { ifMatch: found?.etag ?? '' }));
    await expect(open()).rejects.toThrow(/damaged: it says buckets twice/);
  });

  it('refuses a record with any further name as one that was edited', async () => {
    await open();
    const found = await store.read('_ledger/lake.json');
    const text = Buffer.from(found?.bytes ?? '')
      .toString()
      .replace('{', '{"note (mine)": 1, "*": 2, "a\\"b(": 3,');
    await store.put(writeOf('_ledger/lake.json', text, { ifMatch: found?.etag ?? '' }));
    await expect(open()).rejects.toThrow(LakeError);
    await expect(open()).rejects.toThrow(/damaged: it was edited/);
  });

  describe('that an older program made, without a seal', () => {
    const unsealed = async (change: object = {}) => {
      await open();
      await rewrite({ sha256: undefined, ...change });
    };
    const watermarks = (names: readonly string[]) =>
      JSON.stringify({ format: 1, targets: Object.fromEntries(names.map((name) => [name, {}])) });

    it('is sealed by the first program that writes, and read as it is by one that reads', async () => {
      await unsealed();
      const before = await store.read('_ledger/lake.json');
      expect(await open({ mode: 'read' })).toMatchObject({ buckets: 1 });
      expect(await store.read('_ledger/lake.json')).toEqual(before);
      await open();
      await rewrite({ buckets: 2 });
      await expect(open()).rejects.toThrow(/it was edited/);
    });

    it('is refused when watermarks contradict its bucket count', async () => {
      const accounts = ['111122223333', '444455556666', '777788889999', '000000000001'];
      await unsealed();
      await store.put(
        writeOf(
          '_ledger/watermarks/00000.json',
          watermarks(accounts.map((account) => `copy_jobs/${account}/us-east-1`)),
          { ifAbsent: true },
        ),
      );
      expect(await open()).toMatchObject({ buckets: 1 });
      await rewrite({ sha256: undefined, buckets: 2 });
      await expect(open()).rejects.toThrow(
        /damaged: it says 2 buckets, but account \d{12} is stored in bucket 0/,
      );
      await rewrite({ sha256: undefined, buckets: 1 });
      expect(await open()).toMatchObject({ buckets: 1 });
      await store.put(
        writeOf('_ledger/watermarks/00001.json', watermarks([`copy_jobs/${accounts[0]}/x`]), {
          ifAbsent: true,
        }),
      );
      await rewrite({ sha256: undefined });
      await expect(open()).rejects.toThrow(
        /it says 1 bucket, but account 111122223333 is stored in bucket 1/,
      );
    });

    it.each([0, -1, 1.5, 1025, 1e9, '1', null])('is refused with %j buckets', async (buckets) => {
      await unsealed({ buckets });
      await expect(open()).rejects.toThrow(/damaged: buckets is/);
    });
  });

  it.each(['', 'null', '{"format_version":1}', '{"format_version":1,"schema_versions":{},"buckets":0}'])(
    'refuses a record that is damaged: %j',
    async (text) => {
      await open();
      const etag = (await store.read('_ledger/lake.json'))?.etag ?? '';
      await store.put(writeOf('_ledger/lake.json', text, { ifMatch: etag }));
      await expect(open()).rejects.toThrow(/damaged/);
    },
  );

  it.each(['copy_jobs/creation_date=2026-11-20/part-00000.parquet', '_ledger/runs/2026-11-20/r.json'])(
    'does not guess how %s was cut when lake.json is gone',
    async (key) => {
      await store.put(writeOf(key, 'x', { ifAbsent: true }));
      await expect(open()).rejects.toThrow(/no _ledger\/lake\.json/);
      await expect(open({ mode: 'read' })).rejects.toThrow(LakeError);
      expect(await keys()).toEqual([key]);
    },
  );

  it.each<[string, (request: PutRequest) => boolean]>([
    ['creates over what is there', ({ condition }) => 'ifAbsent' in condition],
    ['replaces what has changed', ({ condition }) => 'ifMatch' in condition],
    ['ignores every condition', () => true],
  ])('refuses a store that %s, unless a person insists', async (_, forgets) => {
    const unsafe = forgetful(store, forgets);
    const refused = open({ store: unsafe });
    await expect(refused).rejects.toThrow(LakeError);
    await expect(refused).rejects.toThrow(/--allow-unsafe-store/);
    expect(await store.read('_ledger/lake.json')).toBeNull();

    const insisted = await open({ store: unsafe, allowUnsafeStore: true });
    expect(insisted.record.unsafe_store).toBe(true);
    await expect(open({ store: unsafe })).rejects.toThrow(/--allow-unsafe-store/);
    expect(await open({ store: unsafe, allowUnsafeStore: true })).toMatchObject({ isNew: false });
    expect(await open()).toMatchObject({ isNew: false });
  });

  it('sends everything in one piece to a store that ignores conditions on uploads in parts', async () => {
    const half = forgetful(store, ({ multipart }) => multipart !== false && multipart !== undefined);
    const made = await open({ store: half });
    expect(made.record).toMatchObject({ unsafe_store: false, multipart: false });
    const reopened = await open({ store: half });
    for (const lake of [made, reopened]) {
      await lake.store.put(writeOf('parts/a', 'x', { ifAbsent: true }));
      expect(
        await lake.store.put({ ...writeOf('parts/a', 'y', { ifAbsent: true }), multipart: true }),
      ).toEqual({
        written: false,
      });
    }
  });

  it('asks a store for its time that takes everything in one piece', async () => {
    const seen = { who: 'the store', epochMs: 1, at: 1, isAws: false };
    const half: Store = {
      ...forgetful(store, ({ multipart }) => multipart !== false && multipart !== undefined),
      lastSeen: () => seen,
    };
    expect((await open({ store: half })).store.lastSeen?.()).toBe(seen);
  });

  it('refuses a store that lets two of several replace the same object', async () => {
    let held: PutRequest[] = [];
    // Looks at the condition first and writes later: each of two at once finds it fulfilled.
    const racy: Store = {
      ...forgetful(store, () => false),
      async put(request, signal) {
        const found = await store.read(request.key);
        const { condition } = request;
        const fits = 'ifMatch' in condition ? found?.etag === condition.ifMatch : found === null;
        if (!fits) return { written: false };
        held = [...held, request];
        await new Promise((resolve) => setTimeout(resolve, 50));
        return await forgetful(store, () => true).put(request, signal);
      },
    };
    await expect(open({ store: racy })).rejects.toThrow(/not atomic/);
    expect(held.length).toBeGreaterThan(2);
  });

  it('finds out that it cannot write before anything else is done', async () => {
    await open();
    const refusing: Store = {
      ...forgetful(store, () => false),
      put: async () => {
        throw new LakeError('s3://x could not be written', 'Allow s3:PutObject.');
      },
    };
    await expect(open({ store: refusing })).rejects.toThrow(/s3:PutObject/);
    expect(await open({ store: refusing, mode: 'read' })).toMatchObject({ isNew: false });
  });

  it('makes no folder to read one that is not there', async () => {
    const elsewhere = join(folder, '..', 'elsewhere');
    const reader = await openLocalStore({ folder: elsewhere, create: false });
    expect(await open({ store: reader, mode: 'read' })).toMatchObject({ isNew: true });
    expect(await readdir(join(folder, '..'))).toEqual(['lake']);
  });
});

import { createHash } from 'node:crypto';
import { mkdir, mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { Engine, MergeRequest } from '../../src/lake/engines/engine.ts';
import { publishPart } from '../../src/lake/publish.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { PutRequest, Store } from '../../src/lake/stores/store.ts';
import { EngineError, LakeError } from '../../src/shared/errors.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { writeOf } from './stores/described-store.ts';

const key = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const nothing = { updated: 0, unchanged: 0, removed: 0 };

/** Parts are sorted lines of text: enough to see whether a row was lost. What real engines do is their own test. */
function lineEngine(): Engine & { readonly merges: MergeRequest[] } {
  const merges: MergeRequest[] = [];
  const linesOf = async (file: string) => (await readFile(file, 'utf8')).split('\n').filter(Boolean);
  return {
    name: 'duckdb',
    merges,
    async merge(request) {
      merges.push(request);
      const before = request.existing === null ? [] : await linesOf(request.existing);
      const staged = (await Promise.all(request.staged.map(linesOf))).flat();
      const rows = [...new Set([...before, ...staged])].sort();
      const added = rows.length - before.length;
      if (added > 0) await writeFile(request.output, rows.join('\n'));
      return { ...nothing, changed: added > 0, rows: rows.length, added };
    },
    close: async () => undefined,
  };
}

describe('publishing a part', () => {
  let folder: string;
  let scratchFolder: string;
  let store: Store;
  let puts: PutRequest[];
  let beforePut: (request: PutRequest) => Promise<void>;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-publish-'));
    scratchFolder = join(folder, 'scratch');
    await mkdir(scratchFolder);
    const local = await openLocalStore({ folder: join(folder, 'lake'), create: true });
    puts = [];
    beforePut = async () => undefined;
    store = {
      url: local.url,
      download: local.download.bind(local),
      read: local.read.bind(local),
      head: local.head.bind(local),
      list: local.list.bind(local),
      close: local.close.bind(local),
      async put(request, signal) {
        puts.push(request);
        await beforePut(request);
        return await local.put(request, signal);
      },
    };
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  let files = 0;
  const publish = async (rows: string[], change: Partial<Parameters<typeof publishPart>[0]> = {}) => {
    files += 1;
    const staged = join(folder, `${files}.csv`);
    await writeFile(staged, rows.join('\n'));
    return await publishPart({
      store,
      engine: lineEngine(),
      table: copyJobs,
      partition: { creation_date: '2026-11-20' },
      bucket: 0,
      buckets: 1,
      staged: [staged],
      scratchFolder,
      runId: 'run-1',
      metadata: { program_version: '1.2.3' },
      random: () => 0.5,
      sleep: async () => undefined,
      maxAttempts: 5,
      ...change,
    });
  };
  const published = async () =>
    Buffer.from((await store.read(key))?.bytes ?? '')
      .toString()
      .split('\n');

  it('creates a part, and tells its size, hash and etags', async () => {
    const engine = lineEngine();
    const outcome = await publish(['a', 'b'], { engine });
    expect(await published()).toEqual(['a', 'b']);
    const sha256 = createHash('sha256').update('a\nb').digest('hex');
    expect(outcome).toEqual({
      key,
      outcome: { ...nothing, changed: true, rows: 2, added: 2 },
      read: null,
      written: { bytes: 3, sha256, etagBefore: null, etagAfter: sha256 },
      etag: sha256,
      latest: null,
    });
    const [merge] = engine.merges;
    const [put] = puts;
    expect(merge).toMatchObject({ existing: null, partition: { creation_date: '2026-11-20' } });
    expect(merge?.metadata).toEqual({
      program_version: '1.2.3',
      run_id: 'run-1',
      write_id: put?.writeId,
      table: 'copy_jobs',
      partition: 'creation_date=2026-11-20',
      bucket: '0',
      buckets: '1',
      schema_version: String(copyJobs.schemaVersion),
    });
    expect(put?.metadata).toEqual({
      'program-version': '1.2.3',
      'run-id': 'run-1',
      'write-id': put?.writeId,
      table: 'copy_jobs',
      partition: 'creation_date=2026-11-20',
      bucket: '0',
      buckets: '1',
      'schema-version': String(copyJobs.schemaVersion),
      sha256,
    });
  });

  it('replaces a part on the condition that it is the one that was merged', async () => {
    const first = await publish(['a']);
    const second = await publish(['b']);
    expect(second.written?.etagBefore).toBe(first.written?.etagAfter);
    expect(puts[1]?.condition).toEqual({ ifMatch: first.written?.etagAfter });
    expect(puts[1]?.writeId).not.toBe(puts[0]?.writeId);
    expect(await published()).toEqual(['a', 'b']);
  });

  it('writes nothing when nothing changes', async () => {
    await publish(['a']);
    const again = await publish(['a']);
    expect(again.written).toBeNull();
    expect(again.outcome.changed).toBe(false);
    expect(puts).toHaveLength(1);
  });

  it('begins again with what another published in between, and loses no row of either', async () => {
    await publish(['a']);
    let others = 2;
    beforePut = async () => {
      if (others === 0) return;
      others -= 1;
      const found = await store.read(key);
      const text = `${Buffer.from(found?.bytes ?? '').toString()}\nother ${others}`;
      const write = writeOf(key, text, { ifMatch: found?.etag ?? '' });
      const local = await openLocalStore({ folder: join(folder, 'lake'), create: true });
      await local.put(write);
      await local.close();
    };
    const before = puts.length;
    await publish(['b']);
    expect(puts.length - before).toBe(3);
    expect(await published()).toEqual(['a', 'b', 'other 0', 'other 1']);
    expect(new Set(puts.map(({ writeId }) => writeId)).size).toBe(puts.length);
  });

  it('loses no row of ten who publish at once', async () => {
    const rows = Array.from({ length: 10 }, (_, n) => `row ${n}`);
    await Promise.all(rows.map((row) => publish([row], { maxAttempts: 50 })));
    expect(await published()).toEqual(rows);
  });

  it('is ended by the signal’s own reason while it waits for another try', async () => {
    const losing = { ...store, put: async () => ({ written: false as const }) };
    const reason = new Error('the run has to end');
    const stop = new AbortController();
    const pause = (ms: number, signal?: AbortSignal) => {
      queueMicrotask(() => stop.abort(reason));
      return sleep(ms + 60_000, undefined, { ...(signal && { signal }) });
    };
    await expect(publish(['a'], { store: losing, sleep: pause, signal: stop.signal })).rejects.toBe(reason);
  });

  it('gives up after so many attempts, with pauses that grow and are bounded', async () => {
    const pauses: number[] = [];
    const losing: Store = { ...store, put: async () => ({ written: false }) };
    const sleep = async (ms: number) => void pauses.push(ms);
    const failed = publish(['a'], { store: losing, maxAttempts: 9, sleep, random: () => 1 });
    await expect(failed).rejects.toThrow(LakeError);
    await expect(failed).rejects.toThrow(/Other runs replaced .* 9 times/);
    expect(pauses).toEqual([200, 400, 800, 1600, 3200, 6400, 10_000, 10_000]);
    expect(await readdir(scratchFolder)).toEqual([]);
  });

  it('leaves no file in scratch and no room reserved, however it ends', async () => {
    let reserved = 0;
    const reserve = (bytes: number) => {
      reserved += bytes;
      return () => {
        reserved -= bytes;
      };
    };
    await publish(['a'], { reserve });
    await publish(['b'], { reserve });
    const engine: Engine = {
      ...lineEngine(),
      merge: async ({ output }) => {
        await writeFile(output, 'half');
        throw new EngineError('The part cannot be read', 'Restore it.');
      },
    };
    // The parts of this engine are no Parquet files, so it is the published one that is blamed.
    await expect(publish(['c'], { reserve, engine })).rejects.toThrow(/part-00000\.parquet in .* is damaged/);
    expect(reserved).toBe(0);
    expect(await readdir(scratchFolder)).toEqual([]);
    expect(await published()).toEqual(['a', 'b']);
  });

  it('stops when it is told to, and has written nothing', async () => {
    const reason = new Error('stop now');
    await expect(publish(['a'], { signal: AbortSignal.abort(reason) })).rejects.toBe(reason);
    expect(await store.read(key)).toBeNull();
  });
});

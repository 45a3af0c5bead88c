import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { beginKey, manifestKey } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { type Manifest, manifestHeads, newestRun, newRunId, writeManifest } from '../../src/ledger/runs.ts';

const day = 24 * 60 * 60 * 1000;
const first = Date.UTC(2026, 10, 20, 2);

describe('the chain of manifests', () => {
  let folder: string;
  let store: Store;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-runs-'));
    store = await openLocalStore({ folder, create: true });
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });

  let runs = 0;
  const newRun = (asOf: number) => {
    runs += 1;
    const runId = newRunId(asOf, first + runs * 1000);
    const key = manifestKey(new Date(asOf).toISOString().slice(0, 10), runId);
    const end = async (previous: Manifest['previous']) => {
      const at = new Date(asOf).toISOString();
      await writeManifest(store, {
        format: 1,
        run_id: runId,
        as_of: at,
        ended_at: at,
        program_version: '0.0.0-test',
        previous,
        parts: [],
        coverage: { key: 'x', rows: 0, sha256: 'x' },
        reconciliation: null,
        rejected: null,
        totals: {},
        exit_code: 0,
      });
      return key;
    };
    return { key, end };
  };

  const read = async (key: string) => {
    const object = await store.read(key);
    if (object === null) throw new Error(`${key} is not there`);
    const sha256 = createHash('sha256').update(object.bytes).digest('hex');
    // Safe: written just now by writeManifest.
    return { sha256, manifest: JSON.parse(Buffer.from(object.bytes).toString()) as Manifest };
  };

  /** Every manifest that can be reached from these, each link's hash checked on the way. */
  const reached = async (links: Manifest['previous'], seen = new Set<string>()): Promise<Set<string>> => {
    for (const { key, sha256 } of links) {
      const found = await read(key);
      expect(found.sha256).toBe(sha256);
      if (seen.has(key)) continue;
      seen.add(key);
      await reached(found.manifest.previous, seen);
    }
    return seen;
  };

  it('begins with none', async () => {
    expect(await manifestHeads(store)).toEqual([]);
  });

  it('names both of two runs that overlapped, and neither again', async () => {
    const zero = await newRun(first).end([]);
    const [one, other] = [newRun(first + 1), newRun(first + 2)];
    const seenByBoth = await manifestHeads(store);
    await one.end(seenByBoth);
    await other.end(seenByBoth);
    const heads = await manifestHeads(store);
    expect(heads.map(({ key }) => key)).toEqual([one.key, other.key].sort());
    const last = await newRun(first + 3).end(heads);
    expect((await manifestHeads(store)).map(({ key }) => key)).toEqual([last]);
    expect([...(await reached(heads))].sort()).toEqual([zero, one.key, other.key].sort());
  });

  it('finds a run that began on an earlier day and ended after a later one', async () => {
    const slow = newRun(first);
    await newRun(first + day).end([]);
    await slow.end([]);
    expect((await manifestHeads(store)).map(({ key }) => key)).toContain(slow.key);
  });

  it('goes on over days without a run that ended, and names a manifest that was damaged', async () => {
    const old = await newRun(first - 40 * day).end([]);
    const damaged = newRun(first - 30 * day).key;
    await store.put({
      key: damaged,
      body: { bytes: Buffer.from('{ "previous":') },
      condition: { ifAbsent: true },
      writeId: 'damage',
      metadata: {},
      contentType: 'application/json',
    });
    expect((await manifestHeads(store)).map(({ key }) => key)).toEqual([old, damaged].sort());
  });

  it('loses none, however runs of three days overlap', async () => {
    const histories = fc.array(
      fc.record({ asOf: fc.integer({ min: 0, max: 2 }), begins: fc.boolean(), which: fc.nat(3) }),
      { minLength: 1, maxLength: 12 },
    );
    await fc.assert(
      fc.asyncProperty(histories, async (history) => {
        const ended: string[] = [];
        const closing: { run: ReturnType<typeof newRun>; heads: Manifest['previous'] }[] = [];
        const finish = async (at: number) => {
          const [one] = closing.splice(at % Math.max(closing.length, 1), 1);
          if (one !== undefined) ended.push(await one.run.end(one.heads));
        };
        for (const { asOf, begins, which } of history) {
          if (!begins) await finish(which);
          else closing.push({ run: newRun(first + asOf * day), heads: await manifestHeads(store) });
        }
        while (closing.length > 0) await finish(0);
        const found = await reached(await manifestHeads(store));
        for (const key of ended) expect(found.has(key)).toBe(true);
      }),
      { numRuns: 15 },
    );
  });
});

it('a begin record after a given time is not the newest run, but a run that has ended then is', async () => {
  const keys = [
    beginKey('2026-11-20', newRunId(first, first)),
    beginKey('2026-11-21', newRunId(first + day, first)),
  ];
  const store = (all: readonly string[]) =>
    ({
      list: async function* (prefix: string, { folders = false } = {}) {
        const below = all.filter((key) => key.startsWith(prefix));
        yield* folders ? new Set(below.map((key) => key.slice(0, key.lastIndexOf('/') + 1))) : below;
      },
    }) as unknown as Store;
  const asOf = async (all: readonly string[], until?: number) =>
    (await newestRun(store(all), undefined, until))?.asOf;
  expect(await asOf(keys)).toBe(first + day);
  expect(await asOf(keys, first + 1)).toBe(first);
  const ended = manifestKey('2026-11-21', newRunId(first + day, first));
  expect(await asOf([...keys, ended], first + 1)).toBe(first + day);
});

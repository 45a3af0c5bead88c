import { readdirSync, statSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { CompactTimeMap, timeKey } from '../../src/lake/compact-time-map.ts';
import { CreationDates } from '../../src/lake/creation-dates.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import type { Store } from '../../src/lake/stores/store.ts';
import { LakeError, ScratchError } from '../../src/shared/errors.ts';
import type { Row } from '../../src/tables/table.ts';
import { job } from '../query/written-lake.ts';

describe('instants by id', () => {
  it('are those of a map, also after they went through bytes, whatever the order and the number', () => {
    const operations = fc.array(
      fc.tuple(fc.integer({ min: 0, max: 3_000 }), fc.integer({ min: 0, max: 1e12 })),
      {
        maxLength: 6_000,
        size: 'max',
      },
    );
    fc.assert(
      fc.property(operations, operations, (first, second) => {
        const map = new Map<string, number>();
        const [instants, others] = [new CompactTimeMap(), new CompactTimeMap()];
        for (const [id, at] of first) {
          map.set(`job-${id}`, at);
          instants.set(`job-${id}`, at);
        }
        for (const [id, at] of second) others.set(`job-${id}`, at);
        const joined = new CompactTimeMap(instants.since(0));
        const twice: unknown[] = [];
        joined.addMissing(others, 0, (own, theirs) => twice.push([own, theirs]));
        const secondly = new Map(second.map(([id, at]) => [`job-${id}`, at]));
        for (const [id, at] of [...secondly, ...map]) expect(joined.get(id)).toBe(map.get(id) ?? at);
        expect(joined.size).toBe(new Set([...map.keys(), ...secondly.keys()]).size);
        const inBoth = [...secondly].filter(([id]) => map.has(id));
        expect(twice).toEqual(inBoth.map(([id, at]) => [map.get(id), at]));
        for (const [id, at] of second) {
          map.set(`job-${id}`, at);
          instants.set(`job-${id}`, at);
        }
        const again = new CompactTimeMap(instants.since(0));
        for (const [id, at] of map) expect([instants.get(id), again.get(id)]).toEqual([at, at]);
        expect([instants.size, again.size, instants.get('other')]).toEqual([map.size, map.size, undefined]);
        const half = new CompactTimeMap(instants.since(5e11));
        expect(half.size).toBe([...map.values()].filter((at) => at >= 5e11).length);
      }),
      { numRuns: 30 },
    );
  });
});

it('are kept in any number, also in pieces, and copied from any one on', () => {
  const count = 70_000;
  const [many, after] = [new CompactTimeMap(), new CompactTimeMap()];
  for (let n = 0; n < count; n += 1) many.set(`job-${n}`, n);
  after.set('job-69999', -1);
  const again = new CompactTimeMap(
    Buffer.concat(Array.from(many.pieces(100, 69_000), (piece) => Buffer.from(piece))),
  );
  expect(again.size).toBe(68_900);
  const found: number[] = [];
  after.addMissing(many, 30_000, (own, theirs) => found.push(own, theirs));
  expect(found).toEqual([-1, 69_999]);
  expect(after.size).toBe(40_000);
  const wrong: number[] = [];
  for (let n = 0; n < count; n += 1) {
    const known = [many.get(`job-${n}`), again.get(`job-${n}`), after.get(`job-${n}`)];
    const expected = [
      n,
      n >= 100 && n < 69_000 ? n : undefined,
      n === 69_999 ? -1 : n >= 30_000 ? n : undefined,
    ];
    if (known.some((value, at) => value !== expected[at])) wrong.push(n);
  }
  expect(wrong).toEqual([]);
});

describe('instants of which most are on scratch', () => {
  let folder: string;
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-instants-'));
  });
  afterEach(() => rm(folder, { recursive: true, force: true }));
  const count = 140_000;
  /** Many of them differ only in the bits that the index does not hold. */
  const keyOf = (n: number) => ({ high: (n * 2_654_435_761) >>> 20, middle: n % 700, low: n });
  const opened = (limit: number, blocksInMemory = 1) => {
    let reserved = 0;
    const reserve = (bytes: number) => {
      if (reserved + bytes > limit) throw new ScratchError('full', 'free some');
      reserved += bytes;
      return () => {
        reserved -= bytes;
      };
    };
    const map = new CompactTimeMap(undefined, { file: join(folder, 'dates'), reserve, blocksInMemory });
    return { map, reserved: () => reserved };
  };

  it('are all in the pieces, although they move to scratch between two of them', () => {
    const { map, reserved } = opened(Number.POSITIVE_INFINITY, 3);
    for (let n = 0; n < count; n += 1) map.set(keyOf(n), n);
    expect(reserved()).toBe(0);
    const pieces: Buffer[] = [];
    for (const piece of map.pieces(0, count)) {
      pieces.push(Buffer.from(piece));
      for (let n = 0; n < count; n += 1) map.set(keyOf(count + n), n);
      expect(reserved()).toBeGreaterThan(0);
    }
    const again = new CompactTimeMap(Buffer.concat(pieces));
    expect(again.size).toBe(count);
    const wrong = Array.from({ length: count }, (_, n) => n).filter((n) => again.get(keyOf(n)) !== n);
    expect(wrong).toEqual([]);
  });

  it('are those of a map, in any order, and leave nothing behind', () => {
    const count = 210_000;
    const { map, reserved } = opened(Number.POSITIVE_INFINITY);
    for (let n = 0; n < count; n += 1) map.set(keyOf(n), n);
    // The entries, and two lists that find them.
    expect(readdirSync(folder).map((name) => statSync(join(folder, name)).size)).toEqual([
      3 * 65_536 * 20,
      2 * 65_536 * 8,
      65_536 * 8,
    ]);
    expect(reserved()).toBe(3 * 65_536 * 28);
    map.set(keyOf(7), -7);
    const wrong: number[] = [];
    for (let n = 0; n < count; n += 1) {
      const one = (n * 48_271) % count;
      if (map.getOrSet(keyOf(one), -1) !== (one === 7 ? -7 : one)) wrong.push(one);
    }
    // In the order in which they were noted, too.
    for (let n = 8; n < count; n += 1) if (map.get(keyOf(n)) !== n) wrong.push(n);
    expect([wrong, map.size, map.get(keyOf(count))]).toEqual([[], count, undefined]);
    const again = new CompactTimeMap(map.since(100));
    const after = new CompactTimeMap();
    const both: number[] = [];
    again.addMissing(map, 205_000, (own, theirs) => both.push(own - theirs));
    after.addMissing(map, 60_000);
    expect([again.size, after.size, both.length, Math.max(...both)]).toEqual([
      count - 100,
      count - 60_000,
      5_000,
      0,
    ]);
    expect([again.get(keyOf(99)), again.get(keyOf(100)), after.get(keyOf(60_000))]).toEqual([
      undefined,
      100,
      60_000,
    ]);
    map.close();
    expect([readdirSync(folder), reserved()]).toEqual([[], 0]);
  });

  it('are found all the same when scratch has no room for their index, which then stays in memory', () => {
    const { map, reserved } = opened(2 * 65_536 * 20 + 65_536 * 8);
    for (let n = 0; n < count; n += 1) map.set(keyOf(n), n);
    expect([readdirSync(folder).length, reserved()]).toEqual([2, 2 * 65_536 * 20 + 65_536 * 8]);
    const wrong = Array.from({ length: count }, (_, n) => n).filter((n) => map.get(keyOf(n)) !== n);
    expect([wrong, map.get(keyOf(count))]).toEqual([[], undefined]);
    map.endLookups();
    expect(reserved()).toBe(2 * 65_536 * 20);
    map.close();
    expect([readdirSync(folder), reserved()]).toEqual([[], 0]);
  });

  it('stay as they are when scratch is full', () => {
    const { map, reserved } = opened(65_536 * 20);
    const fill = () => {
      for (let n = 0; n < count; n += 1) map.getOrSet(keyOf(n), n);
    };
    expect(fill).toThrow(ScratchError);
    expect(fill).toThrow(ScratchError);
    expect([map.size, map.get(keyOf(0)), map.get(keyOf(map.size - 1)), map.get(keyOf(map.size))]).toEqual([
      2 * 65_536,
      0,
      2 * 65_536 - 1,
      undefined,
    ]);
    map.close();
    expect(reserved()).toBe(0);
  });
});

describe('dates', () => {
  let folder: string;
  let store: Store;
  const warned: unknown[] = [];
  beforeEach(async () => {
    folder = await mkdtemp(join(tmpdir(), 'bce-dates-'));
    store = await openLocalStore({ folder: join(folder, 'lake'), create: true });
    warned.length = 0;
  });
  afterEach(async () => {
    await store.close();
    await rm(folder, { recursive: true, force: true });
  });
  const open = (of: Store = store) =>
    new CreationDates({
      store: of,
      buckets: 1,
      runId: 'run',
      oldest: Date.UTC(2026, 9, 1),
      scratchFolder: folder,
      reserve: () => () => undefined,
      log: { warn: (...words: unknown[]) => void warned.push(words) },
    });
  const on = (id: string, day: number): Row => job(id, { creation_time: Date.UTC(2026, 10, day, 5) });
  const days = (rows: readonly Row[]) => rows.map(({ creation_date: day }) => day);

  it('keep a job where it was first seen, in this run and in all that follow', async () => {
    const first = open();
    expect(days(await first.withFirstDates([on('a', 20), on('b', 21), on('a', 21)]))).toEqual([
      '2026-11-20',
      '2026-11-21',
      '2026-11-20',
    ]);
    await first.claim(0, '2026-11-20');
    expect(first.moved).toEqual({ jobs: 1, first: ['a'] });
    const second = open();
    const [a] = await second.withFirstDates([on('a', 2)]);
    expect(a).toMatchObject({ creation_date: '2026-11-20', creation_time: Date.UTC(2026, 10, 20, 5) });
    // What is derived from the time follows it.
    expect(a?.duration_ms).toBe(null);
    const later = job('a', { creation_time: Date.UTC(2026, 10, 20, 9) });
    expect(await second.withFirstDates([later])).toEqual([later]);
  });

  it('are not known before they are claimed: a run that dies has claimed nothing', async () => {
    await open().withFirstDates([on('a', 20)]);
    expect(days(await open().withFirstDates([on('a', 21)]))).toEqual(['2026-11-21']);
  });

  it('are those of the run that claims first; the other publishes nothing in that day, and goes on', async () => {
    const [one, two] = [open(), open()];
    await one.withFirstDates([on('a', 20), on('b', 20)]);
    await two.withFirstDates([on('a', 21), on('c', 22)]);
    await one.claim(0, '2026-11-20');
    await expect(two.claim(0, '2026-11-21')).rejects.toThrow(/another day of creation.*Run it again/);
    await two.claim(0, '2026-11-22');
    expect(days(await two.withFirstDates([on('a', 21), on('b', 23)]))).toEqual(['2026-11-20', '2026-11-20']);
    expect(days(await open().withFirstDates([on('a', 1), on('b', 1), on('c', 1)]))).toEqual([
      '2026-11-20',
      '2026-11-20',
      '2026-11-22',
    ]);
  });

  it('are claimed after the last lookup as before, also if another run was faster; a lookup is an error then', async () => {
    const [one, two] = [open(), open()];
    await one.withFirstDates([on('a', 20), on('b', 20)]);
    await two.withFirstDates([on('a', 21), on('c', 22)]);
    for (const dates of [one, two]) dates.endLookups();
    await expect(one.withFirstDates([on('a', 20)])).rejects.toThrow(TypeError);
    expect(() => two.isFirstDate(0, timeKey('d'), 1)).toThrow(TypeError);
    await one.claim(0, '2026-11-20');
    await expect(two.claim(0, '2026-11-21')).rejects.toThrow(/another day of creation/);
    await two.claim(0, '2026-11-22');
    expect(days(await open().withFirstDates([on('a', 1), on('b', 1), on('c', 1)]))).toEqual([
      '2026-11-20',
      '2026-11-20',
      '2026-11-22',
    ]);
  });

  it('that cannot be read let nothing be published, and lose no row', async () => {
    const refuse = () => Promise.reject(new LakeError('no', 'way'));
    const broken: Store = { ...bound(store), read: refuse, download: refuse };
    const dates = open(broken);
    expect(days(await dates.withFirstDates([on('a', 20)]))).toEqual(['2026-11-20']);
    await expect(dates.claim(0, '2026-11-20')).rejects.toThrow(LakeError);
  });

  it('that could not be written are claimed when the next part is', async () => {
    let fails = true;
    const flaky: Store = {
      ...bound(store),
      put: async (request, signal) => {
        if (fails) throw new LakeError('no', 'way');
        return await store.put(request, signal);
      },
    };
    const dates = open(flaky);
    await dates.withFirstDates([on('a', 20)]);
    await expect(dates.claim(0, '2026-11-20')).rejects.toThrow(LakeError);
    fails = false;
    await dates.claim(0, '2026-11-20');
    expect(days(await open().withFirstDates([on('a', 21)]))).toEqual(['2026-11-20']);
  });

  it('are written through scratch if there are many, and nothing stays there', async () => {
    const count = 53_000;
    const created = (n: number) => Date.UTC(2026, 10, 1 + (n % 28), 5);
    const dates = open();
    await dates.load(0);
    for (let n = 0; n < count; n += 1) dates.firstDate(0, `job-${n}`, created(n));
    await dates.claim(0, '2026-11-01');
    expect((await readdir(folder)).filter((name) => name !== 'lake')).toEqual([]);
    const again = open();
    await again.load(0);
    const wrong = Array.from({ length: count }, (_, n) => n).filter(
      (n) => again.firstDate(0, `job-${n}`, Date.UTC(2026, 11, 1)) !== created(n),
    );
    expect(wrong).toEqual([]);
  });

  it('whose record is damaged are not believed', async () => {
    const dates = open();
    await dates.withFirstDates([on('a', 20)]);
    await dates.claim(0, '2026-11-20');
    const file = join(folder, 'lake/_ledger/creation-dates/00000.bin');
    const bytes = await readFile(file);
    bytes.writeUInt8(bytes.readUInt8(bytes.length - 1) ^ 1, bytes.length - 1);
    await writeFile(file, bytes);
    expect(days(await open().withFirstDates([on('a', 21)]))).toEqual(['2026-11-21']);
    expect(warned).toHaveLength(1);
  });
});

function bound(store: Store): Store {
  return {
    url: store.url,
    download: store.download.bind(store),
    read: store.read.bind(store),
    head: store.head.bind(store),
    list: store.list.bind(store),
    put: store.put.bind(store),
    close: store.close.bind(store),
  };
}

import { mkdtemp, readdir, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { KeySpill } from '../../src/verify/key-spill.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-keys-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

it.each([10, 400_000])(
  'of %i keys, those of two parts are found, also after they went to disk',
  async (keys) => {
    let reserved = 0;
    const spill = new KeySpill(folder, {
      reserve: (bytes) => {
        reserved += bytes;
        return () => {
          reserved -= bytes;
        };
      },
    });
    const named = (from: number, to: number) =>
      Array.from({ length: to - from }, (_, at) => `job-${from + at}`);
    await spill.add('one', named(0, keys));
    await spill.add('two', named(keys, keys + 5));
    expect(await spill.shared()).toEqual([]);
    await spill.add('three', ['job-3', 'job-7', `job-${keys + 1}`, 'new']);
    expect((await spill.shared()).toSorted((a, b) => (a.other < b.other ? -1 : 1))).toEqual([
      { part: 'three', other: 'one', keys: 2 },
      { part: 'three', other: 'two', keys: 1 },
    ]);
    expect((await readdir(folder)).length > 0).toBe(keys > 1000);
    await spill.remove();
    expect(await readdir(folder)).toEqual([]);
    expect(reserved).toBe(0);
  },
);

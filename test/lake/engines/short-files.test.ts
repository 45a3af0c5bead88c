import { mkdtemp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { ShortFiles } from '../../../src/lake/engines/short-files.ts';
import { frameOf } from '../../../src/lake/staged-files.ts';
import { linesOf, rowsIn } from '../../support/staged-rows.ts';
import { sample } from './sample-table.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'short-'));
});
afterEach(() => rm(folder, { recursive: true }));

it('have all lines in their order, whole, and few bytes beyond what a file may have', async () => {
  const unit = fc.constantFrom('"', '\n', ',', '\r', 'ä', 'a');
  const rows = fc.array(
    fc.record({ id: fc.string({ unit, maxLength: 5 }), label: fc.string({ unit, maxLength: 300 }) }),
    { maxLength: 30 },
  );
  await fc.assert(
    fc.asyncProperty(rows, rows, async (some, packed) => {
      const [plain, frames, typed] = ['a.csv', 'a.csv.zst', 'a.parquet'].map((name) => join(folder, name));
      if (plain === undefined || frames === undefined || typed === undefined) throw new Error('no file');
      await writeFile(plain, linesOf(sample, some));
      await writeFile(frames, await frameOf([Buffer.from(linesOf(sample, packed))]));
      const short = new ShortFiles(join(folder, 'short'), 500);
      await short.cut([plain, typed, frames]);
      expect(short.files.filter((file) => file === typed)).toHaveLength(1);
      const found: unknown[] = [];
      let bytes = 0;
      for (const file of short.files.filter((one) => one !== typed)) {
        const content = await readFile(file);
        const rowsOfFile = rowsIn(sample, content);
        found.push(...rowsOfFile);
        bytes += content.length;
        expect(Buffer.byteLength(linesOf(sample, rowsOfFile.slice(0, -1)))).toBeLessThan(500);
      }
      expect(found).toEqual([...some, ...packed]);
      expect(short.bytes).toBe(bytes);
      await short.remove();
      expect((await readdir(folder)).sort()).toEqual(['a.csv', 'a.csv.zst']);
    }),
    { numRuns: 40 },
  );
});

it('take no more room than they may', async () => {
  const file = join(folder, 'a.csv');
  await writeFile(file, linesOf(sample, [{ id: 'a'.repeat(2_000) }]));
  const short = new ShortFiles(join(folder, 'short'));
  // As DuckDB names what it has no room for, so that the merge says which option to raise.
  await expect(short.cut([file], 1_000)).rejects.toThrow(/max_temp_directory_size/);
  await short.remove();
  expect(await readdir(folder)).toEqual(['a.csv']);
});

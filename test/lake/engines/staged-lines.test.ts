/** What is staged as lines is read back as it was, by DuckDB and by this program. */
import { appendFile, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openDuckDb } from '../../../src/lake/engines/duckdb.ts';
import type { Engine } from '../../../src/lake/engines/engine.ts';
import { stagedRows } from '../../../src/lake/engines/staged-rows.ts';
import { frameOf } from '../../../src/lake/staged-files.ts';
import { longestStagedLine } from '../../../src/lake/staged-line.ts';
import { EngineError } from '../../../src/shared/errors.ts';
import type { Row } from '../../../src/tables/table.ts';
import { linesOf, rowsIn } from '../../support/staged-rows.ts';
import { readWithHyparquet } from './readers.ts';
import { sample } from './sample-table.ts';

let folder: string;
let engine: Engine;
let files = 0;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'staged-[x]-'));
  engine = await openDuckDb({ memoryLimitBytes: 256 * 2 ** 20, scratch: folder });
});
afterAll(async () => {
  await engine.close();
  await rm(folder, { recursive: true });
});

function newFile(ending: string): string {
  files += 1;
  return join(folder, `${files}.${ending}`);
}

/** A file of typed rows that DuckDB makes of lines. */
async function typed(lines: string): Promise<string> {
  const output = newFile('parquet');
  const request = { table: sample, lines, output, rows: 1, bytes: 1, compact: false };
  expect(await engine.typed?.(request)).toBe(true);
  return output;
}

async function read(lines: string): Promise<readonly Row[]> {
  const rows: Row[] = [];
  for await (const row of stagedRows(sample, lines)) rows.push(row);
  return rows;
}

const withoutNulls = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).filter(([, value]) => value !== null));

/** Typed rows have an order of their own. */
const inOrder = (rows: readonly Row[]): readonly string[] =>
  rows.map((row) => JSON.stringify(Object.entries(row).sort())).sort();

const nasty = fc.constantFrom(
  ...[
    '"',
    '""',
    ',',
    '\n',
    '\r',
    '\r\n',
    '\0',
    '\t',
    '\u001a',
    '\u007f',
    '\\',
    '\\n',
    "'",
    '#',
    ';',
    '|',
    ' ',
  ],
  ...['NULL', 'null', 'true', '1', 'é', '夜', '🔒', '\ufeff', '\ufffd', '\u2028', '\u{10ffff}', 'a'],
);
const text = fc.option(fc.string({ unit: nasty, maxLength: 12 }));
const number = fc.option(fc.oneof(fc.maxSafeInteger(), fc.constantFrom(0, 2 ** 53 - 1, 1 - 2 ** 53)));
const rowsOfAnything = fc.array(
  fc.record({
    id: text,
    label: fc.option(fc.string({ unit: nasty, maxLength: 4_000 })),
    state: text,
    size: number,
    flag: fc.option(fc.boolean()),
    time: fc.option(fc.integer({ min: -62_135_596_800_000, max: 253_402_300_799_999 })),
    first_observed_at: fc.constant(null),
    observed_at: fc.constant(1_000),
    run_id: text,
  }),
  { maxLength: 60 },
);

describe('rows of any values', () => {
  it.each(['csv', 'csv.zst'])('are the same after they were lines of a file .%s', async (ending) => {
    await fc.assert(
      fc.asyncProperty(rowsOfAnything, async (rows) => {
        const bytes = Buffer.from(linesOf(sample, rows));
        const file = newFile(ending);
        const frames = ending === 'csv' ? [bytes] : rows.length === 0 ? [] : await frameOf([bytes]);
        await writeFile(file, '');
        for (const some of frames) await appendFile(file, some);
        const expected = rows.map(withoutNulls);
        expect(rowsIn(sample, bytes)).toEqual(expected);
        expect(await read(file)).toEqual(expected);
        const found = await readWithHyparquet(await typed(file));
        expect(inOrder(found.map(withoutNulls))).toEqual(inOrder(expected));
      }),
      { numRuns: 60 },
    );
  });
});

describe('a file of lines', () => {
  it('may have a line of the greatest length, also at its end', async () => {
    const lengthOf = (row: Row) => Buffer.byteLength(linesOf(sample, [row]));
    const longest = (id: string): Row => {
      const row = { id, observed_at: 1_000 };
      return { ...row, label: '\n'.repeat(longestStagedLine - lengthOf({ ...row, label: '' })) };
    };
    const rows = [longest('a'), longest('b'), longest('c'), { id: 'd', observed_at: 1 }, longest('e')];
    expect(rows.map(lengthOf).filter((length) => length === longestStagedLine)).toHaveLength(4);
    const file = newFile('csv');
    await writeFile(file, linesOf(sample, rows));
    expect(await read(file)).toEqual(rows);
    const found = await readWithHyparquet(await typed(file));
    expect(found.map(withoutNulls)).toEqual(rows);
  });
});

describe('a line that is not a row', () => {
  it.each([
    ['with a value too many', `${linesOf(sample, [{ id: 'a' }]).trimEnd()},1\n`],
    ['with a value too few', '"a",1\n'],
    ['with something after a quoted text', linesOf(sample, [{ id: 'a' }]).replace('"a"', '"a"b')],
    ['that is cut off within a text', linesOf(sample, [{ id: 'a' }]).replace('"a"', '"a')],
    ['with a number beyond 2^53', linesOf(sample, [{ id: 'a', size: 2 ** 53 }])],
    ['with a fraction', linesOf(sample, [{ id: 'a', size: 1.5 }])],
    ['with a text in place of a number', linesOf(sample, [{ id: 'a', size: 'many' }])],
    ['with a number that is none', linesOf(sample, [{ id: 'a', size: Number.NaN }])],
  ])('%s is an error, never another row', async (_, line) => {
    const file = newFile('csv');
    await writeFile(file, linesOf(sample, [{ id: 'before' }]) + line);
    const merge = async (staged: string, distinctKeys: boolean) => {
      const request = { table: sample, partition: {}, existing: null, metadata: {}, distinctKeys };
      return await engine.merge({ ...request, staged: [staged], stagedRows: 2, output: newFile('parquet') });
    };
    await expect(merge(file, false)).rejects.toBeInstanceOf(EngineError);
    await expect(merge(file, true)).rejects.toBeInstanceOf(EngineError);
    // Rows may be typed before they are merged. Whoever counts them then finds that one is missing.
    const found = await typed(file).catch(() => null);
    if (found !== null) await expect(merge(found, true)).rejects.toThrow(/2 rows were staged.* have 1/);
  });
});

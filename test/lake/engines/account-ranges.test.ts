/** New parts of many rows, which DuckDB writes some accounts at a time. */
import { mkdtemp, readdir, readFile } from 'node:fs/promises';
import { basename, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { beforeAll, describe, expect, it, vi } from 'vitest';
import { writeInRanges } from '../../../src/lake/engines/account-ranges.ts';
import type { Engine, MergeRequest } from '../../../src/lake/engines/engine.ts';
import { typedSql } from '../../../src/lake/engines/merge-sql.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import { typedEnding } from '../../../src/lake/staged-files.ts';
import { folder, glob, newFile, openBothEngines, seen } from './both-engines.ts';
import { keyValueMetadata, queryWithDuckDb, readWithDuckDb } from './readers.ts';
import { completeRow, sampleOfAccounts, stage } from './sample-table.ts';

openBothEngines();

const table = sampleOfAccounts;

/** One of them alone has more rows than a range; some have few, odd names, or none. */
const accounts = [null, '', "o'clock", 'ä', '\u{1f600}', '9', '10', '100000000000', '200000000000'];
const rows = Array.from({ length: 24_000 }, (_, at) => ({
  id: `${String((at * 7919) % 24_000).padStart(6, '0')}`,
  account_id: accountOf(at),
  state: at % 3 === 0 ? 'COMPLETED' : 'RUNNING',
  size: at,
  time: 1_000 * at,
  ...seen,
}));

function accountOf(at: number): string | null {
  if (at % 2 === 0) return '500000000000';
  const odd = accounts[((at - 1) / 2) % 1_000];
  return odd === undefined ? `3000000${String(at % 997).padStart(5, '0')}` : odd;
}

/** As if each row had 4,000 bytes: so few rows are many. */
const many = { stagedRows: rows.length, stagedBytes: rows.length * 4_000, distinctKeys: true };

describe('a new part of many rows', () => {
  let staged: readonly string[];
  let whole: Buffer;

  beforeAll(async () => {
    const engine = await openEngine('duckdb', { memoryLimitBytes: 256 * 2 ** 20, scratch: folder });
    const lines = await stage(table, newFile(), rows.slice(0, 20_000));
    const output = `${newFile()}.parquet`;
    expect(await engine.typed?.({ table, lines, output, compact: false, rows: 20_000, bytes: 1 })).toBe(true);
    staged = [output, await stage(table, newFile(), rows.slice(20_000))];
    whole = await readFile(await written(engine, { ...many, stagedBytes: 1 }));
    await engine.close();
  });

  async function written(engine: Engine, more: Partial<MergeRequest>): Promise<string> {
    const output = join(await mkdtemp(join(folder, 'part-')), 'part');
    const request = {
      table,
      partition: {},
      existing: null,
      staged,
      output,
      metadata: { run_id: 'r' },
      ...more,
    };
    const outcome = await engine.merge({ ...request, wantsFate: true });
    const fate = { unlike: [], latestPublished: null };
    expect(outcome).toMatchObject({ changed: true, rows: rows.length, added: rows.length, fate });
    // No file of a range is left.
    expect(await readdir(join(output, '..'))).toEqual(['part']);
    return output;
  }

  it('has all rows in their order, in row groups of about the same size', async () => {
    const sorted = rows
      .map((row) => completeRow(table, row))
      .sort((a, b) => {
        const [one, other] = [a, b].map(({ account_id: account, id }) =>
          Buffer.from(account === null ? `\0${String(id)}` : `\x01${String(account)}\0${String(id)}`),
        );
        return Buffer.compare(one ?? Buffer.alloc(0), other ?? Buffer.alloc(0));
      });
    const engine = await openEngine('duckdb', { memoryLimitBytes: 512 * 2 ** 20, scratch: folder });
    const file = await written(engine, many);
    expect(await readWithDuckDb(table, file)).toEqual(sorted);
    // Written in ranges, each with row groups of its own.
    expect((await readFile(file)).equals(whole)).toBe(false);
    const groups = await queryWithDuckDb(
      `SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('${glob(file)}') ORDER BY ALL`,
    );
    const sizes = groups.map(([, count]) => Number(count));
    expect(sizes.reduce((sum, size) => sum + size, 0)).toBe(rows.length);
    expect(Math.max(...sizes)).toBeLessThan(1.5 * 10_240);
    expect(Math.min(...sizes)).toBeGreaterThan(0.4 * 10_240);
    expect(await keyValueMetadata(file)).toEqual({ run_id: 'r' });
    await engine.close();
  });

  it('is sorted at once if scratch has no room for the ranges', async () => {
    let claims = 0;
    const claim = () => {
      claims += 1;
      return { bytes: 128 * 1024, release: () => undefined };
    };
    const engine = await openEngine('duckdb', { memoryLimitBytes: 512 * 2 ** 20, scratch: folder, claim });
    expect((await readFile(await written(engine, many))).equals(whole)).toBe(true);
    expect(claims).toBeGreaterThan(0);
    await engine.close();
  });

  it('is read, for each range, from the files that may have its accounts', async () => {
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    const statements = vi.spyOn(connection, 'run');
    // Each file has ten accounts, and the last has one of each of the others, too.
    const accountsOf = [10, 20, 30].map((first) => Array.from({ length: 10 }, (_, at) => String(first + at)));
    const files = await Promise.all(
      [...accountsOf, ['12', '22', '32']].map(async (names, place) => {
        const some = names.map((name) => ({ ...rows[0], id: `${name}-${place}`, account_id: name }));
        const lines = await stage(table, newFile(), some);
        const output = `${newFile()}${typedEnding}`;
        await connection.run(typedSql(table, lines, output, false));
        return output;
      }),
    );
    statements.mockClear();
    const output = `${newFile()}.parquet`;
    const request = {
      ...{ table, partition: {}, existing: null, output, metadata: {}, staged: files },
      // Five rows are sorted at once.
      ...{ stagedRows: 33, stagedBytes: 33 * 6 * 2 ** 20, distinctKeys: true },
    };
    expect(await writeInRanges(connection, request, undefined)).toBe(33);
    const read = (await readWithDuckDb(table, output)).map(({ id }) => String(id));
    expect(read).toEqual(
      [
        ...accountsOf.flat().map((name, at) => `${name}-${Math.floor(at / 10)}`),
        '12-3',
        '22-3',
        '32-3',
      ].sort(),
    );
    const ranges = statements.mock.calls.map(([sql]) => sql).filter((sql) => sql.includes(`TO '${output}.`));
    const opened = ranges.map((sql) =>
      files.flatMap((file, place) => (sql.includes(basename(file)) ? place : [])),
    );
    expect(opened).toEqual([[0, 1, 2, 3], [0], [0, 1, 2, 3], [1], [1, 2, 3], [2]]);
    connection.closeSync();
    instance.closeSync();
  });

  it('is divided only where SQL can name an account', async () => {
    const engine = await openEngine('duckdb', { memoryLimitBytes: 512 * 2 ** 20, scratch: folder });
    const some = rows.map((row, at) => ({ ...row, account_id: at % 40 === 0 ? '7' : `7\0${at % 40}` }));
    const output = `${newFile()}.parquet`;
    await engine.merge({
      ...{ table, partition: {}, existing: null, output, metadata: {} },
      ...{ ...many, staged: [await stage(table, newFile(), some)] },
    });
    const read = (await readWithDuckDb(table, output)).map((row) => String(row.account_id));
    expect(read).toHaveLength(some.length);
    expect(read).toEqual(some.map((row) => row.account_id).sort());
    await engine.close();
  });
});

/** Parquet files whose row groups are copied into one file. DuckDB writes them; DuckDB and hyparquet read the result. */
import { appendFile, mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { joinParquet } from '../../../src/lake/engines/join-parquet.ts';
import { keyValueMetadata, queryWithDuckDb, readWithHyparquet } from './readers.ts';

let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'join-'));
});

afterAll(() => rm(folder, { recursive: true }));

/** Texts with dictionaries and bloom filters, and texts and numbers without; some are null. */
async function written(name: string, from: number, to: number, more = ''): Promise<string> {
  const file = join(folder, name);
  await queryWithDuckDb(`COPY (SELECT i, 'state ' || i % 7 AS state, 'id ' || hash(i) AS id, CASE WHEN i % 3 > 0 THEN i END AS size,
      i % 2 = 0 AS even, make_timestamp_ms(i * 1000) AS time ${more} FROM range(${from}, ${to}) t(i))
    TO '${file}' (FORMAT parquet, COMPRESSION zstd, ROW_GROUP_SIZE 2048, KV_METADATA {name: '${name}'})`);
  return file;
}

describe('files that are joined', () => {
  it('are read as one, by every reader, with statistics and bloom filters', async () => {
    const files = [
      await written('a', 0, 5_000),
      await written('b', 5_000, 5_001),
      await written('c', 5_001, 20_000),
    ];
    const expected = await written('whole', 0, 20_000);
    const output = join(folder, 'joined');

    expect(await joinParquet(files, output)).toBe(20_000);

    expect(await queryWithDuckDb(`FROM read_parquet('${output}')`)).toEqual(
      await queryWithDuckDb(`FROM read_parquet('${expected}')`),
    );
    expect(await readWithHyparquet(output)).toEqual(await readWithHyparquet(expected));
    expect(await keyValueMetadata(output)).toEqual({ name: 'a' });
    const groups = await queryWithDuckDb(
      `SELECT row_group_num_rows, stats_min_value, stats_max_value FROM parquet_metadata('${output}') WHERE path_in_schema = 'i'`,
    );
    expect(groups.slice(0, 5)).toEqual([
      [2048n, '0', '2047'],
      [2048n, '2048', '4095'],
      [904n, '4096', '4999'],
      [1n, '5000', '5000'],
      [2048n, '5001', '7048'],
    ]);
    const excluded = (state: string) =>
      queryWithDuckDb(
        `SELECT bloom_filter_excludes, count(*) FROM parquet_bloom_probe('${output}', 'state', '${state}') GROUP BY ALL ORDER BY ALL`,
      );
    // The row group of a single row has no bloom filter, and that row is in this state.
    expect(await excluded('state 2')).toEqual([[false, 12n]]);
    expect(await excluded('state 9')).toEqual([
      [false, 1n],
      [true, 11n],
    ]);
  });

  it('are emptied, so that scratch never holds them twice', async () => {
    const files = [await written('d', 0, 3_000), await written('e', 0, 3_000)];

    await joinParquet(files, join(folder, 'joined'));

    expect(await Promise.all(files.map(async (file) => (await stat(file)).size))).toEqual([0, 0]);
  });

  it('become what they were if there is one', async () => {
    const file = await written('one', 0, 5_000);
    const before = await readFile(file);

    await joinParquet([file], join(folder, 'joined'));

    expect((await readFile(join(folder, 'joined'))).equals(before)).toBe(true);
  });

  it('have the same columns', async () => {
    const files = [await written('f', 0, 10), await written('g', 0, 10, ', 1 AS more')];

    await expect(joinParquet(files, join(folder, 'joined'))).rejects.toThrow('other columns');
  });

  it('are not joined if a footer has what would be lost', async () => {
    // The type of an empty list's elements.
    const file = await written('h', 0, 0);

    expect(await joinParquet([file], join(folder, 'joined'))).toBeNull();
  });

  it('are whole', async () => {
    const file = await written('i', 0, 10);
    await appendFile(file, 'x');

    await expect(joinParquet([file], join(folder, 'joined'))).rejects.toThrow();
  });
});

import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { openPart, readValues } from '../../src/lake/engines/part-reader.ts';
import { wrongStatistics } from '../../src/verify/column-statistics.ts';

let folder: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-statistics-'));
});
afterAll(() => rm(folder, { recursive: true, force: true }));

const columns = {
  'long texts, whose bounds are cut': `repeat('a', 300) || x`,
  'long texts beyond ASCII': `repeat('é', 2500) || x`,
  'texts longer than statistics': `repeat('b', 20000) || x`,
  'texts with a byte order mark': 'chr(65279) || x',
  'empty texts': `CASE WHEN x > 1 THEN '' END`,
  'texts that UTF-16 orders otherwise': `CASE WHEN x > 1 THEN '😀' ELSE '｡' END`,
  booleans: 'x > 1',
  'times before 1970': 'make_timestamp_ms(x * -1000)::TIMESTAMP_MS',
  'nothing but nulls': 'NULL::VARCHAR',
  'large numbers': '9007199254740000 + x',
};

it.each(Object.entries(columns))('of %s as DuckDB writes them are true', async (_, sql) => {
  const file = join(folder, 'column.parquet');
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`COPY (SELECT ${sql} AS v FROM range(5) t(x)) TO '${file}' (FORMAT parquet)`);
  connection.closeSync();
  instance.closeSync();
  const part = await openPart(file);
  const values = await readValues(part, 'v', 0, 5);
  expect(values.length).toBe(5);
  const statistics = part.metadata.row_groups[0]?.columns[0]?.meta_data?.statistics;
  expect(wrongStatistics('v', values, statistics, 0)).toBe(null);
});

it.each([
  ['a cut minimum above the truth', { min_value: 'b', is_min_value_exact: false }],
  ['a cut maximum below the truth', { max_value: 'b', is_max_value_exact: false }],
  ['an exact minimum below the truth', { min_value: 'a', is_min_value_exact: true }],
  ['a maximum that does not say whether it is exact', { max_value: 'cz' }],
  ['a maximum for older readers', { max: 'b' }],
  ['a count of nulls', { null_count: 2n }],
])('%s is found', (_, statistics) => {
  expect(wrongStatistics('v', ['aa', null, 'cc'], statistics, 0)).not.toBe(null);
});

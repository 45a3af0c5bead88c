import { existsSync } from 'node:fs';
import { readFile, symlink, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import type { LakeReader } from '../../src/query/lake-reader.ts';
import { job, newLake, rowsOf, type WrittenLake } from './written-lake.ts';

let lake: WrittenLake;
let reader: LakeReader;
let secret: string;
let part: string;
beforeAll(async () => {
  lake = await newLake();
  await lake.write([job('a')]);
  secret = join(dirname(lake.folder), 'secret.csv');
  await writeFile(secret, 'secret\n1\n');
  part = lake.part('2026-11-20');
  await symlink(secret, join(dirname(part), 'link.csv'));
  reader = await lake.read();
});
afterAll(() => lake.close());

/** `$SECRET` is a file beside the lake, `$PART` a part, `$LAKE` the lake. */
function filled(sql: string): string {
  return sql.replaceAll('$SECRET', secret).replaceAll('$PART', part).replaceAll('$LAKE', lake.folder);
}

describe('what reaches beyond the lake is refused before it runs', () => {
  test.each([
    "SELECT * FROM read_csv('$SECRET')",
    "SELECT * FROM READ_CSV_AUTO('$SECRET')",
    "SELECT * FROM system.main.read_text('$SECRET')",
    "SELECT (SELECT content FROM read_text('$SECRET'))",
    "SELECT * FROM read_blob('$SECRET')",
    "SELECT * FROM glob('/*')",
    "SELECT * FROM parquet_metadata('$PART')",
    "SELECT * FROM '$SECRET'",
    "SELECT * FROM '$PART'",
    'SELECT * FROM "$SECRET"',
    "SELECT * FROM '$LAKE/../secret.csv'",
    "SELECT * FROM query('SELECT * FROM read_text(''$SECRET'')')",
    "SELECT * FROM query_table('$SECRET')",
    "SELECT * FROM json_execute_serialized_sql(json_serialize_sql('SELECT 1'))",
    "SELECT * FROM enable_logging(storage = 'file', storage_path = '$LAKE/log')",
    "SELECT * FROM enable_profiling(save_location = '$LAKE/profile.json')",
    'SELECT * FROM checkpoint()',
    "WITH a AS (SELECT * FROM read_csv('$SECRET')) SELECT * FROM a",
    "DESCRIBE SELECT * FROM read_csv('$SECRET')",
    "SUMMARIZE SELECT * FROM read_csv('$SECRET')",
    "SUMMARIZE '$SECRET'",
    "DESCRIBE '$SECRET'",
    "EXPLAIN ANALYZE SELECT * FROM read_csv('$SECRET')",
    "EXPLAIN (ANALYZE) COPY (SELECT 1) TO '$LAKE/x.csv'",
    "EXPLAIN (FORMAT json, ANALYZE) COPY (SELECT 1) TO '$LAKE/x.csv'",
    "EXPLAIN (ANALYZE ' ) SELECT 1 -- ' ) COPY (SELECT 1) TO '$LAKE/x.csv'",
    "EXPLAIN (ANALYZE /* ) SELECT 1 -- */ ) COPY (SELECT 1) TO '$LAKE/x.csv'",
    "EXPLAIN (ANALYZE -- ) SELECT 1\n) COPY (SELECT 1) TO '$LAKE/x.csv'",
    "EXPLAIN ANALYZE COPY (SELECT 1) TO '$LAKE/x.csv'",
    'EXPLAIN ANALYZE EXPLAIN ANALYZE CREATE TABLE t AS SELECT 1',
    "COPY (SELECT 1) TO '$LAKE/x.csv'",
    "COPY copy_jobs TO '$PART' (FORMAT parquet)",
    "COPY (SELECT 1) TO '/dev/stdout'",
    "ATTACH '$LAKE/x.db'",
    "IMPORT DATABASE '$LAKE'",
    "EXPORT DATABASE '$LAKE'",
    'INSTALL httpfs',
    'LOAD httpfs',
    'CALL enable_logging()',
    'SET enable_external_access = true',
    'SET VARIABLE x = 1',
    'RESET lock_configuration',
    'PRAGMA version',
    'PRAGMA enable_profiling',
    'USE system',
    'CREATE TABLE t (i INT)',
    'CREATE TEMP VIEW v AS SELECT 1',
    "CREATE SECRET s (TYPE s3, KEY_ID 'x', SECRET 'y')",
    'DROP VIEW copy_jobs',
    'DELETE FROM copy_jobs',
    "INSERT INTO copy_jobs (copy_job_id) VALUES ('x')",
    'WITH a AS (DELETE FROM copy_jobs RETURNING *) SELECT * FROM a',
    "WITH a AS (INSERT INTO copy_jobs (copy_job_id) VALUES ('x') RETURNING *) SELECT * FROM a",
    'BEGIN',
    'CHECKPOINT',
    'VACUUM',
    "PREPARE p AS SELECT * FROM read_csv('$SECRET')",
    '.read $SECRET',
    "SELECT 1; COPY (SELECT 1) TO '$LAKE/x.csv'",
    "SELECT 1) TO '$LAKE/x.csv' --",
    '/* ; */ -- ;\n SET threads = 1',
  ])('%s', async (sql) => {
    await expect(reader.check(filled(sql))).rejects.toThrow(/^(?:The query|There is no table)/);
    expect(existsSync(join(lake.folder, 'x.csv'))).toBe(false);
  });

  test('getenv is not there', async () => {
    await expect(rowsOf(reader, "SELECT getenv('HOME')")).rejects.toThrow(/getenv does not exist/);
  });
});

describe('the engine itself refuses, should a statement get past the check', () => {
  test.each([
    "SELECT * FROM read_csv('$SECRET')",
    "SELECT * FROM read_text('$LAKE/copy_jobs/creation_date=2026-11-20/link.csv')",
    "SELECT * FROM glob('$LAKE/*')",
    "COPY (SELECT 1) TO '$LAKE/x.csv'",
    "ATTACH '$LAKE/x.db'",
    'SET enable_external_access = true',
    "SET allowed_directories = ['/']",
    'SET lock_configuration = false',
    "SET memory_limit = '1TB'",
    'LOAD httpfs',
    "EXPORT DATABASE '$LAKE/x'",
  ])('%s', async (sql) => {
    await expect(reader.connection.run(filled(sql))).rejects.toThrow(
      /Permission Error|has been locked|disabled/i,
    );
  });
});

test('what reads is allowed', async () => {
  for (const sql of [
    'SELECT count(*) FROM copy_jobs',
    'FROM copy_jobs SELECT copy_job_id',
    'WITH RECURSIVE n AS (SELECT 1 AS i UNION ALL SELECT i + 1 FROM n WHERE i < 3) SELECT * FROM n;',
    'VALUES (1), (2)',
    'TABLE export_coverage',
    '(SELECT 1) UNION ALL (SELECT 2)',
    "SELECT ';' AS semicolon -- ; a comment",
    'DESCRIBE copy_jobs',
    'SHOW TABLES',
    'SUMMARIZE export_coverage',
    'EXPLAIN SELECT * FROM copy_jobs',
    'EXPLAIN ANALYZE SELECT * FROM copy_jobs',
    'explain (format json) select 1',
    '/* first */ EXPLAIN SELECT 1',
    "SELECT j.value FROM copy_jobs, json_each('[1,2]') AS j",
    'SELECT * FROM range(3), unnest([1, 2])',
    'SELECT table_name FROM information_schema.tables',
    'SELECT column_name FROM duckdb_columns()',
  ]) {
    const rows = await rowsOf(reader, sql);
    // The lake's one table without rows.
    if (sql === 'TABLE export_coverage') expect(rows).toEqual([]);
    else expect(rows.length, sql).toBeGreaterThan(0);
  }
});

test.each([
  ['EXPLAIN (FORMAT json) SELECT 42', /^\[/, /Timing|timing/, false],
  ['EXPLAIN (ANALYZE, FORMAT json) SELECT 42', /^\{/, /timing/, true],
  ['EXPLAIN (format JSON, analyze) SELECT 42', /^\{/, /timing/, true],
  ['EXPLAIN (ANALYZE) SELECT 42', /Total Time/, /Total Time/, true],
  ['EXPLAIN (SELECT 42)', /42/, /Total Time/, false],
])('%s keeps its options', async (sql, form, timed, isTimed) => {
  const rows = await rowsOf(reader, sql);
  const plan = String(rows.at(-1)?.at(-1));
  expect(plan).toMatch(form);
  expect(timed.test(plan)).toBe(isTimed);
});

test('no attempt has changed the part', async () => {
  const before = await readFile(part);
  await expect(reader.check(filled("COPY (SELECT 1) TO '$PART'"))).rejects.toThrow(/may do more than read/);
  expect((await readFile(part)).equals(before)).toBe(true);
  expect(await rowsOf(reader, 'SELECT copy_job_id FROM copy_jobs')).toEqual([['a']]);
});

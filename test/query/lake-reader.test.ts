import { copyFile, mkdir, readdir, rename, rm, symlink, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterEach, describe, expect, test } from 'vitest';
import { openEngine } from '../../src/lake/engines/open-engine.ts';
import { bucketOf, coverageKey } from '../../src/lake/layout.ts';
import { newRunId } from '../../src/ledger/runs.ts';
import { loadViews } from '../../src/questions/questions.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { utcDay } from '../../src/tables/table.ts';
import { withEarlierTimes } from '../lake/engines/earlier-part.ts';
import { openLab } from '../support/lab.ts';
import { linesOf } from '../support/staged-rows.ts';
import { job, newLake, rowsOf, type WrittenLake } from './written-lake.ts';

const lakes: WrittenLake[] = [];
afterEach(async () => {
  for (const lake of lakes.splice(0)) await lake.close();
});

async function lakeOf(name?: string, buckets?: number): Promise<WrittenLake> {
  const lake = await newLake(name, buckets);
  lakes.push(lake);
  return lake;
}

test('every table of a lake that export made has every row, and every view can be read', async () => {
  const lab = await openLab({ days: 6 });
  const lake = await lakeOf();
  try {
    await lab.run();
    await rm(lake.folder, { recursive: true });
    await rename(lab.lake, lake.folder);
    const { views: _, ...rest } = await lake.read({});
    const { loadViews } = await import('../../src/questions/questions.ts');
    const reader = await lake.read({ views: loadViews() });
    for (const [table, key] of [
      ['copy_jobs', 'copy_job_id'],
      ['copy_job_summaries', 'job_count'],
      ['export_coverage', 'run_id'],
    ] as const) {
      const { readTable } = await import('../support/lake-reader.ts');
      const expected = (await readTable(lake.folder, table)).map((row) => String(row[key])).sort();
      const found = (await rowsOf(reader, `SELECT ${key}::VARCHAR FROM ${table}`)).flat().sort();
      expect(found).toEqual(expected);
      expect(found.length).toBeGreaterThan(0);
    }
    expect(reader.views.length).toBeGreaterThan(5);
    for (const { name } of reader.views) {
      expect(await rowsOf(reader, `SELECT count(*) FROM ${name}`)).toHaveLength(1);
    }
    expect(rest.foreign).toEqual([]);
  } finally {
    await lab.close();
  }
});

describe('parts of both engines and of older programs', () => {
  test('are one table with the declared types, and null where a column was not yet there', async () => {
    const lake = await lakeOf();
    const older = {
      ...copyJobs,
      columns: copyJobs.columns.filter(({ name }) => name !== 'message_category'),
    };
    const values = {
      backup_size_in_bytes: Number.MAX_SAFE_INTEGER,
      message_category: 'SUCCESS',
      is_parent: true,
    };
    const on = (day: number) => ({ ...values, creation_time: Date.UTC(2026, 10, day, 1, 2, 3, 456) });
    await lake.write([job('a', on(20))]);
    await lake.write([job('b', on(21))], { engine: 'parquetjs-lite' });
    await lake.write([job('c', on(22))], { table: older });
    await lake.write([job('d', on(23))], { engine: 'parquetjs-lite' });
    await withEarlierTimes(lake.part('2026-11-23'));
    const reader = await lake.read();
    expect(
      await rowsOf(
        reader,
        `SELECT copy_job_id, backup_size_in_bytes, message_category, is_parent, creation_time, is_terminal, creation_date
         FROM copy_jobs ORDER BY 1`,
      ),
    ).toEqual(
      ['a', 'b', 'c', 'd'].map((id, at) => [
        id,
        BigInt(Number.MAX_SAFE_INTEGER),
        id === 'c' ? null : 'SUCCESS',
        true,
        new Date(Date.UTC(2026, 10, 20 + at, 1, 2, 3, 456)),
        true,
        `2026-11-${20 + at}`,
      ]),
    );
    const described = new Map(
      (await rowsOf(reader, 'DESCRIBE copy_jobs')).map(([name, type]) => [name, type]),
    );
    const types = { text: 'VARCHAR', bigint: 'BIGINT', boolean: 'BOOLEAN', timestamp: 'TIMESTAMP' };
    for (const { name, type } of copyJobs.columns)
      expect([name, described.get(name)]).toEqual([name, types[type]]);
    expect(described.size).toBe(copyJobs.columns.length + 1);
  });

  test('a column that no part has is null', async () => {
    const lake = await lakeOf();
    const older = { ...copyJobs, columns: copyJobs.columns.filter(({ name }) => name !== 'resource_name') };
    await lake.write([job('a')], { table: older });
    expect(await rowsOf(await lake.read(), 'SELECT resource_name FROM copy_jobs')).toEqual([[null]]);
  });
});

test('an empty lake has all tables and no rows', async () => {
  const reader = await (await lakeOf()).read();
  for (const table of ['copy_jobs', 'copy_job_summaries', 'export_coverage']) {
    expect(await rowsOf(reader, `SELECT count(*) FROM ${table}`)).toEqual([[0n]]);
  }
});

test('a place without a lake is an error that says so', async () => {
  const lake = await lakeOf();
  await rm(join(lake.folder, '_ledger'), { recursive: true });
  await expect(lake.read()).rejects.toThrow(/There is no lake in .*lake\.json.*--lake/);
});

test('a lake in a folder that looks like a pattern or a partition is read as it is', async () => {
  const lake = await lakeOf('account_id=[x]*?');
  await lake.write([job('a')]);
  const reader = await lake.read();
  expect(await rowsOf(reader, 'SELECT copy_job_id, account_id FROM copy_jobs')).toEqual([
    ['a', '111122223333'],
  ]);
});

test('only the days that are named are read, both ends included', async () => {
  const lake = await lakeOf();
  const days = [18, 19, 20, 21].map((day) => job(`day-${day}`, { creation_time: Date.UTC(2026, 10, day) }));
  await lake.write(days);
  const reader = await lake.read({ days: { from: '2026-11-19', to: '2026-11-20' } });
  expect(reader.parts).toBe(2);
  expect(await rowsOf(reader, 'SELECT copy_job_id FROM copy_jobs ORDER BY 1')).toEqual([
    ['day-19'],
    ['day-20'],
  ]);
});

test('a query for one day opens the parts of that day only, also when the day is computed', async () => {
  const lake = await lakeOf();
  const days = [17, 18, 19, 20].map((day) => job(`day-${day}`, { creation_time: Date.UTC(2026, 10, day) }));
  await lake.write(days.slice(0, 3));
  await lake.write(days.slice(3), { engine: 'parquetjs-lite' });
  const reader = await lake.read();
  for (const day of [
    "'2026-11-18'",
    "(SELECT min(creation_date) FROM (VALUES ('2026-11-18')) AS v(creation_date))",
  ]) {
    const [[, plan] = []] = await rowsOf(
      reader,
      `EXPLAIN (ANALYZE) SELECT max(copy_job_id) FROM copy_jobs WHERE creation_date = ${day}`,
    );
    expect(
      [...String(plan).matchAll(/Total Files Read: (\d+)/g)].map(([, files]) => Number(files)),
    ).toContain(1);
    expect(String(plan)).not.toMatch(/Total Files Read: [2-9]/);
  }
});

test('what this lake cannot hold is named and not read, whatever it is', async () => {
  const lake = await lakeOf();
  await lake.write([job('a')]);
  const part = lake.part('2026-11-20');
  const day = dirname(part);
  const table = dirname(day);
  const copies = [
    join(day, 'part-00000 (conflicted copy).parquet'),
    join(day, 'part-00001.parquet'),
    join(table, 'creation_date=2026-11-20 copy', 'part-00000.parquet'),
    join(table, 'creation_date=2026-1-5', 'part-00000.parquet'),
    join(table, 'old', 'creation_date=2026-11-20', 'part-00000.parquet'),
    join(table, 'part-00000.parquet'),
  ];
  for (const copy of copies) {
    await mkdir(dirname(copy), { recursive: true });
    await copyFile(part, copy);
  }
  for (const name of ['.DS_Store', 'notes.txt']) await writeFile(join(day, name), 'x');
  await symlink('/nowhere/at/all', join(day, 'broken'));
  const reader = await lake.read();
  expect(await rowsOf(reader, 'SELECT copy_job_id FROM copy_jobs')).toEqual([['a']]);
  const named = [...copies, join(day, '.DS_Store'), join(day, 'notes.txt'), join(day, 'broken')];
  expect([...reader.foreign].sort()).toEqual(named.map((path) => relative(lake.folder, path)).sort());
});

test('a second coverage of a run is named and not read', async () => {
  const lab = await openLab({ accounts: 2, regions: 1 });
  const lake = await lakeOf();
  try {
    await lab.run();
    await rm(lake.folder, { recursive: true });
    await rename(lab.lake, lake.folder);
    const before = await rowsOf(await lake.read(), 'SELECT count(*) FROM export_coverage');
    const [name] = (await readdir(join(lake.folder, 'export_coverage'), { recursive: true })).filter((one) =>
      one.endsWith('.parquet'),
    );
    const coverage = join(lake.folder, 'export_coverage', String(name));
    await copyFile(coverage, coverage.replace('.parquet', ' copy.parquet'));
    const reader = await lake.read();
    expect(await rowsOf(reader, 'SELECT count(*) FROM export_coverage')).toEqual(before);
    expect(reader.foreign).toEqual([`export_coverage/${name}`.replace('.parquet', ' copy.parquet')]);
  } finally {
    await lab.close();
  }
});

describe('a part whose rows do not belong where it lies', () => {
  const on = (id: string, day: number) => job(id, { creation_time: Date.UTC(2026, 10, day, 5) });

  test.each(['duckdb', 'parquetjs-lite'] as const)(
    'of another day is refused, written by %s',
    async (engine) => {
      const lake = await lakeOf();
      await lake.write([on('a', 19), on('b', 20)], { engine });
      expect(await rowsOf(await lake.read(), 'SELECT count(*) FROM copy_jobs')).toEqual([[2n]]);
      const [one, two] = [lake.part('2026-11-19'), lake.part('2026-11-20')];
      await rename(one, `${one}.tmp`);
      await rename(two, one);
      await rename(`${one}.tmp`, two);
      await expect(lake.read()).rejects.toThrow(
        /The part copy_jobs\/creation_date=2026-11-19\/part-00000\.parquet in .* is damaged: it contains rows of creation_date 2026-11-20/,
      );
    },
  );

  test('of another bucket is refused', async () => {
    const lake = await lakeOf('lake', 4);
    const own = bucketOf('111122223333', 4);
    await lake.write([job('a')], { bucket: own });
    expect(await rowsOf(await lake.read(), 'SELECT count(*) FROM copy_jobs')).toEqual([[1n]]);
    await rename(lake.part('2026-11-20', own), lake.part('2026-11-20', (own + 1) % 4));
    await expect(lake.read()).rejects.toThrow(/is damaged: it contains rows of account 111122223333/);
  });

  test('that is another table’s, or no part of any, is refused', async () => {
    const lake = await lakeOf();
    await lake.write([job('a')]);
    const reader = await lake.read();
    await rowsOf(reader, 'SELECT 1');
    const instance = await DuckDBInstance.create(':memory:');
    const connection = await instance.connect();
    await connection.run(`COPY (SELECT 1 AS other) TO '${lake.part('2026-11-20')}' (FORMAT parquet)`);
    await expect(lake.read()).rejects.toThrow(/is damaged: it has no column creation_time/);
    const footer = `KV_METADATA {"table": 'copy_job_summaries'}`;
    await connection.run(
      `COPY (SELECT 1 AS other) TO '${lake.part('2026-11-20')}' (FORMAT parquet, ${footer})`,
    );
    await expect(lake.read()).rejects.toThrow(/it was written for table copy_job_summaries/);
    instance.closeSync();
  });
});

test('parts without the lake’s record are not guessed at', async () => {
  const lake = await lakeOf();
  await lake.write([job('a')]);
  await rm(join(lake.folder, '_ledger'), { recursive: true });
  await expect(lake.read()).rejects.toThrow(/part-00000\.parquet, but no _ledger\/lake\.json/);
});

describe('a lake whose own folder is a link', () => {
  test('is read as it is', async () => {
    const lake = await lakeOf();
    await lake.write([job('a')]);
    const real = `${lake.folder}-real`;
    await rename(lake.folder, real);
    await symlink(real, lake.folder);
    expect(await rowsOf(await lake.read(), 'SELECT copy_job_id FROM copy_jobs')).toEqual([['a']]);
  });
});

test('a part that is no Parquet is an error that names it', async () => {
  const lake = await lakeOf();
  await mkdir(dirname(lake.part('2026-11-20')), { recursive: true });
  await writeFile(lake.part('2026-11-20'), 'not Parquet at all, and long enough to hold a footer');
  await expect(lake.read()).rejects.toThrow(/creation_date=2026-11-20\/part-00000\.parquet cannot be read/);
});

test('what a query does not fit into memory goes to scratch, and closing leaves nothing there', async () => {
  const lake = await lakeOf();
  await lake.write([job('a')]);
  const reader = await lake.read({ memoryLimitBytes: 60e6, threads: 1 });
  const sorted = `SELECT count(*) FROM (SELECT * FROM (SELECT i, repeat('x', 100) || i AS t FROM range(1000000) r(i))
    ORDER BY hash(i), t LIMIT 900000)`;
  expect(await rowsOf(reader, sorted)).toEqual([[900000n]]);
  await reader.close();
  const left = await readdir(join(dirname(lake.folder), 'scratch'), { recursive: true });
  expect(left.filter((name) => /query-|spill/.test(name))).toEqual([]);
});

/** What a run of that instant says of one account. */
async function writeCoverage(lake: WrittenLake, asOf: number, account_name: string): Promise<void> {
  const [run_id, run_date] = [newRunId(asOf, asOf), utcDay(asOf)];
  const row = { run_id, as_of: asOf, table_name: 'copy_jobs', account_id: '111122223333', account_name };
  const output = join(lake.folder, coverageKey(run_date, run_id));
  await mkdir(dirname(output), { recursive: true });
  const staged = join(dirname(lake.folder), 'staged.csv');
  await writeFile(staged, linesOf(exportCoverage, [row]));
  const engine = await openEngine('duckdb', { memoryLimitBytes: 2e8, scratch: dirname(lake.folder) });
  try {
    await engine.merge({
      ...{ table: exportCoverage, partition: { run_date }, existing: null, staged: [staged], output },
      metadata: {},
    });
  } finally {
    await engine.close();
  }
}

test('of the coverage a question that asks for the lake’s now alone reads the newest day, one with names 35 days before it, one about targets all', async () => {
  const lake = await lakeOf();
  const now = Date.UTC(2026, 10, 20, 2);
  for (const days of [0, 35, 36]) await writeCoverage(lake, now - days * 86_400_000, `${days} days ago`);
  const asked = async (name: string) => {
    const reader = await lake.read({ views: loadViews(), names: new Set([name]) });
    return [reader.parts, ...(await rowsOf(reader, 'SELECT epoch_ms(as_of) FROM lake_time'))];
  };
  expect(await asked('lake_time')).toEqual([1, [BigInt(now)]]);
  expect(await asked('account_names')).toEqual([2, [BigInt(now)]]);
  expect(await asked('target_drains')).toEqual([3, [BigInt(now)]]);
});

/** Every column of every table, as Trino reads it: types, values, and what filters find. */
import { readFile } from 'node:fs/promises';
import { PutObjectCommand, S3Client } from '@aws-sdk/client-s3';
import { asyncBufferFromFile, parquetMetadataAsync } from 'hyparquet';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import type { Row } from '../../../src/tables/table.ts';
import { type LakeRow, readTable } from '../../support/lake-reader.ts';
import type { S3Server } from '../s3-servers.ts';
import type { Trino } from './client.ts';
import { type LakeInTrino, openInTrino, tables } from './lake-in-trino.ts';
import {
  type EngineName,
  engines,
  exportOddLake,
  mirror,
  type OddLake,
  oddRows,
  olderCopyJobs,
  partsBelow,
  withoutLater,
  writePart,
} from './lakes.ts';
import { oddTexts } from './odd-texts.ts';

const types = { text: 'varchar', bigint: 'bigint', boolean: 'boolean', timestamp: 'timestamp(3)' } as const;
/** Days long before those that the exports write. */
const days = { whole: '2020-02-29', old: ['2020-01-01', '2020-01-02'] } as const;
const filtered = ['resource_name', 'status_message', 'state', 'resource_type'];

export interface Place {
  readonly trino: Trino;
  readonly s3: S3Server;
}

/** Lakes in a local folder: one by each engine, and one by both that an older program began. */
export function localColumns(trino: () => Trino): void {
  describe.each(engines)('a local lake by %s', (engine) => {
    const schema = `local_${engine.replace('-', '_')}`;
    readsExactly(async () => {
      const lake = await exportOddLake([engine]);
      const rows = oddRows(days.whole);
      await writePart(lake.lab.lake, engine, days.whole, rows);
      const inTrino = await openInTrino(trino(), schema, `local://${lake.lab.lake}`, []);
      return { lake, inTrino, written: rows, by: [engine] };
    });
  });

  describe('a local lake by both engines, with parts of an older program that knew fewer columns', () => {
    readsExactly(async () => {
      const lake = await exportOddLake(['duckdb', 'parquetjs-lite']);
      const rows = oddRows(days.whole);
      await writePart(lake.lab.lake, 'parquetjs-lite', days.whole, rows);
      const written = [...rows];
      for (const [at, day] of days.old.entries()) {
        const old = oddRows(day).map(withoutLater);
        const engine = engines[at] ?? 'duckdb';
        await writePart(lake.lab.lake, engine, day, old, { table: olderCopyJobs });
        written.push(...old);
      }
      const inTrino = await openInTrino(trino(), 'local_both', `local://${lake.lab.lake}`, []);
      return { lake, inTrino, written, by: engines };
    });
  });
}

/** A lake on an S3 server, by both engines. @param exported made before other labs were opened */
export function s3Columns(place: () => Place, exported: () => OddLake, prefix: string): void {
  describe('a lake by both engines on an S3 server', () => {
    readsExactly(async () => {
      const { s3, trino } = place();
      const lake = exported();
      await mirror(s3, `${prefix}/`, lake.lab.lake);
      const rows = oddRows(days.whole);
      const part = await writePart(lake.lab.lake, 'parquetjs-lite', days.whole, rows);
      const client = new S3Client({
        endpoint: s3.endpoint,
        region: s3.region,
        credentials: s3,
        forcePathStyle: true,
      });
      const key = `${prefix}${part.slice(lake.lab.lake.length)}`;
      await client.send(new PutObjectCommand({ Bucket: s3.bucket, Key: key, Body: await readFile(part) }));
      client.destroy();
      const inTrino = await openInTrino(trino, 's3_both', `s3://${s3.bucket}/${prefix}`, []);
      return { lake, inTrino, written: rows, by: engines };
    });
  });
}

interface Made {
  readonly lake: OddLake;
  readonly inTrino: LakeInTrino;
  /** Of copy_jobs, besides what the exports wrote. */
  readonly written: readonly Row[];
  readonly by: readonly EngineName[];
}

function readsExactly(make: () => Promise<Made>): void {
  let made: Made;
  beforeAll(async () => {
    made = await make();
  });
  afterAll(() => made?.lake.close());

  it('holds what AWS told, odd texts and all, in parts of the engines that are named', async () => {
    const writtenBesides = new RegExp(`^copy_jobs: ${made.written.length} surplus`);
    const found = (await made.lake.differences()).filter((line) => !writtenBesides.test(line));
    expect(found).toEqual([]);
    const writers = new Set<string>();
    for (const part of await partsBelow(made.lake.lab.lake)) {
      const { created_by: by } = await parquetMetadataAsync(await asyncBufferFromFile(part));
      writers.add(by?.startsWith('DuckDB') ? 'duckdb' : 'parquetjs-lite');
    }
    expect([...writers].sort()).toEqual([...made.by].sort());
  });

  it.each(tables)('reads every column of $name with its type', async ({ name, columns, partitions }) => {
    const asked = await made.inTrino.ask(`SELECT * FROM ${name} LIMIT 0`);
    expect(asked.columns.map((column, at) => [column, asked.types[at]])).toEqual([
      ...columns.map((column) => [column.name, types[column.type]]),
      ...partitions.map((partition) => [partition.name, 'varchar']),
    ]);
  });

  it.each(tables)('reads every value of $name as DuckDB does, times in UTC', async ({ name }) => {
    const { rows } = await made.inTrino.ask(`SELECT * FROM ${name}`);
    const expected = await readTable(made.lake.lab.lake, name);
    expect(rows.length).toBeGreaterThan(10);
    expect(inOrder(rows)).toEqual(inOrder(expected));
  });

  it('reads every value that was written, whatever text, number or time it is', async () => {
    const { rows } = await made.inTrino.ask(`SELECT * FROM copy_jobs WHERE creation_date <= '${days.whole}'`);
    expect(inOrder(rows)).toEqual(inOrder(made.written));
    const texts = new Set(rows.flatMap((row) => Object.values(row)));
    for (const text of oddTexts) expect(texts).toContain(text);
  });

  it('finds by filters what is there, emoji and all: statistics hide no row', async () => {
    const { rows } = await made.inTrino.ask(
      oddTexts
        .flatMap((text, at) =>
          filtered.map(
            (column) =>
              `SELECT '${column}' AS name, ${at} AS at, count(*) AS equal FROM copy_jobs
               WHERE ${column} = '${text.replaceAll("'", "''")}' AND creation_date <= '${days.whole}'`,
          ),
        )
        .join(' UNION ALL '),
    );
    expect(rows.length).toBe(oddTexts.length * filtered.length);
    for (const { name, at, equal } of rows) {
      const text = oddTexts[Number(at)];
      const expected = made.written.filter((row) => row[String(name)] === text).length;
      expect(equal, `${name} = ${text}`).toBe(expected);
    }
    const found = new Set(rows.filter(({ equal }) => Number(equal) > 0).map(({ at }) => at));
    expect(found.size).toBe(oddTexts.length);
  });
}

function inOrder(rows: readonly (LakeRow | Row)[]): readonly (LakeRow | Row)[] {
  const keyOf = (row: LakeRow | Row) =>
    JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1)));
  return rows
    .map((row) => [keyOf(row), row] as const)
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([, row]) => row);
}

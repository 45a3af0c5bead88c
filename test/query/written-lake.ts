/** Lakes of rows that a test chooses, written by either engine; and readers over them. */
import { mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { openEngine } from '../../src/lake/engines/open-engine.ts';
import { schemaVersions, serializeRecord } from '../../src/lake/lake-record.ts';
import { bucketHash, formatVersion, lakeKey, partKey } from '../../src/lake/layout.ts';
import { openScratch } from '../../src/lake/scratch.ts';
import { openStore } from '../../src/lake/stores/open-store.ts';
import { type LakeReader, type LakeReaderOptions, openLakeReader } from '../../src/query/lake-reader.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { lakeTables } from '../../src/tables/lake-tables.ts';
import { type Row, type Table, utcDay, type Value, withDerived } from '../../src/tables/table.ts';
import { linesOf } from '../support/staged-rows.ts';

export interface WrittenLake {
  readonly folder: string;
  /** Absolute path of the part of a day. */
  readonly part: (day: string, bucket?: number) => string;
  readonly write: (
    rows: readonly Row[],
    options?: {
      readonly engine?: 'duckdb' | 'parquetjs-lite';
      readonly bucket?: number;
      readonly table?: Table;
    },
  ) => Promise<void>;
  /** Closes with the lake. */
  readonly read: (options?: Partial<LakeReaderOptions>) => Promise<LakeReader>;
  readonly close: () => Promise<void>;
}

/** @param name of the lake's folder */
export async function newLake(name = 'lake', buckets = 1): Promise<WrittenLake> {
  const parent = await mkdtemp(join(tmpdir(), 'backup-copy-export-query-'));
  const folder = join(parent, name);
  await mkdir(join(folder, dirname(lakeKey)), { recursive: true });
  await writeFile(
    join(folder, lakeKey),
    serializeRecord({
      format_version: formatVersion,
      schema_versions: schemaVersions(lakeTables),
      buckets,
      bucket_hash: bucketHash,
      created_at: '2026-11-20T00:00:00Z',
      created_by_run: 'test',
      created_by_version: '0.0.0-test',
      unsafe_store: false,
      multipart: true,
    }),
  );
  const part = (day: string, bucket = 0): string =>
    join(folder, partKey(copyJobs, { creation_date: day }, bucket));
  const opened: { close(): Promise<void> }[] = [];
  return {
    folder,
    part,
    async write(rows, { engine: name = 'duckdb', bucket = 0, table = copyJobs } = {}) {
      const scratch = await mkdtemp(join(parent, 'scratch-'));
      const days = Map.groupBy(rows, (row) => String(row.creation_date));
      for (const [day, ofDay] of days) {
        const staged = join(scratch, 'staged.csv');
        await writeFile(staged, linesOf(table, ofDay));
        const output = part(day, bucket);
        await mkdir(dirname(output), { recursive: true });
        const engine = await openEngine(name, { memoryLimitBytes: 2e8, scratch });
        try {
          await engine.merge({
            table,
            partition: { creation_date: day },
            existing: null,
            staged: [staged],
            output,
            metadata: {},
          });
        } finally {
          await engine.close();
        }
      }
      await rm(scratch, { recursive: true });
    },
    async read(options = {}) {
      const store = await openStore(
        { kind: 'local', folder },
        {
          create: false,
          endpointUrl: null,
          kmsKeyId: null,
          expectedBucketOwner: null,
          log: pino({ level: 'silent' }),
        },
      );
      const scratch = await openScratch({
        parent: join(parent, 'scratch'),
        runId: `r${opened.length}`,
        limitBytes: 1e9,
      });
      opened.push({ close: () => scratch.remove() });
      const reader = await openLakeReader({
        store,
        folder,
        scratch,
        memoryLimitBytes: 2e8,
        views: [],
        ...options,
      });
      opened.unshift(reader);
      return reader;
    },
    async close() {
      for (const one of opened) await one.close();
      await rm(parent, { recursive: true, force: true });
    },
  };
}

/** A copy job with every column; `change` by the columns' names. */
export function job(id: string, change: Readonly<Record<string, Value>> = {}): Row {
  const created = Number(change.creation_time ?? Date.UTC(2026, 10, 20, 1, 2, 3, 456));
  const empty = Object.fromEntries(copyJobs.columns.map(({ name }) => [name, null]));
  return withDerived(copyJobs, {
    ...empty,
    copy_job_id: id,
    account_id: '111122223333',
    region: 'us-east-1',
    state: 'COMPLETED',
    creation_time: created,
    creation_date: utcDay(created),
    first_observed_at: created,
    observed_at: created,
    run_id: 'run',
    queried_account_id: '111122223333',
    ...change,
  });
}

export async function rowsOf(reader: LakeReader, sql: string): Promise<readonly (readonly unknown[])[]> {
  const { sql: checked } = await reader.check(sql);
  return (await reader.connection.runAndReadAll(checked)).getRowsJS();
}

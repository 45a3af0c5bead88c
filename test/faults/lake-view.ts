/** A lake as it lies on disk, read with DuckDB and by what docs/design.md says of its layout; none of the program's code. */
import { createHash } from 'node:crypto';
import { lstat, readdir, readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { LakeRow } from '../support/lake-reader.ts';

const tables = ['copy_jobs', 'copy_job_summaries', 'export_coverage', 'export_reconciliation'] as const;
export type TableName = (typeof tables)[number];

export interface Part {
  readonly key: string;
  readonly table: TableName;
  /** With the partition's columns. */
  readonly rows: readonly LakeRow[];
}

export interface Watermark {
  /** `<table>/<account>/<region>` */
  readonly name: string;
  /** Milliseconds since the epoch; null: from the beginning. */
  readonly from: number | null;
  readonly to: number;
}

export interface RunRecord {
  readonly runId: string;
  readonly begin: Readonly<Record<string, unknown>>;
  readonly manifest: Readonly<Record<string, unknown>> | null;
}

export interface LakeView {
  readonly parts: readonly Part[];
  /** Below a table's prefix, and no part's name. */
  readonly foreign: readonly string[];
  /** Parts that cannot be read, and why. */
  readonly unreadable: ReadonlyMap<string, string>;
  readonly watermarks: readonly Watermark[];
  readonly runs: readonly RunRecord[];
  /** Null: there is no lake.json. */
  readonly buckets: number | null;
  /** What is wrong with the ledger's own files. */
  readonly brokenLedger: readonly string[];
}

const partName: Readonly<Record<TableName, RegExp>> = {
  copy_jobs: /^copy_jobs\/creation_date=\d{4}-\d\d-\d\d\/part-\d{5}\.parquet$/,
  copy_job_summaries:
    /^copy_job_summaries\/aggregation_period=[A-Z_]+\/start_date=\d{4}-\d\d-\d\d\/part-\d{5}\.parquet$/,
  export_coverage: /^export_coverage\/run_date=\d{4}-\d\d-\d\d\/[0-9a-f-]{36}\.parquet$/,
  export_reconciliation: /^export_reconciliation\/run_date=\d{4}-\d\d-\d\d\/[0-9a-f-]{36}\.parquet$/,
};

/** Rows by what a file is: most parts of a lake are as they were at the look before. */
export type KnownRows = Map<string, readonly LakeRow[]>;

/** @param known what was read before, of this lake alone; filled */
export async function viewLake(folder: string, known: KnownRows = new Map()): Promise<LakeView> {
  const names = (await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []))
    .filter((entry) => !entry.isDirectory())
    .map((entry) => join(entry.parentPath, entry.name).slice(folder.length + 1))
    .sort();
  const foreign: string[] = [];
  const unreadable = new Map<string, string>();
  const parts: Part[] = [];
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    for (const key of names) {
      const table = tables.find((name) => key.startsWith(`${name}/`));
      if (table === undefined) continue;
      if (!partName[table].test(key)) {
        foreign.push(key);
        continue;
      }
      try {
        const { mtimeMs, ino, size } = await lstat(join(folder, key));
        const name = [key, mtimeMs, ino, size].join(' ');
        const rows = known.get(name) ?? (await rowsOf(connection, folder, key));
        known.set(name, rows);
        parts.push({ key, table, rows });
      } catch (error) {
        unreadable.set(key, String(error));
      }
    }
  } finally {
    instance.closeSync();
  }
  return { parts, foreign, unreadable, ...(await ledgerOf(folder, names)) };
}

async function rowsOf(connection: DuckDBConnection, folder: string, key: string): Promise<LakeRow[]> {
  const from = `read_parquet('${join(folder, key).replaceAll("'", "''")}', hive_partitioning = false)`;
  const described = (await connection.runAndReadAll(`DESCRIBE SELECT * FROM ${from}`)).getRowObjectsJS();
  const selected = described.map(({ column_name: name, column_type: type }) =>
    String(type).startsWith('TIMESTAMP') ? `epoch_ms("${name}"::TIMESTAMP) AS "${name}"` : `"${name}"`,
  );
  const partition = Object.fromEntries(
    [...key.matchAll(/\/(\w+)=([^/]+)/g)].map(([, name, value]) => [String(name), String(value)]),
  );
  const read = await connection.runAndReadAll(`SELECT ${selected.join(', ')} FROM ${from}`);
  return read.getRowObjectsJS().map((row) => ({
    ...Object.fromEntries(
      Object.entries(row).map(([name, value]) => {
        if (typeof value === 'bigint') return [name, Number(value)];
        if (value === null || typeof value === 'string' || typeof value === 'boolean') return [name, value];
        throw new Error(`${name} holds a ${typeof value}`);
      }),
    ),
    ...partition,
  }));
}

async function ledgerOf(folder: string, names: readonly string[]) {
  const brokenLedger: string[] = [];
  const json = async (key: string): Promise<Readonly<Record<string, unknown>> | null> => {
    try {
      const parsed: unknown = JSON.parse(await readFile(join(folder, key), 'utf8'));
      if (typeof parsed === 'object' && parsed !== null) return { ...parsed };
      throw new Error('is no object');
    } catch (error) {
      brokenLedger.push(`${key}: ${String(error)}`);
      return null;
    }
  };
  const watermarks: Watermark[] = [];
  for (const key of names.filter((name) => /^_ledger\/watermarks\/\d{5}\.json$/.test(name))) {
    const file = await json(key);
    const targets: unknown = file?.targets;
    for (const [name, mark] of Object.entries(Object(targets))) {
      const from: unknown = Reflect.get(Object(mark), 'covered_from');
      const to = Date.parse(String(Reflect.get(Object(mark), 'covered_to')));
      if (Number.isNaN(to)) brokenLedger.push(`${key}: ${name} has no covered_to`);
      watermarks.push({ name, from: from === null ? null : Date.parse(String(from)), to });
    }
  }
  const runs: RunRecord[] = [];
  for (const key of names.filter((name) => /^_ledger\/runs\/.*\.begin\.json$/.test(name))) {
    const begin = await json(key);
    if (begin === null) continue;
    const ended = key.replace(/\.begin\.json$/, '.json');
    const manifest = names.includes(ended) ? await json(ended) : null;
    runs.push({ runId: String(begin.run_id), begin, manifest });
  }
  const lake = names.includes('_ledger/lake.json') ? await json('_ledger/lake.json') : null;
  return { watermarks, runs, buckets: lake === null ? null : Number(lake.buckets), brokenLedger };
}

/** The bucket of an account's rows, as docs/design.md says it: section 4, Layout. */
export function bucketNumber(account: string, buckets: number): number {
  return createHash('sha256').update(account).digest().readUInt32BE(0) % buckets;
}

export function rowsIn(view: LakeView, table: TableName): LakeRow[] {
  return view.parts.filter((part) => part.table === table).flatMap(({ rows }) => rows);
}

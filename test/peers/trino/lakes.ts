/** Lakes to read: made by the real export over a simulator whose copy jobs hold odd texts. */
import { cp, mkdir, mkdtemp, readdir, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import { partKey } from '../../../src/lake/layout.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { type Row, type Table, withDerived } from '../../../src/tables/table.ts';
import { stage } from '../../lake/engines/sample-table.ts';
import { openDescribed } from '../../lake/stores/described-store.ts';
import { type Flags, type Lab, openLab } from '../../support/lab.ts';
import { differences, readLake } from '../../support/lake-reader.ts';
import { readTruth } from '../../support/truth.ts';
import type { S3Server } from '../s3-servers.ts';
import { type OddTexts, oddTexts, startOddTexts } from './odd-texts.ts';

export const engines = ['duckdb', 'parquetjs-lite'] as const;
export type EngineName = (typeof engines)[number];

export interface OddLake {
  readonly lab: Lab;
  /** How the local lake differs from what AWS told; empty when it is equal. */
  differences(): Promise<string[]>;
  /** Whoever calls it, it closes once. */
  close(): Promise<void>;
}

/**
 * One export by each engine of the list, with a day between them. Labs share the environment: one at a time.
 * @param flagsFor what to export with besides, once the lab is there
 */
export async function exportOddLake(
  by: readonly EngineName[],
  flagsFor: (lab: Lab) => Promise<Flags> = async () => ({}),
): Promise<OddLake> {
  const lab = await openLab({ accounts: 3, regions: 2, jobsPerDay: 8, days: 4 });
  let odd: OddTexts | undefined;
  let closing: Promise<void> | undefined;
  const close = () => {
    closing ??= Promise.resolve(odd?.stop()).then(() => lab.close());
    return closing;
  };
  try {
    odd = await startOddTexts(lab.simulator.endpoint);
    process.env.AWS_ENDPOINT_URL_BACKUP = odd.endpoint;
    const change = await flagsFor(lab);
    for (const [night, engine] of by.entries()) {
      if (night > 0) await lab.simulator.advance(24 * 3_600_000);
      await lab.run({ buckets: '2', ...change, engine });
    }
  } catch (error) {
    await close();
    throw error;
  }
  const { told } = odd;
  return {
    lab,
    close,
    differences: async () => {
      const truth = await readTruth(lab.truthFile);
      const jobs = [...truth.copy_jobs].map(([id, row]) => [id, { ...row, ...told.get(id) }] as const);
      return differences(await readLake(lab.lake), { ...truth, copy_jobs: new Map(jobs) });
    },
  };
}

/** Copies a lake from S3 to where the lab looks for one. */
export async function mirror(server: S3Server, prefix: string, folder: string): Promise<void> {
  const store = await openDescribed({ kind: 's3', prefix, ...server });
  try {
    for await (const key of store.list('')) {
      await mkdir(dirname(join(folder, key)), { recursive: true });
      await store.download(key, join(folder, key));
    }
  } finally {
    await store.close();
  }
}

/**
 * Writes the rows' columns that the table has as the part of a day, as the engine does it.
 * @param areKnown whether it is known how many rows there are, with keys of their own: many rows are then written in ranges, and joined
 */
export async function writePart(
  lake: string,
  engine: EngineName,
  day: string,
  rows: readonly Row[],
  { table = copyJobs, areKnown = false }: { readonly table?: Table; readonly areKnown?: boolean } = {},
): Promise<string> {
  const scratch = await mkdtemp(join(tmpdir(), 'bce-part-'));
  const open = await openEngine(engine, { memoryLimitBytes: 512 * 2 ** 20, scratch });
  try {
    const partition = { creation_date: day };
    const names = new Set([...table.columns, ...table.partitions].map(({ name }) => name));
    const known = rows.map((row) =>
      Object.fromEntries(Object.entries(row).filter(([name]) => names.has(name))),
    );
    const output = join(scratch, 'part.parquet');
    const lines = await stage(table, join(scratch, 'staged.csv'), known);
    const sizes = { stagedRows: rows.length, stagedBytes: (await stat(lines)).size, distinctKeys: true };
    await open.merge({
      ...{ table, partition, existing: null, staged: [lines], output, metadata: {} },
      ...(areKnown ? sizes : {}),
    });
    const part = join(lake, partKey(table, partition, 0));
    await mkdir(dirname(part), { recursive: true });
    await cp(output, part);
    return part;
  } finally {
    await open.close();
    await rm(scratch, { recursive: true, force: true });
  }
}

/** The table as an older program knew it: without a column of each type, from its middle and its end. */
const later = [
  'destination_vault_lock_state',
  'backup_size_in_bytes',
  'created_by_backup_job_id',
  'is_parent',
  'is_cross_account',
  'first_observed_at',
  'queried_account_id',
];
export const olderCopyJobs: Table = {
  ...copyJobs,
  columns: copyJobs.columns.filter(({ name }) => !later.includes(name)),
};

/** Rows with an odd text in every column that holds text, and with numbers and times at their edges. */
export function oddRows(day: string): readonly Row[] {
  const integers = [2 ** 53 - 1, -(2 ** 53) + 1, 0, -1];
  return oddTexts.map((_, at) => {
    const start = Date.parse(`${day}T00:00:00.000Z`);
    const values = copyJobs.columns.map(({ name, type }, column) => {
      const turn = at + column;
      if ((3 * at + column) % 5 === 0) return [name, null] as const;
      if (type === 'text') return [name, oddTexts[turn % oddTexts.length] ?? null] as const;
      if (type === 'bigint') return [name, integers[turn % integers.length] ?? null] as const;
      if (type === 'boolean') return [name, turn % 2 === 0] as const;
      return [name, start - turn * 300 * 86_400_001] as const;
    });
    const row = {
      ...Object.fromEntries(values),
      copy_job_id: `${day} ${at} ${oddTexts[at]?.slice(0, 40)}`,
      account_id: String(at).padStart(12, '0'),
      creation_time: start + at,
      observed_at: start + 86_400_000 - 1,
      first_observed_at: start,
      creation_date: day,
    };
    return withDerived(copyJobs, row);
  });
}

/** As an old part keeps it. */
export function withoutLater(row: Row): Row {
  return Object.fromEntries(
    Object.entries(row).map(([name, value]) => [name, later.includes(name) ? null : value]),
  );
}

export async function partsBelow(folder: string): Promise<readonly string[]> {
  const entries = await readdir(folder, { recursive: true });
  return entries.filter((entry) => entry.endsWith('.parquet')).map((entry) => join(folder, entry));
}

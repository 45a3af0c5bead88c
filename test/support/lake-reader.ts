/** Reads a lake with DuckDB, as a person would: the parts, and nothing of the program's own code. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { connectToRead } from './reading-database.ts';
import type { Expected, ExpectedLake } from './truth.ts';
import { summaryKey } from './truth.ts';

const provenance = new Set([
  'first_observed_at',
  'observed_at',
  'state_history',
  'run_id',
  'queried_account_id',
]);
const derived = new Set([
  'is_terminal',
  'duration_ms',
  'source_account_id',
  'source_region',
  'destination_account_id',
  'destination_region',
  'is_cross_account',
  'is_cross_region',
  'schedule_interval_ms',
]);

export type LakeRow = Readonly<Record<string, string | number | boolean | null>>;

/** Every row of a table, partition columns included, and its file if wanted; times in milliseconds since the epoch. */
export async function readTable(folder: string, table: string, filename = false): Promise<LakeRow[]> {
  const path = join(folder, table);
  if (!existsSync(path)) return [];
  const glob = join(path, '**', '*.parquet').replaceAll("'", "''");
  const from = `read_parquet('${glob}', hive_partitioning = true, hive_types_autocast = false, union_by_name = true, filename = ${filename})`;
  const connection = await connectToRead();
  try {
    // Parts of earlier versions have times with a zone beside those without: DuckDB makes one column of both by this zone.
    await connection.run("SET TimeZone = 'UTC'");
    const reader = await connection.runAndReadAll(`SELECT * FROM ${from}`);
    return reader.getRowObjectsJS().map((row) =>
      Object.fromEntries(
        Object.entries(row).map(([name, value]) => {
          if (typeof value === 'bigint') return [name, Number(value)];
          if (value instanceof Date) return [name, value.getTime()];
          if (value === null || typeof value === 'string' || typeof value === 'boolean') return [name, value];
          throw new Error(`${table}.${name} holds a ${typeof value}`);
        }),
      ),
    );
  } finally {
    connection.closeSync();
  }
}

/** The lake as the truth would say it: API columns, region and partitions, without nulls. Fails on a doubled key. */
export async function readLake(folder: string): Promise<ExpectedLake> {
  const keyed = (rows: readonly LakeRow[], keyOf: (row: LakeRow) => string) => {
    const map = new Map<string, Expected>();
    for (const row of rows) {
      const key = keyOf(row);
      if (map.has(key)) throw new Error(`the lake holds ${key} twice`);
      map.set(key, apiOnly(row));
    }
    return map;
  };
  return {
    copy_jobs: keyed(await readTable(folder, 'copy_jobs'), (row) => String(row.copy_job_id)),
    copy_job_summaries: keyed(await readTable(folder, 'copy_job_summaries'), summaryKey),
  };
}

/** A row as the truth would say it: without what the program adds, and without nulls. */
export function apiOnly(row: LakeRow): Expected {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(row)) {
    if (value !== null && !provenance.has(name) && !derived.has(name)) kept[name] = value;
  }
  return kept;
}

/** What differs between two lakes, a few examples each; empty when they are equal. */
export function differences(actual: ExpectedLake, expected: ExpectedLake, examples = 3): string[] {
  const found: string[] = [];
  for (const table of ['copy_jobs', 'copy_job_summaries'] as const) {
    const missing = [...expected[table].keys()].filter((key) => !actual[table].has(key));
    const surplus = [...actual[table].keys()].filter((key) => !expected[table].has(key));
    const different = [...expected[table]].flatMap(([key, row]) => {
      const other = actual[table].get(key);
      if (other === undefined) return [];
      const names = [...new Set([...Object.keys(row), ...Object.keys(other)])].filter(
        (name) => row[name] !== other[name],
      );
      return names.length === 0
        ? []
        : [
            `${key}: ${names.map((name) => `${name} is ${shown(other[name])}, not ${shown(row[name])}`).join('; ')}`,
          ];
    });
    for (const [what, list] of Object.entries({ missing, surplus, different })) {
      if (list.length > 0)
        found.push(`${table}: ${list.length} ${what}: ${list.slice(0, examples).join(' · ')}`);
    }
  }
  return found;
}

/** The beginning of a value: a message may have 60,000 characters. */
function shown(value: unknown): string {
  const text = String(value);
  return text.length <= 200 ? text : `${text.slice(0, 200)}… (${text.length} characters)`;
}

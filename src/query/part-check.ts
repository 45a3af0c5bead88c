/**
 * Checks that the rows of a part belong to its key, before the part is queried. The footers prove it for almost every
 * part; rows are read only for the others.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteFile, quoteName, quoteText } from '../lake/engines/sql-text.ts';
import { parseTableKey, type TableKey } from '../lake/layout.ts';
import {
  contradiction,
  damagedPart,
  dayColumn,
  expectedFooter,
  outsideBucket,
  outsideDay,
} from '../lake/part-placement.ts';
import type { Table } from '../tables/table.ts';
import type { Part } from './lake-parts.ts';

export interface CheckedLake {
  readonly url: string;
  readonly buckets: number;
}

interface PlacedPart {
  readonly part: Part;
  readonly place: TableKey;
  readonly footer: ReadonlyMap<string, string>;
}

/** @throws LakeError for the first damaged part, with the same message as export; the engine's error for a broken file */
export async function checkParts(
  connection: DuckDBConnection,
  table: Table,
  parts: readonly Part[],
  lake: CheckedLake,
): Promise<void> {
  if (parts.length === 0) return;
  const footers = await footersOf(connection, parts);
  const placed = parts.flatMap((part): PlacedPart[] => {
    const place = parseTableKey(table, part.key, lake.buckets);
    return place === null ? [] : [{ part, place, footer: footers.get(part.file) ?? new Map() }];
  });
  const refuse = ({ part }: PlacedPart, why: string | null): void => {
    if (why !== null) throw damagedPart(part.key, lake.url, why);
  };
  for (const one of placed)
    refuse(one, contradiction(expectedFooter(table, one.place, lake.buckets), one.footer));
  // Coverage is written by one run, and the run id contains the day.
  if (table.merge.kind === 'append') return;
  await checkDays(connection, table, placed, refuse);
  await checkBuckets(connection, placed, lake, refuse);
}

const told = ['table', 'partition', 'bucket', 'buckets', 'run_id'];

async function footersOf(
  connection: DuckDBConnection,
  parts: readonly Part[],
): Promise<ReadonlyMap<string, ReadonlyMap<string, string>>> {
  const rows = await rowsOf(
    connection,
    `SELECT file_name, decode(key), decode(value) FROM parquet_kv_metadata(${filesOf(parts)})
     WHERE key IN (${told.map((name) => `encode(${quoteText(name)})`)})`,
  );
  const footers = new Map<string, Map<string, string>>();
  for (const [file, name, value] of rows) {
    const footer = footers.get(String(file)) ?? new Map<string, string>();
    footers.set(String(file), footer.set(String(name), String(value)));
  }
  return footers;
}

type Refuse = (part: PlacedPart, why: string | null) => void;

async function checkDays(
  connection: DuckDBConnection,
  table: Table,
  placed: readonly PlacedPart[],
  refuse: Refuse,
): Promise<void> {
  const day = dayColumn(table);
  if (day === null) return;
  // Each row group has its statistics as text, such as 2026-11-20 01:02:03.456.
  const proofs = await rowsOf(
    connection,
    `SELECT file_name, min(left(stats_min_value, 10)), max(left(stats_max_value, 10)),
       bool_and(coalesce(stats_min_value IS NOT NULL AND stats_null_count = 0, false))
     FROM parquet_metadata(${filesOf(placed.map(({ part }) => part))})
     WHERE path_in_schema = ${quoteText(day.of)} GROUP BY file_name`,
  );
  const proven = new Map(
    proofs.flatMap(([file, first, last, whole]) =>
      whole === true && first === last ? [[String(file), String(first)] as const] : [],
    ),
  );
  const unproven = placed.filter(({ part, place }) => proven.get(part.file) !== place.day);
  if (unproven.length === 0) return;
  const time = `epoch_ms(${quoteName(day.of)}::TIMESTAMP)`;
  for (const one of unproven) {
    const file = filesOf([one.part]);
    const columns = await rowsOf(connection, `SELECT name FROM parquet_schema(${file})`);
    if (!columns.some(([name]) => name === day.of)) refuse(one, `it has no column ${day.of}`);
    const [[first, last, without] = []] = await rowsOf(
      connection,
      `SELECT min(${time}), max(${time}), count(*) FILTER (${quoteName(day.of)} IS NULL)
       FROM read_parquet(${file}, hive_partitioning = false)`,
    );
    const span = { first: numberOf(first), last: numberOf(last), without: Number(without) };
    refuse(one, outsideDay(table, one.place.day, span));
  }
}

/** Footers name the bucket. Parts of older programs do not, so their rows are checked. */
async function checkBuckets(
  connection: DuckDBConnection,
  placed: readonly PlacedPart[],
  { buckets }: CheckedLake,
  refuse: Refuse,
): Promise<void> {
  const untold = placed.filter(({ footer }) => !footer.has('buckets'));
  if (buckets === 1 || untold.length === 0) return;
  const rows = await rowsOf(
    connection,
    `SELECT DISTINCT filename, account_id
     FROM read_parquet(${filesOf(untold.map(({ part }) => part))}, filename = true, hive_partitioning = false)`,
  );
  const accounts = Map.groupBy(rows, ([file]) => String(file));
  for (const one of untold) {
    const own = (accounts.get(one.part.file) ?? []).map(([, account]) =>
      account === null ? null : String(account),
    );
    refuse(one, outsideBucket(own, { bucket: one.place.bucket ?? 0, buckets }));
  }
}

function filesOf(parts: readonly Part[]): string {
  return `[${parts.map(({ file }) => quoteFile(file))}]`;
}

async function rowsOf(connection: DuckDBConnection, sql: string): Promise<readonly (readonly unknown[])[]> {
  return (await connection.runAndReadAll(sql)).getRowsJS();
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

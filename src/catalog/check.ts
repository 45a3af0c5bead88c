/** `catalog check`: Glue, the definitions and what really lies in the lake, held against each other. */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { join } from 'node:path';
import type { Database, Table as GlueTable } from '@aws-sdk/client-glue';
import { type OpenPart, openPart } from '../lake/engines/part-reader.ts';
import { readRecord, recordMissing } from '../lake/lake-record.ts';
import { parseTableKey, type TableKey, tablePrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { EngineError, ScratchError } from '../shared/errors.ts';
import type { Table } from '../tables/table.ts';
import { planView } from './athena-views.ts';
import { programVersionParameter, tableLocation } from './definition.ts';
import type { Glue } from './glue.ts';
import { changedTable, projectedFirstDay } from './glue-table.ts';
import type { CheckReport } from './report.ts';
import type { View } from './statements.ts';

export interface CheckOptions {
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  readonly glue: Glue;
  readonly store: Store;
  readonly place: Pick<CheckReport, 'lake' | 'account_id' | 'region' | 'database'>;
  /** Where parts are put to be read; removed at the end. */
  readonly scratch: string;
  /** The UTC day that it is, by AWS's time: what Athena takes for `NOW`. */
  readonly today: string;
  readonly programVersion: string;
  readonly stopping: AbortSignal;
}

/** The schema of so many parts of each table is read: the newest, the oldest, and some between. */
const sampled = 5;

/** @throws ReportedError when Glue or the lake cannot be read */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const { tables, glue, place } = options;
  const drifts: string[] = [];
  let [parts, read] = [0, 0];
  const record = await readRecord(options.store, tables, options.stopping);
  const database = await glue.database();
  if (database === null) drifts.push(`database ${place.database} is not in Glue: run catalog apply`);
  for (const table of tables) {
    const found = database === null ? null : await glue.table(table.name);
    const objects = await objectsOf(table, record?.buckets ?? null, options);
    const firstDay = objects.parts.map(({ day }) => day).sort()[0] ?? options.today;
    if (database !== null) drifts.push(...tableDrifts(table, found, firstDay, options));
    drifts.push(...objects.drifts, ...rangeDrifts(table, objects.parts, found, options.today));
    const sample = sampleOf(objects.parts);
    drifts.push(...(await schemaDrifts(table, sample, options)));
    parts += objects.parts.length;
    read += sample.length;
  }
  if (database !== null) drifts.push(...(await viewDrifts(database, options)));
  return {
    action: 'check',
    exit_code: drifts.length === 0 ? 0 : 78,
    ...place,
    drifts,
    parts,
    parts_read: read,
  };
}

function tableDrifts(
  table: Table,
  found: GlueTable | null,
  firstDay: string,
  { place, programVersion }: CheckOptions,
): string[] {
  if (found === null) return [`${table.name}: is not in Glue: run catalog apply`];
  // A table made by another release with the same columns is in step, and its first day is judged by the parts.
  const { changes, refusals } = changedTable(table, found, {
    location: tableLocation(table, place.lake),
    firstDay: projectedFirstDay(table, found) ?? firstDay,
    programVersion: found.Parameters?.[programVersionParameter] ?? programVersion,
  });
  return [...refusals, ...changes.map((change) => `${change.slice(2)} (catalog apply would change it)`)];
}

async function viewDrifts(database: Database, { views, glue, place }: CheckOptions): Promise<string[]> {
  const drifts: string[] = [];
  for (const view of views) {
    const found = await glue.table(view.name);
    const { change, refusal } = planView(view, place.database, found, database.Parameters ?? {});
    if (refusal !== null) drifts.push(refusal);
    else if (found === null) drifts.push(`view ${view.name}: is not in Glue: run catalog apply`);
    else if (change !== null)
      drifts.push(`view ${view.name}: was made by another statement: run catalog apply`);
  }
  return drifts;
}

/** @param buckets the lake's; null where there is no lake yet */
async function objectsOf(table: Table, buckets: number | null, { store, stopping }: CheckOptions) {
  const parts: TableKey[] = [];
  const drifts: string[] = [];
  for await (const key of store.list(tablePrefix(table), {}, stopping)) {
    if (buckets === null) throw recordMissing(store.url, key);
    const part = parseTableKey(table, key, buckets);
    if (part !== null) parts.push(part);
    else drifts.push(`${key}: is no part of this lake, and lies where only parts may lie: move it away`);
  }
  return { parts, drifts };
}

/** Parts that Athena does not see, since their partition is not projected. */
function rangeDrifts(
  table: Table,
  parts: readonly TableKey[],
  found: GlueTable | null,
  today: string,
): string[] {
  const firstDay = found === null ? null : projectedFirstDay(table, found);
  return parts.flatMap(({ key, day }) => {
    const drifts: string[] = [];
    if (firstDay !== null && day < firstDay) {
      drifts.push(`${key}: lies before the projected range, which begins ${firstDay}: run catalog apply`);
    }
    if (day > today) drifts.push(`${key}: lies behind the projected range, which ends today, ${today}`);
    return drifts;
  });
}

function sampleOf(parts: readonly TableKey[]): readonly TableKey[] {
  const byDay = parts.toSorted((a, b) => (a.day === b.day ? 0 : a.day < b.day ? -1 : 1));
  const last = byDay.length - 1;
  const indexes = new Set(Array.from({ length: sampled }, (_, i) => Math.round((last * i) / (sampled - 1))));
  return byDay.filter((_, index) => indexes.has(index));
}

async function schemaDrifts(
  table: Table,
  sample: readonly TableKey[],
  { store, scratch, stopping }: CheckOptions,
): Promise<string[]> {
  if (sample.length === 0) return [];
  const folder = await scratchFolder(scratch);
  try {
    const drifts: string[] = [];
    for (const { key } of sample) {
      const file = join(folder, 'part.parquet');
      // Null: it was there when it was listed, and is gone; the next check will see.
      if ((await store.download(key, file, stopping)) === null) continue;
      drifts.push(...(await partDrifts(table, key, file)));
    }
    return drifts;
  } finally {
    await rm(folder, { recursive: true, force: true });
  }
}

async function partDrifts(table: Table, key: string, file: string): Promise<string[]> {
  let part: OpenPart;
  try {
    part = await openPart(file);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return [`${key}: cannot be read as Parquet; restore its earlier version`];
  }
  const known = new Map(table.columns.map((column) => [column.name, column.type]));
  const partitions = new Set(table.partitions.map(({ name }) => name));
  // A column that the part lacks is no drift: it was written before there was one, and reads as null.
  return [...part.columns].flatMap(([name, type]) => {
    const wanted = known.get(name);
    if (partitions.has(name))
      return [`${key}: holds the partition column ${name}, which its path already says`];
    if (wanted === undefined) return [`${key}: holds a column ${name}, which no definition names`];
    return type === wanted
      ? []
      : [`${key}: column ${name} is ${type ?? 'of a type no table has'}, not ${wanted}`];
  });
}

async function scratchFolder(parent: string): Promise<string> {
  try {
    await mkdir(parent, { recursive: true });
    return await mkdtemp(join(parent, 'catalog-'));
  } catch (error) {
    throw new ScratchError(
      `No folder could be made in the scratch ${parent}`,
      'Name a folder that can be written to with --scratch.',
      { cause: error },
    );
  }
}

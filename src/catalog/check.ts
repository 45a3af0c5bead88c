/** `catalog check`: compares Glue, the definitions and the lake's actual parts. */
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
import type { CheckReport } from './catalog-report.ts';
import { programVersionParameter, tableLocation } from './definition.ts';
import type { Glue } from './glue.ts';
import { changedTable, projectedFirstDay } from './glue-table.ts';
import type { View } from './statements.ts';

export interface CheckOptions {
  readonly tables: readonly Table[];
  readonly views: readonly View[];
  readonly glue: Glue;
  readonly store: Store;
  readonly place: Pick<CheckReport, 'lake' | 'account_id' | 'region' | 'database'>;
  /** Folder for downloaded parts, which are removed at the end. */
  readonly scratch: string;
  /** The current UTC day by AWS's time, which Athena uses as `NOW`. */
  readonly today: string;
  readonly programVersion: string;
  readonly stopping: AbortSignal;
}

/** How many parts of each table have their schema read: the newest, the oldest, and some in between. */
const sampled = 5;

/** @throws ReportedError when Glue or the lake cannot be read */
export async function check(options: CheckOptions): Promise<CheckReport> {
  const { tables, glue, place } = options;
  const drifts: string[] = [];
  let [parts, read] = [0, 0];
  const record = await readRecord(options.store, tables, options.stopping);
  const database = await glue.database();
  if (database === null) drifts.push(`database ${place.database} is not in Glue; run catalog apply`);
  for (const table of tables) {
    const found = database === null ? null : await glue.table(table.name);
    const objects = await objectsOf(table, record?.buckets ?? null, options);
    const firstDay = objects.parts.map(({ day }) => day).sort()[0] ?? options.today;
    if (database !== null) drifts.push(...tableDrifts(table, found, firstDay, options));
    for (const drift of objects.drifts) drifts.push(drift);
    for (const drift of rangeDrifts(table, objects.parts, found, options.today)) drifts.push(drift);
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
  if (found === null) return [`${table.name}: not in Glue; run catalog apply`];
  // A table that another release made with the same columns is fine, and its first day is compared with the parts.
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
    else if (found === null) drifts.push(`view ${view.name}: not in Glue; run catalog apply`);
    else if (change !== null)
      drifts.push(`view ${view.name}: Glue has another definition; run catalog apply`);
  }
  return drifts;
}

/** @param buckets the lake's; null if there is no lake yet */
async function objectsOf(table: Table, buckets: number | null, { store, stopping }: CheckOptions) {
  const parts: TableKey[] = [];
  const drifts: string[] = [];
  for await (const key of store.list(tablePrefix(table), {}, stopping)) {
    if (buckets === null) throw recordMissing(store.url, key);
    const part = parseTableKey(table, key, buckets);
    if (part !== null) parts.push(part);
    else drifts.push(`${key}: not a part of this lake; only parts may be stored here, so move it elsewhere`);
  }
  return { parts, drifts };
}

/** Parts that Athena does not see because their partition is outside the projected range. */
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
      drifts.push(`${key}: before the projected range, which begins on ${firstDay}; run catalog apply`);
    }
    if (day > today) drifts.push(`${key}: after the projected range, which ends today, ${today}`);
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
      // Null: the part is gone since it was listed; the next check will tell.
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
    return [`${key}: not readable as Parquet; restore its earlier version`];
  }
  const known = new Map(table.columns.map((column) => [column.name, column.type]));
  const partitions = new Set(table.partitions.map(({ name }) => name));
  // A missing column is fine: the part is older than the column, which reads as null.
  return [...part.columns].flatMap(([name, type]) => {
    const wanted = known.get(name);
    if (partitions.has(name))
      return [`${key}: contains the partition column ${name}, which belongs only in the path`];
    if (wanted === undefined) return [`${key}: contains the column ${name}, which the table does not define`];
    return type === wanted
      ? []
      : [`${key}: column ${name} is ${type ?? 'of an unknown type'}, not ${wanted}`];
  });
}

async function scratchFolder(parent: string): Promise<string> {
  try {
    await mkdir(parent, { recursive: true });
    return await mkdtemp(join(parent, 'catalog-'));
  } catch (error) {
    throw new ScratchError(
      `No folder could be created in the scratch folder ${parent}`,
      'Set --scratch to a writable folder.',
      { cause: error },
    );
  }
}

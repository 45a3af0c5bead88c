/** Adds up the rows of one day's parts. Reads only the columns that say what AWS counts. */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { openPart, readPart } from '../lake/engines/part-reader.ts';
import { partKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { Row, Table } from '../tables/table.ts';
import { isUtcDay } from './comparable-days.ts';
import { addIncomingRow, addRow, type RowsByRole } from './counting-rules.ts';
import { add, type Counts, kindOf } from './counts.ts';

export interface ReadCountsOptions {
  readonly store: Store;
  readonly buckets: number;
  /** Must exist. Files created in it are removed again. */
  readonly scratchFolder: string;
  readonly reserve: (bytes: number) => () => void;
  readonly signal: AbortSignal;
}

/** One account and region on one day. */
export interface Slice {
  readonly aws: Counts;
  readonly lake: RowsByRole;
  /** False: AWS's count begins or ends within a UTC day. */
  aligned: boolean;
}

const countColumns = [
  'account_id',
  'region',
  'resource_type',
  'state',
  'message_category',
  'job_count',
  'start_time',
  'end_time',
];
const jobColumns = [
  'account_id',
  'region',
  'resource_type',
  'state',
  'message_category',
  'is_parent',
  'number_of_child_jobs',
  'parent_job_id',
  'destination_account_id',
  'destination_region',
];

/** @param slices by account and region (`sliceName`): rows of others are left out */
export async function readCounts(
  day: string,
  slices: ReadonlyMap<string, Slice>,
  options: ReadCountsOptions,
): Promise<void> {
  for (let bucket = 0; bucket < options.buckets; bucket += 1) {
    const counts = partKey(copyJobSummaries, { aggregation_period: 'ONE_DAY', start_date: day }, bucket);
    for await (const row of rowsOf(copyJobSummaries, countColumns, counts, options)) {
      const slice = slices.get(sliceName(row.account_id, row.region));
      if (slice === undefined) continue;
      add(slice.aws, kindOf(row), Number(row.job_count ?? 0));
      if (!isUtcDay(day, timeOf(row.start_time), timeOf(row.end_time))) slice.aligned = false;
    }
    const jobs = partKey(copyJobs, { creation_date: day }, bucket);
    for await (const row of rowsOf(copyJobs, jobColumns, jobs, options)) addJob(row, slices);
  }
}

export function sliceName(account: Row[string] | undefined, region: Row[string] | undefined): string {
  return `${account ?? ''}/${region ?? ''}`;
}

function addJob(row: Row, slices: ReadonlyMap<string, Slice>): void {
  const kind = kindOf(row);
  const family = familyOf(row);
  const home = sliceName(row.account_id, row.region);
  const own = slices.get(home);
  if (own !== undefined) addRow(own.lake, family, kind);
  const destination = sliceName(row.destination_account_id, row.destination_region);
  const there = destination === home ? undefined : slices.get(destination);
  if (there !== undefined) addIncomingRow(there.lake, family, kind);
}

/** As in the view leaf_copies: a parent without children is a single copy. */
function familyOf({ parent_job_id: parent, number_of_child_jobs: children, is_parent: isParent }: Row) {
  if (parent) return 'child';
  const hasChildren = typeof children === 'number' ? children > 0 : isParent === true;
  return hasChildren ? 'parent' : 'single';
}

async function* rowsOf(
  table: Table,
  names: readonly string[],
  key: string,
  { store, scratchFolder, reserve, signal }: ReadCountsOptions,
): AsyncGenerator<Row> {
  const file = join(scratchFolder, `${randomUUID()}.counted.parquet`);
  let release: () => void = () => undefined;
  try {
    const found = await store.download(key, file, signal);
    if (found === null) return;
    release = reserve(found.size);
    const narrow = { ...table, columns: table.columns.filter(({ name }) => names.includes(name)) };
    for await (const rows of readPart(await openPart(file), narrow)) {
      signal.throwIfAborted();
      yield* rows;
    }
  } finally {
    await rm(file, { force: true });
    release();
  }
}

function timeOf(value: Row[string] | undefined): number | null {
  return typeof value === 'number' ? value : null;
}

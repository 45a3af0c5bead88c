/** Checks the cache of creation dates: each file by itself, and against the rows of the parts. */
import type { CompactTimeMap } from '../lake/compact-time-map.ts';
import { parseCreationDates } from '../lake/creation-dates.ts';
import {
  creationDatesKey,
  creationDatesPrefix,
  parseCreationDatesKey,
  type TableKey,
} from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { type Row, utcDay } from '../tables/table.ts';
import type { Look } from './look.ts';

/** By bucket. Read before the ledger, like the watermarks. */
export type CreationDatesByBucket = ReadonlyMap<number, CompactTimeMap>;

export async function readAllCreationDates(
  store: Pick<Store, 'list' | 'read'>,
  look: Look,
  signal: AbortSignal,
): Promise<CreationDatesByBucket> {
  const byBucket = new Map<number, CompactTimeMap>();
  for await (const key of store.list(creationDatesPrefix, {}, signal)) {
    const bucket = parseCreationDatesKey(key);
    if (bucket === null) {
      look.note('foreign-object', key, 'it is not a file of creation dates');
      continue;
    }
    const found = await store.read(key, signal);
    if (found === null) continue;
    const dates = parseCreationDates(found.bytes);
    if (dates === null) look.note('creation-dates-unreadable', key, 'it is damaged or incomplete');
    else byBucket.set(bucket, dates);
  }
  return byBucket;
}

/** Compares rows of copy jobs with the day that the cache has for them. */
export function checkCreationDates(
  { day, bucket }: TableKey,
  rows: readonly Row[],
  dates: CreationDatesByBucket,
  look: Look,
): void {
  const known = bucket === null ? undefined : dates.get(bucket);
  if (bucket === null || known === undefined) return;
  for (const { copy_job_id: id } of rows) {
    const created = known.get(String(id));
    if (created === undefined || utcDay(created) === day) continue;
    const what = `it has the day ${utcDay(created)} for the job ${String(id)}, whose row lies in the part of ${day}`;
    look.note('creation-dates-wrong', creationDatesKey(bucket), what);
    return;
  }
}

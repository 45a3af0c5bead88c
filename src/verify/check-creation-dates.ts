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

/** Parts whose rows contradict the cache. What is wrong with a part itself is told of the part, not of the cache. */
export class CreationDateConflicts {
  readonly #dates: CreationDatesByBucket;
  /** By part: the first job. */
  readonly #conflicts = new Map<string, { readonly bucket: number; readonly what: string }>();

  constructor(dates: CreationDatesByBucket) {
    this.#dates = dates;
  }

  /** Rows of copy jobs. */
  add({ key, day, bucket }: TableKey, rows: readonly Row[]): void {
    const known = bucket === null ? undefined : this.#dates.get(bucket);
    if (bucket === null || known === undefined || this.#conflicts.has(key)) return;
    for (const { copy_job_id: id } of rows) {
      const created = known.get(String(id));
      if (created === undefined || utcDay(created) === day) continue;
      const what = `it has the day ${utcDay(created)} for the job ${String(id)}, whose row lies in the part of ${day}`;
      this.#conflicts.set(key, { bucket, what });
      return;
    }
  }

  /** @param damaged parts that are damaged themselves */
  tell(look: Look, damaged: ReadonlySet<string>): void {
    for (const [key, { bucket, what }] of this.#conflicts) {
      if (!damaged.has(key)) look.note('creation-dates-wrong', creationDatesKey(bucket), what);
    }
  }
}

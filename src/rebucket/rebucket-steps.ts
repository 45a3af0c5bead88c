/** The steps of `rebucket` in `lake.json`. Each is one conditional write. */
import { randomUUID } from 'node:crypto';
import {
  type LakeRecord,
  noLake,
  parseRecord,
  type Rebucketing,
  rebucketingFormat,
  recordMissing,
  serializeRecord,
} from '../lake/lake-record.ts';
import { formatVersion, lakeKey, runsPrefix, tablePrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { LakeError, UsageError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';

export interface OpenRecord {
  readonly record: LakeRecord;
  readonly etag: string;
}

/** @throws LakeError when there is no record, or it is damaged */
export async function readLakeRecord(store: Store, signal: AbortSignal): Promise<OpenRecord> {
  const found = await store.read(lakeKey, signal);
  if (found === null) throw await noRecord(store, signal);
  return { record: parseRecord(found.bytes, store.url, lakeTables).record, etag: found.etag };
}

async function noRecord(store: Store, signal: AbortSignal): Promise<LakeError> {
  for (const prefix of [...lakeTables.map(tablePrefix), runsPrefix]) {
    for await (const key of store.list(prefix, {}, signal)) return recordMissing(store.url, key);
  }
  return noLake(store.url);
}

/** @throws LakeError when somebody else has written it meanwhile */
export async function moveOn(
  store: Store,
  { record, etag }: OpenRecord,
  change: { readonly buckets: number; readonly rebucketing: Rebucketing | null },
  signal: AbortSignal,
): Promise<OpenRecord> {
  const { rebucketing: _, ...rest } = record;
  const next: LakeRecord = {
    ...rest,
    buckets: change.buckets,
    format_version: change.rebucketing === null ? formatVersion : rebucketingFormat,
    ...(change.rebucketing === null ? {} : { rebucketing: change.rebucketing }),
  };
  const put = await store.put(
    {
      key: lakeKey,
      body: { bytes: serializeRecord(next) },
      condition: { ifMatch: etag },
      writeId: randomUUID(),
      metadata: {},
      contentType: 'application/json',
    },
    signal,
  );
  if (put.written) return { record: next, etag: put.etag };
  throw new LakeError(
    `${lakeKey} in ${store.url} was written by another process meanwhile`,
    'Make sure that only one rebucket is at work, then run it again: it goes on where it stopped.',
  );
}

/** @throws UsageError when another number was begun */
export function refuseOtherCount(url: string, begun: Rebucketing, asked: number): void {
  if (begun.to === asked) return;
  throw new UsageError(
    `The lake ${url} is being changed to ${begun.to} bucket${begun.to === 1 ? '' : 's'}, not ${asked}`,
    `Finish that first: backup-copy-export rebucket --buckets ${begun.to} --lake ${url}`,
  );
}

/** The files of the ledger that there are one of for each bucket. */
import {
  bucketOf,
  creationDatesPrefix,
  parseWatermarksKey,
  watermarksKey,
  watermarksPrefix,
} from '../lake/layout.ts';
import { readWatermarks, replaceWatermarks, type Watermark } from '../ledger/watermarks.ts';
import { LakeError } from '../shared/errors.ts';
import type { Objects } from './objects.ts';

/**
 * Divides the watermarks anew. First each file gains what it must have, then each loses what others have: a crash in between
 * loses none. A damaged file counts as none, as it does in a run.
 */
export async function divideWatermarks(
  { store, remove, signal }: Objects,
  { to, runId }: { readonly to: number; readonly runId: string },
): Promise<void> {
  const numbers: number[] = [];
  for await (const key of store.list(watermarksPrefix, {}, signal)) {
    const bucket = parseWatermarksKey(key);
    if (bucket !== null) numbers.push(bucket);
  }
  const all = new Map<string, Watermark>();
  for (const bucket of numbers) {
    const { marks } = await readWatermarks(store, bucket, Number.POSITIVE_INFINITY, signal);
    for (const [name, mark] of marks) {
      const known = all.get(name);
      if (known === undefined || known.coveredTo <= mark.coveredTo) all.set(name, mark);
    }
  }
  const ownerOf = (name: string) => bucketOf(name.split('/')[1] ?? '', to);
  const buckets = [...new Set([...all.keys()].map(ownerOf))].sort((a, b) => a - b);
  for (const keepsOthers of [true, false]) {
    for (const bucket of buckets) {
      const { etag, marks } = await readWatermarks(store, bucket, Number.POSITIVE_INFINITY, signal);
      const own = [...all].filter(([name]) => ownerOf(name) === bucket);
      const next = new Map([...(keepsOthers ? marks : []), ...own]);
      if (await replaceWatermarks(store, bucket, next, { etag, runId }, signal)) continue;
      throw new LakeError(
        `${watermarksKey(bucket)} in ${store.url} was written by another process meanwhile`,
        'Stop whatever writes to this lake, then run rebucket again.',
      );
    }
  }
  for (const bucket of numbers) if (!buckets.includes(bucket)) await remove(watermarksKey(bucket));
}

/** They name jobs, not accounts, so they cannot be divided. The next export reads the dates from the parts. */
export async function removeCreationDates({ store, remove, signal }: Objects): Promise<void> {
  const keys: string[] = [];
  for await (const key of store.list(creationDatesPrefix, {}, signal)) keys.push(key);
  for (const key of keys) await remove(key);
}

/** Carries out one step of a repair, on the condition that nobody has changed the object meanwhile. */
import { randomUUID } from 'node:crypto';
import type { Store } from '../lake/stores/store.ts';
import { LakeError } from '../shared/errors.ts';
import type { Step } from './plan-repair.ts';
import type { FoundContent } from './sources.ts';

export type WrittenContent = Omit<FoundContent, 'from'>;

export interface RepairTarget {
  readonly store: Pick<Store, 'put' | 'url'>;
  /** Null: there is no object. */
  readonly etagOf: (key: string) => Promise<string | null>;
  /** Writes an object that is not there, without a condition. */
  readonly write: (key: string, content: WrittenContent) => Promise<void>;
  readonly hide: (key: string) => Promise<void>;
  readonly signal: AbortSignal;
}

/** What no target has: the next run reads everything. */
const noWatermarks = Buffer.from(`${JSON.stringify({ format: 1, targets: {} }, null, 1)}\n`);

/** @throws LakeError when it cannot be written, or somebody else changed the object at the same time */
export async function applyStep({ key, action }: Step, target: RepairTarget): Promise<void> {
  switch (action.kind) {
    case 'restore': {
      const { bytes, metadata, contentType } = action.content;
      // The store notes which write it was.
      const { 'write-id': _, ...kept } = metadata;
      await replace(key, { bytes, metadata: kept, contentType }, target);
      return;
    }
    case 'reset':
      await replace(key, { bytes: noWatermarks, metadata: {}, contentType: 'application/json' }, target);
      return;
    case 'hide':
      await target.hide(key);
      return;
    case 'none':
      return;
  }
}

async function replace(
  key: string,
  content: WrittenContent,
  { store, etagOf, write, signal }: RepairTarget,
): Promise<void> {
  const etag = await etagOf(key);
  const { bytes, metadata, contentType } = content;
  const condition = etag === null ? ({ ifAbsent: true } as const) : { ifMatch: etag };
  const put = await store.put(
    { key, body: { bytes }, condition, writeId: randomUUID(), metadata, contentType },
    signal,
  );
  if (put.written) return;
  // versitygw 1.8 takes a delete marker for an object. S3 does not:
  // https://docs.aws.amazon.com/AmazonS3/latest/userguide/conditional-writes.html
  if (etag === null && (await etagOf(key)) === null) {
    await write(key, content);
    return;
  }
  throw new LakeError(
    `${key} in ${store.url} was changed while it was repaired`,
    'Make sure that no export is running, then run repair again.',
  );
}

/**
 * Carries out one step of a repair, on the condition that the object is still the one that the findings are about. Hours may
 * lie between, and an export may have merged rows into it.
 */
import { randomUUID } from 'node:crypto';
import type { Store } from '../lake/stores/store.ts';
import type { Sighting } from '../verify/sightings.ts';
import type { Step } from './plan-repair.ts';
import type { FoundContent } from './sources.ts';

export type WrittenContent = Omit<FoundContent, 'from'>;

export interface RepairTarget {
  readonly store: Pick<Store, 'put'>;
  /** Null: there is no object. */
  readonly etagOf: (key: string) => Promise<string | null>;
  /** Writes an object over its delete marker, if the store takes that for an object. False: it does not. */
  readonly writeOverMarker: (key: string, content: WrittenContent) => Promise<boolean>;
  /** @param etag hides only that object; null: any. False: another one is there */
  readonly hide: (key: string, etag: string | null) => Promise<boolean>;
  readonly signal: AbortSignal;
}

/** What no target has: the next run reads everything. */
const noWatermarks = Buffer.from(`${JSON.stringify({ format: 1, targets: {} }, null, 1)}\n`);

/**
 * `changed`: nothing was written, because the object is no longer the one that the findings are about.
 * @throws LakeError when it cannot be written
 */
export async function applyStep(
  { key, seen, action }: Step,
  target: RepairTarget,
): Promise<'done' | 'changed'> {
  switch (action.kind) {
    case 'restore': {
      const { bytes, metadata, contentType } = action.content;
      // The store notes which write it was.
      const { 'write-id': _, ...kept } = metadata;
      return await replace(key, seen, { bytes, metadata: kept, contentType }, target);
    }
    case 'reset':
      return await replace(
        key,
        seen,
        { bytes: noWatermarks, metadata: {}, contentType: 'application/json' },
        target,
      );
    case 'hide':
      return await hide(key, seen, target);
    case 'none':
      return 'done';
  }
}

async function replace(
  key: string,
  seen: Sighting,
  content: WrittenContent,
  { store, etagOf, writeOverMarker, signal }: RepairTarget,
): Promise<'done' | 'changed'> {
  if (seen.state === 'changing') return 'changed';
  // What nobody read was not there when its folder was listed.
  const etag = seen.state === 'there' ? seen.etag : null;
  // The condition decides. This look comes first for stores that take no notice of it (--allow-unsafe-store).
  if ((await etagOf(key)) !== etag) return 'changed';
  const { bytes, metadata, contentType } = content;
  const condition = etag === null ? ({ ifAbsent: true } as const) : { ifMatch: etag };
  const put = await store.put(
    { key, body: { bytes }, condition, writeId: randomUUID(), metadata, contentType },
    signal,
  );
  if (put.written) return 'done';
  return etag === null && (await writeOverMarker(key, content)) ? 'done' : 'changed';
}

async function hide(
  key: string,
  seen: Sighting,
  target: Pick<RepairTarget, 'hide'>,
): Promise<'done' | 'changed'> {
  switch (seen.state) {
    case 'there':
      return (await target.hide(key, seen.etag)) ? 'done' : 'changed';
    // Its name alone says that it does not belong there.
    case 'unread':
      return (await target.hide(key, null)) ? 'done' : 'changed';
    case 'absent':
    case 'changing':
      return 'changed';
  }
}

/** Which shards have a run at work. Each run of a shard says when it has ended at the latest. */

import type { Shard } from '../config/typed-values.ts';
import { parseShardKey, shardKey, shardsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { writeOnce } from '../lake/write-once.ts';
import { utcDay } from '../tables/table.ts';
import { listRuns } from './read-runs.ts';
import { longestRunMs } from './run-end.ts';

export interface ShardRun {
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly asOf: number;
  readonly shard: Shard;
  /** After this time it is dead, if it has no manifest. */
  readonly endsBy: number;
}

/** @throws LakeError */
export async function writeShardRun(store: Store, run: ShardRun, signal?: AbortSignal): Promise<void> {
  const { runId, asOf, shard, endsBy } = run;
  const record = { format: 1, run_id: runId, shard, ends_by: new Date(endsBy).toISOString() };
  const body = { bytes: Buffer.from(`${JSON.stringify(record)}\n`) };
  const key = shardKey(utcDay(asOf), runId);
  await writeOnce(store, { key, body, runId, contentType: 'application/json' }, signal);
}

/** The numbers of the shards, of so many, that have a run at work. @throws LakeError */
export async function shardsAtWork(
  store: Pick<Store, 'list' | 'read'>,
  { count, now }: { readonly count: number; readonly now: number },
  signal?: AbortSignal,
): Promise<ReadonlySet<number>> {
  const since = utcDay(now - longestRunMs);
  const begun: string[] = [];
  for await (const folder of store.list(shardsPrefix, { folders: true }, signal)) {
    if (folder.slice(shardsPrefix.length, -1) < since) continue;
    for await (const key of store.list(folder, {}, signal)) {
      if (parseShardKey(key) !== null) begun.push(key);
    }
  }
  // After the shards: a run that has ended in between counts as ended.
  const { runs } = await listRuns(store, { since, ...(signal === undefined ? {} : { signal }) });
  const ended = new Set(runs.filter(({ hasManifest }) => hasManifest).map(({ runId }) => runId));
  const atWork = new Set<number>();
  for (const key of begun) {
    if (ended.has(parseShardKey(key)?.runId ?? '')) continue;
    const found = await store.read(key, signal);
    const run = found === null ? null : parsed(found.bytes);
    if (run !== null && run.shard.count === count && run.endsBy > now) atWork.add(run.shard.index);
  }
  return atWork;
}

function parsed(bytes: Uint8Array): { readonly shard: Shard; readonly endsBy: number } | null {
  try {
    const value: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    if (typeof value !== 'object' || value === null || !('shard' in value) || !('ends_by' in value))
      return null;
    const shard = asShard(value.shard);
    const endsBy = Date.parse(String(value.ends_by));
    return shard === null || Number.isNaN(endsBy) ? null : { shard, endsBy };
  } catch {
    return null;
  }
}

/** A shard as a record of the ledger has it; null: it is none. */
export function asShard(value: unknown): Shard | null {
  if (typeof value !== 'object' || value === null || !('index' in value) || !('count' in value)) return null;
  const { index, count } = value;
  return typeof index === 'number' && typeof count === 'number' ? { index, count } : null;
}

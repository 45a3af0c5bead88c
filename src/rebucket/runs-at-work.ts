/** No export may be at work: it would write parts of the old buckets. */
import { handedOverPrefix, parseHandedOverKey, takenKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { runsAtWork } from '../ledger/runs-at-work.ts';
import { UnavailableError } from '../shared/errors.ts';
import type { RebucketSettings } from './rebucket-settings.ts';

/** @throws UnavailableError */
export async function refuseRunsAtWork(
  store: Store,
  { ignoreUnfinishedRuns }: RebucketSettings,
  signal: AbortSignal,
): Promise<void> {
  const waiting = new Set<string>();
  const taken = new Set<string>();
  for await (const key of store.list(handedOverPrefix, {}, signal)) {
    if (parseHandedOverKey(key) === null) taken.add(key);
    else waiting.add(key);
  }
  const untaken = [...waiting].find((key) => !taken.has(takenKey(key)));
  if (untaken !== undefined) {
    throw new UnavailableError(
      `A shard read rows for another that are not merged yet: ${untaken} in ${store.url}`,
      'Run export with the same shards first: it merges them. Nothing was changed',
    );
  }
  if (ignoreUnfinishedRuns) return;
  const now = store.lastSeen?.()?.epochMs ?? Date.now();
  for await (const { runId, asOf, endsBy } of runsAtWork(store, now, signal)) {
    throw new UnavailableError(
      `The run ${runId} began at ${new Date(asOf).toISOString()} and has not ended, so it may still write to ${store.url}`,
      `Wait until it has ended, at the latest at ${new Date(endsBy).toISOString()}. If you know that no export is at work, add --ignore-unfinished-runs. Nothing was changed in the tables`,
    );
  }
}

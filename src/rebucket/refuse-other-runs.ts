/** No export may be at work: it would write parts of the old buckets. */
import { clockToleranceMs } from '../aws/clock.ts';
import { handedOverPrefix, parseHandedOverKey, takenKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { storeTime } from '../lake/stores/store-time.ts';
import { newestRun } from '../ledger/runs.ts';
import { runsAtWork } from '../ledger/runs-at-work.ts';
import { UnavailableError } from '../shared/errors.ts';
import type { RebucketSettings } from './rebucket-settings.ts';

/**
 * Beside a run from the future, nobody can tell which runs are at work. Either the clock is wrong, or the record.
 * @throws UnavailableError
 */
export async function refuseFutureRuns(
  store: Store,
  { ignoreUnfinishedRuns }: RebucketSettings,
  { signal, localNow }: { readonly signal: AbortSignal; readonly localNow: () => number },
): Promise<void> {
  if (ignoreUnfinishedRuns) return;
  const newest = await newestRun(store, signal);
  const now = storeTime(store, localNow);
  if (newest === null || newest.asOf <= now.epochMs + clockToleranceMs) return;
  throw new UnavailableError(
    `The newest run in ${store.url}, ${newest.key}, began at ${new Date(newest.asOf).toISOString()}, but ${now.who} says ${new Date(now.epochMs).toISOString()}. So rebucket cannot tell which runs may still write`,
    'If that clock is wrong, set it right and run rebucket again. If the record is wrong, or the lake was made with the simulator, make sure that no export is at work and add --ignore-unfinished-runs',
  );
}

/** @throws UnavailableError */
export async function refuseRunsAtWork(
  store: Store,
  { ignoreUnfinishedRuns }: RebucketSettings,
  { signal, localNow }: { readonly signal: AbortSignal; readonly localNow: () => number },
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
  const now = storeTime(store, localNow).epochMs;
  for await (const { runId, asOf, endsBy } of runsAtWork(store, now, signal)) {
    throw new UnavailableError(
      `The run ${runId} began at ${new Date(asOf).toISOString()} and has not ended, so it may still write to ${store.url}`,
      `Wait until it has ended, at the latest at ${new Date(endsBy).toISOString()}. If you know that no export is at work, add --ignore-unfinished-runs. Nothing was changed in the tables`,
    );
  }
}

/** No export may be at work: it would write parts of the old buckets. */
import { handedOverPrefix, parseHandedOverKey, takenKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { listRuns, readBegin } from '../ledger/read-runs.ts';
import { UnavailableError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import type { RebucketSettings } from './rebucket-settings.ts';

/** After its deadline, a run still closes its ledger. */
const closingMs = 600_000;
const longestDeadlineMs = 25 * dayMs;

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
  const seen = store.lastSeen?.()?.epochMs ?? Date.now();
  const { runs } = await listRuns(store, { signal });
  const newest = Math.max(seen, ...runs.map(({ asOf }) => asOf));
  for (const run of runs) {
    if (!run.hasBegin || run.hasManifest || run.date < utcDay(newest - longestDeadlineMs)) continue;
    const begin = await readBegin(store, run, signal);
    // One that was killed when it closed the ledger. lake.json keeps a second one away.
    if (begin?.settings.job === 'rebucket') continue;
    const deadlineMs = begin?.deadlineMs ?? longestDeadlineMs;
    const endsBy = run.asOf + deadlineMs + closingMs;
    if (endsBy <= newest) continue;
    throw new UnavailableError(
      `The run ${run.runId} began at ${new Date(run.asOf).toISOString()} and has not ended, so it may still write to ${store.url}`,
      `Wait until it has ended, at the latest at ${new Date(endsBy).toISOString()}. If you know that no export is at work, add --ignore-unfinished-runs. Nothing was changed in the tables`,
    );
  }
}

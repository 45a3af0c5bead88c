/**
 * No run may be at work from the beginning of a look until its findings are applied. The ledger does not yet know what such
 * a run wrote, so a finding may be about that. What a run writes later is safe without this: each write has a condition.
 */
import type { Store } from '../lake/stores/store.ts';
import { storeTime } from '../lake/stores/store-time.ts';
import { listRuns } from '../ledger/read-runs.ts';
import { runsAtWork } from '../ledger/runs-at-work.ts';
import { UnavailableError } from '../shared/errors.ts';
import { emptyWhereAltered } from '../verify/altered-objects.ts';
import { refuseRebucketing } from '../verify/check-ledger-files.ts';

/**
 * To be called before the first look.
 * @param ignoreUnfinishedRuns runs without a manifest are known to be dead
 * @returns the ids of all runs of the ledger
 * @throws UnavailableError while a run is at work
 */
export async function refuseRunsAtWork(
  lake: Store,
  {
    ignoreUnfinishedRuns,
    localNow,
    signal,
  }: {
    readonly ignoreUnfinishedRuns: boolean;
    readonly localNow: () => number;
    readonly signal: AbortSignal;
  },
): Promise<ReadonlySet<string>> {
  const store = emptyWhereAltered(lake);
  const { runs } = await listRuns(store, { signal });
  if (!ignoreUnfinishedRuns) {
    const now = storeTime(store, localNow).epochMs;
    for await (const { runId, asOf, endsBy, hasReadableBegin } of runsAtWork(store, now, signal)) {
      const why = hasReadableBegin
        ? ''
        : ' (its begin record cannot be read, so it may have had the longest deadline)';
      throw new UnavailableError(
        `The run ${runId} began at ${new Date(asOf).toISOString()} and has not ended, so it may still write to ${store.url}`,
        `Wait until it has ended, at the latest at ${new Date(endsBy).toISOString()}${why}. If you know that it died and that no export is at work, add --ignore-unfinished-runs. Nothing was changed`,
      );
    }
  }
  return new Set(runs.map(({ runId }) => runId));
}

/**
 * To be called after each look, before its findings are applied.
 * @param known the runs before the first look, and those of which something was restored since
 * @throws UnavailableError when a run or a rebucket has begun since
 */
export async function refuseRunsSince(
  known: ReadonlySet<string>,
  lake: Store,
  signal: AbortSignal,
): Promise<void> {
  const store = emptyWhereAltered(lake);
  await refuseRebucketing(store, signal);
  const { runs } = await listRuns(store, { signal });
  const begun = runs.find(({ runId }) => !known.has(runId));
  if (begun === undefined) return;
  throw new UnavailableError(
    `The run ${begun.runId} began while ${store.url} was being verified, so some findings may be about what it wrote`,
    `Stop the schedule of export, wait until no run is at work, then run repair again. What was repaired before that is in the log; nothing else was changed`,
  );
}

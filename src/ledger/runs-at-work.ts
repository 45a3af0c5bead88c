/** Runs that may still write to the lake. */
import type { Store } from '../lake/stores/store.ts';
import { utcDay } from '../tables/table.ts';
import { listRuns, readBegin } from './read-runs.ts';
import { latestEnd, longestRunMs } from './run-end.ts';

export interface RunAtWork {
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly asOf: number;
  /** It has ended by then, whether it wrote a manifest or not. */
  readonly endsBy: number;
  readonly hasReadableBegin: boolean;
}

/**
 * Exports that have a begin record and no manifest, and may not have ended yet.
 * @param now in AWS's time, in milliseconds since the epoch
 * @throws LakeError
 */
export async function* runsAtWork(
  store: Pick<Store, 'list' | 'read'>,
  now: number,
  signal: AbortSignal,
): AsyncGenerator<RunAtWork> {
  const { runs } = await listRuns(store, { since: utcDay(now - longestRunMs), signal });
  for (const run of runs) {
    if (!run.hasBegin || run.hasManifest) continue;
    const begin = await readBegin(store, run, signal);
    // One that was killed when it closed the ledger. lake.json keeps a second one away.
    if (begin?.settings.job === 'rebucket') continue;
    const endsBy = latestEnd(run.asOf, begin);
    if (endsBy > now) {
      yield { runId: run.runId, asOf: run.asOf, endsBy, hasReadableBegin: begin !== null };
    }
  }
}

/** Runs that may still write to the lake. */
import type { Store } from '../lake/stores/store.ts';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import { listRuns, readBegin } from './read-runs.ts';

/** After its deadline, a run still closes its ledger. */
export const closingMs = 600_000;
/** The longest deadline is 24 days. */
const longestRunMs = 25 * dayMs;

export interface RunAtWork {
  readonly runId: string;
  /** Milliseconds since the epoch. */
  readonly asOf: number;
  /** It has ended by then, whether it wrote a manifest or not. */
  readonly endsBy: number;
}

/**
 * Exports that have a begin record and no manifest, and whose deadline has not passed.
 * @param now in AWS's time, in milliseconds since the epoch; a run that began later moves it on
 * @throws LakeError
 */
export async function* runsAtWork(
  store: Pick<Store, 'list' | 'read'>,
  now: number,
  signal: AbortSignal,
): AsyncGenerator<RunAtWork> {
  const { runs } = await listRuns(store, { since: utcDay(now - longestRunMs), signal });
  const newest = Math.max(now, ...runs.map(({ asOf }) => asOf));
  for (const run of runs) {
    if (!run.hasBegin || run.hasManifest || run.date < utcDay(newest - longestRunMs)) continue;
    const begin = await readBegin(store, run, signal);
    // One that was killed when it closed the ledger. lake.json keeps a second one away.
    if (begin?.settings.job === 'rebucket') continue;
    const endsBy = run.asOf + (begin?.deadlineMs ?? longestRunMs) + closingMs;
    if (endsBy > newest) yield { runId: run.runId, asOf: run.asOf, endsBy };
  }
}

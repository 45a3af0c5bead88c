/** Which ended runs no checkpoint includes, so that neither a signature nor a witness vouches for what they wrote. */
import { newestNumber, readCheckpoint } from '../checkpoints/chain.ts';
import type { StoredCheckpoint } from '../checkpoints/checkpoint.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { pageOf, readPage } from '../checkpoints/lake-state.ts';
import { checkpointKey, manifestKey, statePageKey } from '../lake/layout.ts';
import { listRuns } from '../ledger/read-runs.ts';
import type { LedgerReading } from './ledger-runs.ts';
import type { StatusReport } from './status-report.ts';

/**
 * Compares with the newest checkpoint of a run that began by `now`. Null: there is none, or it is unreadable.
 * @param now runs after this instant are left out, in milliseconds since the epoch
 */
export async function checkpointedRuns(
  reading: LedgerReading,
  now: number,
): Promise<StatusReport['checkpoints']> {
  const { store, signal } = reading;
  // Before the checkpoint: a run that ends in between is then in both or in none.
  const { runs } = await listRuns(store, { signal });
  const newest = await newestCheckpoint(reading, now);
  if (newest === null) return null;
  const { number, as_of, pages } = newest.checkpoint;
  const ended = runs.filter(({ hasManifest, asOf }) => hasManifest && asOf <= now);
  const manifests = ended.map((run) => ({ ...run, key: manifestKey(run.date, run.runId) }));
  const uncounted: { run_id: string; as_of: string }[] = [];
  for (const [name, ofPage] of Map.groupBy(manifests, ({ key }) => pageOf(key))) {
    const page = pages.find((one) => one.name === name);
    const counted = page === undefined ? new Set<string>() : await keysIn(page, reading);
    if (counted === null) continue;
    for (const { key, runId, asOf } of ofPage) {
      if (!counted.has(key)) uncounted.push({ run_id: runId, as_of: new Date(asOf).toISOString() });
    }
  }
  return {
    newest: { number, as_of, is_signed: newest.envelope.signature !== null },
    uncounted_runs: uncounted.sort((a, b) => (a.run_id < b.run_id ? -1 : 1)),
  };
}

async function newestCheckpoint(
  { store, unread, signal }: LedgerReading,
  now: number,
): Promise<StoredCheckpoint | null> {
  let number = await newestNumber(store, signal);
  if (number === 0) return null;
  try {
    const newest = await readCheckpoint(store, number, signal);
    if (isBy(newest, now)) return newest;
    // For a report of the past. Numbers have no gaps, and runs of one lake end in the order in which they began, nearly always.
    let found: StoredCheckpoint | null = null;
    let [low, high] = [1, number - 1];
    while (low <= high) {
      number = Math.floor((low + high) / 2);
      const one = await readCheckpoint(store, number, signal);
      if (isBy(one, now)) {
        found = one;
        low = number + 1;
      } else {
        high = number - 1;
      }
    }
    return found;
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    unread.add(checkpointKey(number), error);
    return null;
  }
}

function isBy({ checkpoint }: StoredCheckpoint, now: number): boolean {
  return Date.parse(checkpoint.as_of) <= now;
}

/** Null: the page is gone or damaged. */
async function keysIn(
  page: StoredCheckpoint['checkpoint']['pages'][number],
  { store, unread, signal }: LedgerReading,
): Promise<ReadonlySet<string> | null> {
  try {
    return new Set((await readPage(store, page, signal)).map(({ key }) => key));
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    unread.add(statePageKey(page.root), error);
    return null;
  }
}

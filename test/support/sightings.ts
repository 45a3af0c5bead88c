/** What each run of a history could see: the truth at its time, and what its coverage says it has read. */
import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LakeRow } from './lake-reader.ts';
import type { ExpectedLake } from './truth.ts';

/** The truth as it was when a run had ended. */
export interface Seen {
  readonly runId: string;
  /** The simulator's clock stands still during a run. */
  readonly asOf: number;
  readonly truth: ExpectedLake['copy_jobs'];
}

export interface Transition {
  readonly id: string;
  /** Null: the first sight. */
  readonly from: string | null;
  readonly to: string | null;
  readonly lastSeenBefore: number | null;
  readonly firstSeenAfter: number;
  readonly runId: string;
  readonly category: string | null;
}

/** By `<run>/<account>/<region>`, from the begin records in a lake: see `transitionsOf`. */
export function looksIn(lake: string): ReadonlyMap<string, number> {
  const looks = new Map<string, number>();
  for (const file of globSync('_ledger/runs/*/*.begin.json', { cwd: lake })) {
    const begin = JSON.parse(readFileSync(join(lake, file), 'utf8'));
    for (const { account_id, region, ended_since } of begin.plan) {
      if (ended_since !== undefined)
        looks.set(`${begin.run_id}/${account_id}/${region}`, Date.parse(ended_since));
    }
  }
  return looks;
}

/**
 * Every change of state that these runs saw, job by job.
 * @param coverage rows of export_coverage
 * @param looks by `<run>/<account>/<region>`: since when the run asked for the ends of jobs from before its window
 */
export function transitionsOf(
  runs: readonly Seen[],
  coverage: readonly LakeRow[],
  looks: ReadonlyMap<string, number>,
): Transition[] {
  const found: Transition[] = [];
  const last = new Map<string, { state: string | null; seen: number }>();
  for (const { runId, asOf, truth } of [...runs].sort((a, b) => a.asOf - b.asOf)) {
    const drains = new Map(
      coverage
        .filter((row) => row.run_id === runId && row.table_name === 'copy_jobs')
        .filter(({ status }) => status === 'OK')
        .map((row) => [`${row.account_id}/${row.region}`, row]),
    );
    for (const [id, job] of truth) {
      const drain = drains.get(`${job.account_id}/${job.region}`);
      if (drain === undefined) continue;
      const created = Number(job.creation_time);
      if (created >= Number(drain.window_to)) continue;
      const state = job.state === undefined ? null : String(job.state);
      if (created < Number(drain.window_from ?? 0)) {
        const since = looks.get(`${runId}/${job.account_id}/${job.region}`);
        if (since === undefined) continue;
        const hasEnded = job.completion_time !== undefined && Number(job.completion_time) >= since;
        // A job that was open, and is not among those that have ended, is still open.
        const open = last.get(id);
        if (!hasEnded) {
          if (open?.state === 'RUNNING' && job.completion_time === undefined)
            last.set(id, { ...open, seen: asOf });
          continue;
        }
      }
      const before = last.get(id);
      last.set(id, { state, seen: asOf });
      if (before?.state === state) continue;
      found.push({
        id,
        from: before?.state ?? null,
        to: state,
        lastSeenBefore: before?.seen ?? null,
        firstSeenAfter: asOf,
        runId,
        category: job.message_category === undefined ? null : String(job.message_category),
      });
    }
  }
  return found;
}

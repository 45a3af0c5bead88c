/** What each run of a history could see: the truth at its time, and what its coverage says it has read. */
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

/** Every change of state that these runs saw, job by job. @param coverage rows of export_coverage */
export function transitionsOf(runs: readonly Seen[], coverage: readonly LakeRow[]): Transition[] {
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
      if (created < Number(drain.window_from ?? 0) || created >= Number(drain.window_to)) continue;
      const state = job.state === undefined ? null : String(job.state);
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

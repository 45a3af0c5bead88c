/** The first thing that a run writes about itself. */
import { beingRebucketed, readRecord } from '../lake/lake-record.ts';
import { endsBy } from '../ledger/run-end.ts';
import { type BeginRecord, type WrittenRecord, writeBegin } from '../ledger/runs.ts';
import { writeShardRun } from '../ledger/shard-runs.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import { UnavailableError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { Run } from './open-run.ts';

/** If it cannot be written, nothing is published. @throws LakeError, UnavailableError */
export async function writeBeginRecord(run: Run): Promise<WrittenRecord> {
  const { settings, io, stops, planning, started } = run;
  const { caller, runId, asOf, lake } = planning;
  const record: BeginRecord = {
    format: 1,
    run_id: runId,
    as_of: iso(asOf),
    started_at: iso(Date.now() - (performance.now() - started)),
    ends_by: iso(latestEndOf(run)),
    program_version: io.programVersion,
    buckets: lake.buckets,
    caller: { account_id: caller.accountId, arn: caller.arn },
    settings: { ...settings, externalId: settings.externalId === null ? null : '(set)' },
    plan: planning.planned.map(({ table, target, window, endedSince }) => ({
      table,
      account_id: target.accountId,
      region: target.region,
      window_from: window?.from == null ? null : iso(window.from),
      window_to: window === null ? null : iso(window.to),
      ...(endedSince == null ? {} : { ended_since: iso(endedSince) }),
    })),
  };
  const written = await askUnlessStopped(
    stops.draining,
    `The begin record could not be written to ${lake.store.url}`,
    () => writeBegin(lake.store, record, stops.draining),
  );
  // Rebucket looks for begin records after it has changed lake.json, so one of the two sees the other.
  const now = await askUnlessStopped(stops.draining, `The lake ${lake.store.url} could not be read`, () =>
    readRecord(lake.store, lakeTables, stops.draining),
  );
  if (now?.rebucketing !== undefined) throw beingRebucketed(lake.store.url, now.rebucketing);
  if (now !== null && now.buckets !== lake.buckets) {
    throw new UnavailableError(
      `The lake ${lake.store.url} has changed from ${lake.buckets} bucket${lake.buckets === 1 ? '' : 's'} to ${now.buckets} since this run began`,
      'Run it again. Nothing was published',
    );
  }
  return written;
}

/** Says that this shard is at work, so that no other merges in its place what is handed over to it. @throws LakeError */
export async function writeShardRecord(run: Run): Promise<void> {
  const { settings, stops, planning } = run;
  const { shard } = settings;
  if (shard === null) return;
  const { runId, asOf, lake } = planning;
  await askUnlessStopped(stops.draining, `The shard could not be noted in ${lake.store.url}`, () =>
    writeShardRun(lake.store, { runId, asOf, shard, endsBy: latestEndOf(run) }, stops.draining),
  );
}

function latestEndOf({ settings, planning, started }: Run): number {
  return endsBy(planning.now(), performance.now() - started, settings.deadlineMs);
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/** The first thing that a run writes. */
import { type BeginRecord, writeBegin } from '../ledger/runs.ts';
import { askUnlessStopped } from '../shared/abort.ts';
import type { Run } from './open-run.ts';

/** If it cannot be written, nothing is drained. @throws LakeError, UnavailableError */
export async function writeBeginRecord({ settings, io, stops, planning }: Run): Promise<void> {
  const { caller, runId, asOf, lake } = planning;
  const record: BeginRecord = {
    format: 1,
    run_id: runId,
    as_of: iso(asOf),
    started_at: iso(Date.now()),
    program_version: io.programVersion,
    buckets: lake.buckets,
    caller: { account_id: caller.accountId, arn: caller.arn },
    settings: { ...settings, externalId: settings.externalId === null ? null : '(set)' },
    plan: planning.planned.map(({ table, target, window }) => ({
      table,
      account_id: target.accountId,
      region: target.region,
      window_from: window?.from == null ? null : iso(window.from),
      window_to: window === null ? null : iso(window.to),
    })),
  };
  await askUnlessStopped(stops.draining, `The begin record could not be written to ${lake.store.url}`, () =>
    writeBegin(lake.store, record, stops.draining),
  );
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * Rows that were handed over to a shard whose run had ended by then. When a shard has closed its ledger, it looks for what
 * nobody will merge tonight: the owner's run has ended, and it is not at work again. It merges these rows in the owner's place,
 * as a run of the owner with an empty plan. The order makes sure that one of two shards that end at once sees the rows: each
 * hands over, writes its manifest, and only then looks.
 */
import { join } from 'node:path';
import { ownsBucket } from '../lake/layout.ts';
import type { Scratch } from '../lake/scratch.ts';
import { closeLedger } from '../ledger/close.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import { newRunId } from '../ledger/runs.ts';
import { shardsAtWork } from '../ledger/shard-runs.ts';
import { writeBeginRecord } from './begin-record.ts';
import { makeCheckpoint } from './make-checkpoint.ts';
import type { Run } from './open-run.ts';
import { openPublication } from './publication.ts';
import { handedOver, noteTaken, stageHandedOver } from './take-over.ts';

/** If it fails, nothing is lost: the rows wait in the ledger for the owner's next run. */
export async function publishLateRows(run: Run): Promise<void> {
  const { settings, planning, stops, log } = run;
  const { shard } = settings;
  if (shard === null) return;
  const { store } = planning.lake;
  try {
    if ((await handedOver(store, stops.closing)).length === 0) return;
    const atWork = await shardsAtWork(store, { count: shard.count, now: planning.now() }, stops.closing);
    const waiting = await handedOver(store, stops.closing);
    for (let index = 0; index < shard.count; index += 1) {
      const owner = { index, count: shard.count };
      const objects = waiting.filter(({ bucket }) => ownsBucket(owner, bucket));
      if (objects.length === 0 || atWork.has(index)) continue;
      await publishFor(owner, objects, run);
      log.info({ shard: index, objects: objects.length }, 'rows for a shard that had ended are merged');
    }
  } catch (err) {
    log.warn({ err }, 'rows of other shards are not merged yet: they are kept, and a later run merges them');
  }
}

async function publishFor(
  owner: NonNullable<Run['settings']['shard']>,
  objects: Awaited<ReturnType<typeof handedOver>>,
  run: Run,
): Promise<void> {
  const { asOf } = run.planning;
  const runId = newRunId(asOf, Date.now());
  const standIn: Run = {
    ...run,
    settings: { ...run.settings, shard: owner },
    planning: { ...run.planning, runId, targets: [], planned: [] },
    scratch: await within(run.scratch, runId),
    log: run.io.log.child({ run_id: runId }),
  };
  const { settings, io, scratch, stops, engine, planning } = standIn;
  const begin = await writeBeginRecord(standIn);
  const open = await openPublication(standIn);
  try {
    await stageHandedOver(standIn, open, objects);
    await open.batches.finish();
  } finally {
    await open.batches.close();
    open.creationDates.close();
  }
  const { publication } = open;
  const records = await closeLedger({
    lake: planning.lake,
    engine,
    scratchFolder: scratch.folder,
    run: {
      ...settings,
      runId,
      asOf,
      programVersion: io.programVersion,
      exitCode: publication.failed.size > 0 ? 74 : 0,
      now: planning.now,
    },
    begin,
    parts: publication.written,
    shard: { shard: owner, night: settings.night, handed_over: [] },
    coverage: [],
    reconciliation: [],
    openDays: new Map(),
    rejected: new RejectedRecords(scratch.folder),
    totals: publication.totals,
    signal: stops.closing,
  });
  await noteTaken(standIn, open, objects);
  await makeCheckpoint(standIn, publication, records);
}

/** A scratch of its own in a folder of the run's. */
async function within(scratch: Scratch, name: string): Promise<Scratch> {
  const folder = await scratch.subfolder(name);
  return { ...scratch, folder, subfolder: (inner) => scratch.subfolder(join(name, inner)) };
}

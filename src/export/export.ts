/** A run, from its beginning to its end: prepare, collect, publish, close, report. */

import type { Settings } from '../config/settings.ts';
import { warnOfLargeParts } from '../lake/large-parts.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import type { RunSummary } from '../telemetry/run-summary.ts';
import { writeBeginRecord, writeShardRecord } from './begin-record.ts';
import { closeRun } from './close-run.ts';
import { type Collected, collect } from './collect.ts';
import { publishLateRows } from './late-rows.ts';
import { lookForForeign } from './look-for-foreign.ts';
import { type Run, withOpenRun } from './open-run.ts';
import { openPublication } from './publication.ts';
import { summarize, warnOfSurprises } from './summarize.ts';
import { noteTaken, takeHandedOver } from './take-over.ts';

/**
 * Resolves with what became of the run, failed targets included.
 * @throws ReportedError (src/shared/errors.ts) when the run cannot begin, or when scratch fails: the run then shows as
 *   unfinished, and loses nothing
 */
export function runExport(settings: Settings, io: JobIo): Promise<RunSummary> {
  return withOpenRun(settings, io, exportAll);
}

async function exportAll(run: Run): Promise<RunSummary> {
  const { log, planning } = run;
  const { progress } = run.io;

  // Prepare: from here on the run shows as unfinished until its ledger is closed.
  const begin = await writeBeginRecord(run);
  await writeShardRecord(run);
  const about = {
    lake: planning.lake.store.url,
    as_of: new Date(planning.asOf).toISOString(),
    planned: planning.planned.length,
  };
  log.info(about, 'the run begins');
  const rejected = new RejectedRecords(run.scratch.folder);
  const open = await openPublication(run);
  const { batches, creationDates, jobLines, publication } = open;

  // Collect, and publish: a batch whenever one is full or its time has come, the rest at the end.
  const collecting = performance.now();
  let collected: number;
  let collection: Collected;
  try {
    collection = await collect(run, { batches, creationDates, jobLines, rejected });
    collected = performance.now();
    const taken = await takeHandedOver(run, open);
    await batches.finish();
    await noteTaken(run, open, taken);
  } finally {
    // Scratch must stay while parts are made in it.
    await batches.close();
  }
  warnOfLargeParts(publication.written, log);

  // Close: the ledger says what became of each planned drain.
  const { drained, concurrency } = collection;
  const closing = performance.now();
  progress.phase('closing the ledger');
  const closed = await closeRun(run, { begin, drained, open, rejected });
  await publishLateRows(run);

  // Report.
  const { moved } = creationDates;
  warnOfSurprises(run, closed.coverage, drained, moved);
  progress.phase('looking for foreign objects in the partitions that were touched');
  const foreign = await lookForForeign(run, publication);
  const publishedMs = batches.spentMs;
  const times = { collecting, collected, closing, ended: performance.now(), publishedMs };
  const summary = summarize(run, { drained, closed, concurrency, moved, foreign, times });
  log.info({ summary: { ...summary, failures: summary.failures.length } }, 'the run has ended');
  return summary;
}

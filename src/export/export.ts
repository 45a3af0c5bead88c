/** A run, from its beginning to its end: prepare, collect, publish, close, report. */

import type { Settings } from '../config/settings.ts';
import { warnOfLargeParts } from '../lake/large-parts.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import { countOutsideBytes, growHeapBy } from '../shared/old-heap.ts';
import { boundYoungHeap } from '../shared/young-heap.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import type { RunSummary } from '../telemetry/run-summary.ts';
import { closeRun } from './close-run.ts';
import { type Collected, collect } from './collect.ts';
import { GrowingPlan } from './growing-plan.ts';
import { publishLateRows } from './late-rows.ts';
import { lookForForeign } from './look-for-foreign.ts';
import { type OpenRun, withOpenRun } from './open-run.ts';
import { openPublication } from './publication.ts';
import { type StartedRun, startRun } from './start-run.ts';
import { summarize, warnOfSurprises } from './summarize.ts';
import { noteTaken, takeHandedOver } from './take-over.ts';

/**
 * Requests on their way outlive a smaller space for young objects, and the whole heap is collected for them. While the engine works
 * beside reading, the space is smaller (`openPublication`).
 */
const youngMebibytes = 64;

/**
 * Resolves with what became of the run, failed targets included.
 * @throws ReportedError (src/shared/errors.ts) when the run cannot begin, or when scratch fails: the run then shows as
 *   unfinished, and loses nothing
 */
export async function runExport(
  settings: Settings,
  io: JobIo,
  start: StartedRun = startRun(settings, io),
): Promise<RunSummary> {
  boundYoungHeap(youngMebibytes);
  countOutsideBytes(true);
  try {
    return await withOpenRun(settings, io, start, exportAll);
  } finally {
    boundYoungHeap(null);
    growHeapBy(0);
    countOutsideBytes(false);
  }
}

async function exportAll(opened: OpenRun): Promise<RunSummary> {
  const { log } = opened;
  const { progress } = opened.io;
  const rejected = new RejectedRecords(opened.scratch.folder);
  const plan = new GrowingPlan(opened);
  const open = await openPublication(opened, plan.recorded);
  const { batches, creationDates, jobLines, publication } = open;

  // Collect, and publish: a batch whenever one is full or its time has come, the rest at the end.
  let collected: number;
  let collection: Collected;
  try {
    collection = await collect(opened, plan, { batches, creationDates, jobLines, publication, rejected });
    collected = performance.now();
    // Its memory is for the engine now.
    await opened.pageThread?.close();
    const taken = await takeHandedOver(collection.run, open);
    creationDates.endLookups();
    await batches.finish();
    await noteTaken(collection.run, open, taken);
  } finally {
    // Scratch must stay while parts are made in it.
    await batches.close();
    creationDates.close();
  }
  warnOfLargeParts(publication.written, log);

  // Close: the ledger says what became of each planned drain.
  const { run, begin, drained, concurrency, readingSince: collecting } = collection;
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

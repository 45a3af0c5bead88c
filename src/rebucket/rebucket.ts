/**
 * The `rebucket` job: changes the number of buckets of a lake. `lake.json` says how far it is:
 *
 * 1. prepare: the new parts of every partition are made below `_ledger/rebucket/`. The tables stay as they are.
 * 2. switch: from this one write on, `query` and `status` read the new parts there, and they take the places of the old ones,
 *    partition by partition.
 * 3. done: the lake has the new number of buckets, and what was prepared is removed.
 *
 * Each step can be done again, so a rebucket that was killed goes on where it stopped. Exports are refused in between.
 */
import { randomUUID } from 'node:crypto';
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { type Aws, createAws } from '../aws/aws.ts';
import { openEngine } from '../lake/engines/open-engine.ts';
import { rebucketsPrefix } from '../lake/layout.ts';
import { partitionsOf } from '../lake/partitions.ts';
import { openScratch } from '../lake/scratch.ts';
import { lakeCredentials, openLakeStore } from '../lake/stores/open-lake-store.ts';
import { connectS3 } from '../lake/stores/s3-client.ts';
import { bucketVersions } from '../repair/bucket-versions.ts';
import { copyJobSummaries } from '../tables/copy-job-summaries.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { JobIo } from '../telemetry/job-io.ts';
import { closeRebucket } from './close-rebucket.ts';
import { divideWatermarks, removeCreationDates } from './ledger-files.ts';
import type { Objects } from './objects.ts';
import { partitionsWith, pieceKey, readPiece, switchedKey } from './pieces.ts';
import { preparePartition } from './prepare-partition.ts';
import type { RebucketReport } from './rebucket-report.ts';
import type { RebucketSettings } from './rebucket-settings.ts';
import { moveOn, type OpenRecord, readLakeRecord, refuseOtherCount } from './rebucket-steps.ts';
import { refuseFutureRuns, refuseRunsAtWork } from './refuse-other-runs.ts';
import { switchPartition } from './switch-partition.ts';

export interface RebucketIo extends Pick<JobIo, 'log' | 'stopping' | 'programVersion'> {
  readonly progress: Pick<JobIo['progress'], 'phase' | 'stop'>;
  /** Milliseconds since the epoch. Counts only for a store without a clock of its own. */
  readonly localNow: () => number;
  /** Called between steps. Tests use it to stop there. */
  readonly onStep?: (step: string) => Promise<void>;
}

/** @throws UsageError, UnavailableError, LakeError, EngineError, ScratchError, AccessError; the signal's reason */
export async function runRebucket(settings: RebucketSettings, io: RebucketIo): Promise<RebucketReport> {
  const { log, stopping: signal } = io;
  const toClose: (() => unknown)[] = [];
  const aws = (): Aws => {
    const made = createAws({ endpointUrl: settings.endpointUrl, maxSockets: 4 });
    toClose.push(() => made.close());
    return made;
  };
  try {
    io.progress.phase('opening the lake');
    if (settings.lake.kind === 'local') {
      // Opening it for writing would create a folder that is not there.
      const reading = await openLakeStore(settings, { create: false, aws, log, signal });
      toClose.push(() => reading.close());
      await readLakeRecord(reading, signal);
    }
    const store = await openLakeStore(settings, { create: true, aws, log, signal });
    toClose.push(() => store.close());
    const scratch = await openScratch({
      parent: settings.scratch,
      runId: randomUUID(),
      limitBytes: settings.scratchLimitBytes,
      log,
      whenFull: 'Raise --scratch-limit.',
    });
    toClose.push(() => scratch.remove());
    const remove = await remover(settings, { aws, log, signal, toClose });
    const objects: Objects = { store, remove, scratchFolder: scratch.folder, signal };
    return await rebucketed(settings, io, objects);
  } finally {
    for (const close of toClose.reverse()) await close();
    io.progress.stop();
  }
}

async function remover(
  { lake, ...settings }: RebucketSettings,
  {
    aws,
    log,
    signal,
    toClose,
  }: Pick<JobIo, 'log'> & { aws: () => Aws; signal: AbortSignal; toClose: (() => unknown)[] },
): Promise<Objects['remove']> {
  if (lake.kind === 'local') {
    return (key) => rm(join(lake.folder, ...key.split('/')), { force: true });
  }
  const credentials = await lakeCredentials({ lake, ...settings }, { aws, signal });
  const { s3EndpointUrl: endpointUrl, expectedBucketOwner } = settings;
  const s3 = connectS3({
    bucket: lake.bucket,
    endpointUrl,
    expectedBucketOwner,
    ...(credentials === undefined ? {} : { credentials }),
    log,
  });
  toClose.push(() => s3.close());
  const prefix = lake.prefix === '' ? '' : `${lake.prefix}/`;
  const versions = bucketVersions({
    s3,
    bucket: lake.bucket,
    prefix,
    expectedBucketOwner,
    encryption: settings,
  });
  return async (key) => {
    await versions.hide(key, null, signal);
  };
}

async function rebucketed(
  settings: RebucketSettings,
  io: RebucketIo,
  objects: Objects,
): Promise<RebucketReport> {
  const { store, signal } = objects;
  const { buckets: to } = settings;
  const step = io.onStep ?? (async () => undefined);
  let open = await readLakeRecord(store, signal);
  const from = open.record.buckets;
  const begun = open.record.rebucketing;
  if (begun === undefined && from === to) {
    await removePrepared(objects);
    return { ...nothingToDo, lake: store.url, from, to };
  }
  if (begun !== undefined) refuseOtherCount(store.url, begun, to);
  const id = begun?.id ?? randomUUID();
  const time = { signal, localNow: io.localNow };
  await refuseFutureRuns(store, settings, time);
  if (begun === undefined) {
    await refuseRunsAtWork(store, settings, time);
    open = await moveOn(store, open, { buckets: from, rebucketing: { id, to, phase: 'prepare' } }, signal);
    await step('begun');
  }
  // A run that began before it could see the new record has written its own by now.
  if (open.record.rebucketing?.phase === 'prepare') {
    await refuseRunsAtWork(store, settings, time);
    open = await prepared(settings, io, objects, open, id);
    await step('switched lake.json');
  }
  const partitions = [...(await partitionsWith(store, pieceKey, id, signal))].sort();
  const done = await partitionsWith(store, switchedKey, id, signal);
  for (const [at, partition] of partitions.entries()) {
    signal.throwIfAborted();
    io.progress.phase(`replacing the parts of partition ${at + 1} of ${partitions.length}: ${partition}`);
    if (done.has(partition)) continue;
    await switchPartition(await readPiece(store, id, partition, signal), { ...objects, id, from, to });
    await step(`switched ${partition}`);
  }
  io.progress.phase('closing the ledger');
  await divideWatermarks(objects, { to, runId: id });
  await step('divided the watermarks');
  await removeCreationDates(objects);
  const report = await withEngine(settings, objects, (engine) =>
    closeRebucket({
      ...objects,
      engine,
      id,
      from,
      to,
      partitions,
      programVersion: io.programVersion,
      localNow: io.localNow,
      record: open.record,
    }),
  );
  await step('closed the ledger');
  open = await moveOn(store, open, { buckets: to, rebucketing: null }, signal);
  await step('ended');
  io.progress.phase('removing what was prepared');
  await removePrepared(objects);
  return { exit_code: 0, lake: store.url, from, to, ...report };
}

const nothingToDo = {
  exit_code: 0,
  partitions: 0,
  rows: 0,
  parts_written: 0,
  parts_removed: 0,
  run_id: null,
} as const;

async function prepared(
  settings: RebucketSettings,
  io: RebucketIo,
  objects: Objects,
  open: OpenRecord,
  id: string,
): Promise<OpenRecord> {
  const { store, signal } = objects;
  const { buckets: to, memoryLimitBytes } = settings;
  const from = open.record.buckets;
  const done = await partitionsWith(store, pieceKey, id, signal);
  for (const table of [copyJobs, copyJobSummaries]) {
    const { partitions } = await partitionsOf(store, table, signal);
    for (const [at, { prefix }] of partitions.entries()) {
      signal.throwIfAborted();
      io.progress.phase(`${table.name}: making the new parts of partition ${at + 1} of ${partitions.length}`);
      if (done.has(prefix)) continue;
      const { programVersion } = io;
      await preparePartition(table, prefix, { ...objects, id, from, to, memoryLimitBytes, programVersion });
      await io.onStep?.(`prepared ${prefix}`);
    }
  }
  return await moveOn(store, open, { buckets: from, rebucketing: { id, to, phase: 'switch' } }, signal);
}

async function withEngine<T>(
  { memoryLimitBytes }: RebucketSettings,
  { scratchFolder }: Objects,
  work: (engine: Awaited<ReturnType<typeof openEngine>>) => Promise<T>,
): Promise<T> {
  const engine = await openEngine('duckdb', { memoryLimitBytes, scratch: scratchFolder });
  try {
    return await work(engine);
  } finally {
    await engine.close();
  }
}

/** Also what a rebucket left that was killed at its very end. */
async function removePrepared({ store, remove, signal }: Objects): Promise<void> {
  const keys: string[] = [];
  for await (const key of store.list(rebucketsPrefix, {}, signal)) keys.push(key);
  for (const key of keys) await remove(key);
}

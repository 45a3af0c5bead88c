/** Staged batches become published parts, and what came of each part. */
import { setTimeout as sleep } from 'node:timers/promises';
import { Semaphore } from 'async-mutex';
import type { Logger } from 'pino';
import { clockToleranceMs } from '../aws/clock.ts';
import type { StateEntry } from '../checkpoints/lake-state.ts';
import { CreationDates } from '../lake/creation-dates.ts';
import type { Engine } from '../lake/engines/engine.ts';
import type { Partition } from '../lake/foreign-objects.ts';
import { JobLines } from '../lake/job-lines.ts';
import { ownsBucket, partitionPrefix } from '../lake/layout.ts';
import type { Published } from '../lake/publish.ts';
import { PublishBatches } from '../lake/publish-batches.ts';
import { publishChanges } from '../lake/publish-changes.ts';
import { openStaging, type StagedBatch, type StagedPart } from '../lake/staging.ts';
import type { WrittenPart } from '../ledger/runs.ts';
import { emptyTotals, type Totals, withPart } from '../ledger/totals.ts';
import { isStop } from '../shared/abort.ts';
import { countOutsideBytes, growHeapBy } from '../shared/old-heap.ts';
import { releaseMemory } from '../shared/release-memory.ts';
import { dayMs } from '../shared/time.ts';
import { boundYoungHeap, isYoungHeapTooLarge } from '../shared/young-heap.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { DrainedTable } from '../tables/table.ts';
import type { Progress } from '../telemetry/progress.ts';
import { HandOver } from './hand-over.ts';
import { mergesAtOnce, type OpenRun } from './open-run.ts';

/** Parts in flight at once: some are merged while others are downloaded and uploaded. */
const partsAtOnce = mergesAtOnce + 2;

/** Less than this becomes parts sooner from its lines, for less processor time. */
const typedFrom = 512 * 2 ** 20;

/** How far the heap then grows beyond what is alive. */
const percentBesideEngine = 120;

/** Bounds V8's space for young objects then. */
const youngMebibytesBesideEngine = 32;

/** Of a part with so few staged bytes, most of the time goes by in the store, and twice as many are in flight. */
const smallPart = 4 * 2 ** 20;

/** Staged bytes of a batch that are worth releasing the memory of. */
const releasedFrom = 32 * 2 ** 20;

export interface PublicationOptions {
  readonly tables: readonly DrainedTable[];
  /** Null: the part is another shard's, and its rows are handed over. */
  readonly publish: (part: StagedPart, onMerge: () => void) => Promise<Published | null>;
  readonly progress: Pick<Progress, 'publishStarted' | 'published'>;
  readonly log: Logger;
}

/** Publishes batches, and knows what was published. */
export class Publication {
  readonly written: WrittenPart[] = [];
  /** The parts that were read and left as they are, by key. */
  readonly unchanged = new Map<string, StateEntry>();
  /** Why parts could not be published, by the drains whose rows they hold (`drainName`). */
  readonly failed = new Map<string, unknown>();
  /** The partitions in which parts were published, or were to be. */
  readonly touched = new Map<string, Partition>();
  readonly #options: PublicationOptions;
  #totals: Totals;

  constructor(options: PublicationOptions) {
    this.#options = options;
    this.#totals = emptyTotals(options.tables);
  }

  get totals(): Totals {
    return this.#totals;
  }

  /** A part that cannot be published is noted, and costs no other part. */
  async publishBatch(batch: StagedBatch): Promise<void> {
    const { progress, log } = this.#options;
    countOutsideBytes(false);
    progress.publishStarted(batch.parts.length + batch.lost.length);
    // What was staged is on disk now, and the engine needs the memory. A small batch has left little to release.
    let isDue = batch.parts.reduce((sum, { bytes }) => sum + bytes, 0) >= releasedFrom;
    const onMerge = () => {
      if (isDue) releaseMemory('last-resort');
      isDue = false;
    };
    for (const { origins, table, error } of batch.lost) this.#noteFailure(table.name, origins, error);
    const inFlight = new Semaphore(2 * partsAtOnce);
    await Promise.all(
      batch.parts.map((part) =>
        inFlight.runExclusive(() => this.#publishPart(part, onMerge), part.bytes > smallPart ? 2 : 1),
      ),
    );
    await batch.remove().catch((err: unknown) => log.warn({ err }, 'staged files could not be removed yet'));
  }

  async #publishPart(part: StagedPart, onMerge: () => void): Promise<void> {
    const { publish, progress, log } = this.#options;
    let published: Published | null;
    try {
      published = await publish(part, onMerge);
    } catch (error) {
      this.#noteFailure(part.table.name, part.origins, error);
      return;
    }
    progress.published();
    if (published === null) return;
    this.#totals = withPart(this.#totals, part.table, published);
    const { key, outcome, read, written } = published;
    const { rows } = outcome;
    if (written === null) {
      if (read !== null) this.unchanged.set(key, { key, rows, ...read });
      return;
    }
    const { bytes, sha256, etagBefore, etagAfter } = written;
    this.written.push({
      key,
      rows,
      bytes,
      sha256,
      sha256_before: read?.sha256 ?? null,
      etag_before: etagBefore,
      etag_after: etagAfter,
    });
    log.debug({ table: part.table.name, key, rows, bytes }, 'published a part');
  }

  #noteFailure(table: string, origins: ReadonlySet<string>, error: unknown): void {
    this.#options.progress.published();
    for (const origin of origins) {
      // Of several, a failure says more than the end of the run.
      if (!this.failed.has(origin) || isStop(this.failed.get(origin))) this.failed.set(origin, error);
    }
    this.#options.log.error({ table, err: error }, 'a part could not be published');
  }
}

/** Where a run's rows are staged, when their batches are published, and what came of them. */
export interface OpenPublication {
  readonly batches: PublishBatches;
  readonly creationDates: CreationDates;
  readonly jobLines: JobLines;
  readonly publication: Publication;
  /** Of rows that other shards own. */
  readonly handOver: HandOver;
}

/** From the first file on, the engine needs memory while pages are read, and V8's heap may grow less. */
function withBoundedHeap(typed: NonNullable<Engine['typed']>): NonNullable<Engine['typed']> {
  let isBounded = false;
  return (request) => {
    if (!isBounded) {
      countOutsideBytes(false);
      growHeapBy(percentBesideEngine);
      boundYoungHeap(youngMebibytesBesideEngine);
      // All of them hold from the next collection on.
      releaseMemory(isYoungHeapTooLarge() ? 'last-resort' : 'regular');
      isBounded = true;
    }
    return typed(request);
  };
}

/** @param allowed resolves when parts may be written; rejects if none ever may. Default: they may */
export async function openPublication(
  run: OpenRun,
  allowed: Promise<void> = Promise.resolve(),
): Promise<OpenPublication> {
  const { settings, io, log, stops, planning, scratch, engine, gate, pageThread } = run;
  const { lake, runId } = planning;
  const scratchFolder = await scratch.subfolder('parts');
  const reserve = (bytes: number) => scratch.reserve(bytes);
  const creationDates = new CreationDates({
    store: lake.store,
    buckets: lake.buckets,
    runId,
    oldest: planning.asOf - 2 * settings.memoryDays * dayMs,
    scratchFolder,
    reserve,
    log,
    signal: stops.publishing,
  });
  const handOver = new HandOver({
    store: lake.store,
    engine,
    buckets: lake.buckets,
    runId,
    asOf: planning.asOf,
    scratchFolder,
    reserve,
    signal: stops.publishing,
  });
  const publish = async (part: StagedPart, onMerge: () => void): Promise<Published | null> => {
    await allowed;
    if (!ownsBucket(settings.shard, part.bucket)) {
      onMerge();
      await handOver.write(part);
      return null;
    }
    await gate.pass();
    publication.touched.set(partitionPrefix(part.table, part.partition), part);
    if (part.table === copyJobs) {
      await creationDates.claim(part.bucket, part.partition.creation_date ?? '');
    }
    const ended = io.progress.publishing(part.key);
    const request = {
      store: lake.store,
      engine,
      table: part.table,
      partition: part.partition,
      bucket: part.bucket,
      buckets: lake.buckets,
      staged: part.files,
      stagedRows: part.rows,
      stagedBytes: part.bytes,
      digests: part.digests,
      onMerge,
      scratchFolder,
      runId,
      metadata: { program: `backup-copy-export/${io.programVersion}` },
      random: Math.random,
      sleep: (ms: number, signal?: AbortSignal) =>
        sleep(ms, undefined, signal === undefined ? {} : { signal }),
      reserve,
      signal: stops.publishing,
      maxAttempts: 20,
      latest: () => planning.now() + clockToleranceMs,
    };
    return await publishChanges(request, log).finally(ended);
  };
  const publication = new Publication({ tables: settings.tables, publish, progress: io.progress, log });
  const batchBytes = Math.floor(settings.scratchLimitBytes / 4);
  const staging = openStaging({
    folder: await scratch.subfolder('staging'),
    buckets: lake.buckets,
    reserve,
    packFrom: (batchBytes * 3) / 4,
    ...(engine.typed === undefined ? {} : { typed: withBoundedHeap(engine.typed) }),
    // With a single processor, typed rows take time from reading, so they are made only for their size.
    typeFrom: mergesAtOnce > 1 ? Math.min(typedFrom, batchBytes / 4) : batchBytes / 4,
  });
  const batches = new PublishBatches(staging, (batch) => publication.publishBatch(batch), {
    bytes: batchBytes,
    everyMs: settings.publishEveryMs,
    opensInMs: () => gate.opensInMs(),
    now: () => performance.now(),
  });
  const jobLines = new JobLines({
    buckets: lake.buckets,
    creationDates,
    ...(pageThread === null ? {} : { thread: pageThread }),
  });
  return { batches, creationDates, jobLines, publication, handOver };
}

/** The run: drain, merge, publish, prove. The only place that knows the whole way. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { Logger } from 'pino';
import { clockToleranceMs } from '../aws/clock.ts';
import type { Settings } from '../config/settings.ts';
import { CreationDates } from '../lake/creation-dates.ts';
import type { Engine } from '../lake/engines/engine.ts';
import { openEngine } from '../lake/engines/open-engine.ts';
import { describeForeign, foreignIn, type Partition } from '../lake/foreign-objects.ts';
import { warnOfLargeParts } from '../lake/large-parts.ts';
import { partitionPrefix } from '../lake/layout.ts';
import { publishPart } from '../lake/publish.ts';
import { Waves } from '../lake/publish-batches.ts';
import { openPublishGate, type PublishGate } from '../lake/publish-window.ts';
import { openScratch, type Scratch } from '../lake/scratch.ts';
import { openStaging } from '../lake/staging.ts';
import { closeLedger, type LedgerEnd } from '../ledger/close.ts';
import {
  type Coverage,
  type CoverageStatus,
  coverageOf,
  exitCodeOf,
  isReported,
  needsPerson,
  worstFirst,
} from '../ledger/coverage.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import { RejectedRecords } from '../ledger/rejected.ts';
import { type BeginRecord, type WrittenPart, writeBegin } from '../ledger/runs.ts';
import { emptyTotals, unknownFieldsOf, withPart, withRejected } from '../ledger/totals.ts';
import { askUnlessStopped, isStop } from '../shared/abort.ts';
import { ReportedError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';
import { copyJobs } from '../tables/copy-jobs.ts';
import type { Target } from '../targets/target.ts';
import { adviceFor } from '../telemetry/advice.ts';
import type { JobIo } from '../telemetry/job-io.ts';

import type { RunSummary } from '../telemetry/run-summary.ts';
import { type Limits, limitsOf } from './deadline.ts';
import { drainAll } from './drain-all.ts';
import { makePlan, type Planning } from './prepare.ts';
import { releaseMemory } from './release-memory.ts';

/**
 * One run, whole. Resolves with what became of it, failed targets included.
 * @throws ReportedError (src/shared/errors.ts) when it could not begin, or when scratch fails: the run then shows as
 *   unfinished, and loses nothing
 */
export async function runExport(settings: Settings, io: JobIo): Promise<RunSummary> {
  const started = performance.now();
  const limits = limitsOf(io.stopping, settings.deadlineMs);
  const planning = await makePlan(settings, { ...io, mode: 'write', draining: limits.draining });
  const log = io.log.child({ run_id: planning.runId });
  try {
    const gate = openPublishGate({
      window: settings.publishWindow,
      now: planning.now,
      deadline: planning.now() + settings.deadlineMs - (performance.now() - started),
      stopping: io.stopping,
      publishing: limits.publishing,
      onWait: (ms) => {
        log.info({ opens_in_s: Math.ceil(ms / 1000) }, 'all that is read waits for the publish window');
        io.progress.phase('waiting for the publish window');
      },
    });
    const scratch = await openScratch({
      parent: settings.scratch,
      runId: planning.runId,
      limitBytes: settings.scratchLimitBytes,
      log,
      whenFull: 'Raise --scratch-limit, or publish more often with a smaller --publish-every.',
    });
    try {
      const engine = await openEngine(settings.engine, {
        memoryLimitBytes: settings.memoryLimitBytes,
        scratch: await scratch.subfolder('engine'),
        claim: () => scratch.claim(),
      });
      try {
        return await run({ settings, io, log, limits, planning, scratch, engine, gate, started });
      } finally {
        await engine.close();
      }
    } finally {
      await scratch.remove();
    }
  } finally {
    io.progress.stop();
    limits.dispose();
    await planning.close();
  }
}

interface Run {
  readonly settings: Settings;
  readonly io: JobIo;
  readonly log: Logger;
  readonly limits: Limits;
  readonly planning: Planning;
  readonly scratch: Scratch;
  readonly engine: Engine;
  readonly gate: PublishGate;
  /** `performance.now()` at the beginning. */
  readonly started: number;
}

async function run(context: Run): Promise<RunSummary> {
  const { settings, io, log, limits, planning, engine, started } = context;
  const { lake, runId, asOf } = planning;
  await begin(context);
  log.info({ lake: lake.store.url, as_of: iso(asOf), planned: planning.planned.length }, 'the run begins');

  const rejected = new RejectedRecords(context.scratch.folder);
  const publication = await openPublication(context);
  const drainStarted = performance.now();
  let publishStarted = drainStarted;
  let drained: ReadonlyMap<Planned, Drained>;
  try {
    drained = await drainAll({
      settings,
      planning,
      stage: async (table, rows, target) => {
        const settledRows = table === copyJobs ? await publication.creationDates.withFirstDates(rows) : rows;
        await publication.waves.stage(table, settledRows, originOf(target));
      },
      reject: (records) => rejected.keep(records),
      progress: io.progress,
      log,
      signal: limits.draining,
    });
    publishStarted = performance.now();
    await publication.waves.finish();
  } finally {
    // Scratch must not go while parts are made in it.
    await publication.waves.settle();
  }
  warnOfLargeParts(publication.written, log);
  const ledgerStarted = performance.now();
  io.progress.phase('closing the ledger');

  const coverage = planning.planned.map((planned) =>
    coverageOf(planned, drained.get(planned) ?? null, publication.failed, limits.stopReason()),
  );
  const exitCode = exitCodeOf(coverage, settings.failOn, io.stopping.aborted);
  const totals = publication.totals(coverage);
  const ledgerError = await closed({
    lake,
    engine,
    scratchFolder: context.scratch.folder,
    run: {
      runId,
      asOf,
      programVersion: io.programVersion,
      exitCode,
      memoryDays: settings.memoryDays,
      latest: planning.now() + clockToleranceMs,
    },
    parts: publication.written,
    coverage,
    openDays: new Map(planning.planned.map((planned, i) => [i, drained.get(planned)?.openDays ?? new Set()])),
    rejected,
    totals,
    signal: limits.closing,
  });
  if (ledgerError !== null) log.error({ err: ledgerError }, 'the ledger could not be closed');
  for (const { table, target, report, switchedOff } of coverage) {
    if (switchedOff !== true) continue;
    const about = { table, account_id: target.accountId, region: target.region, error: report.errorMessage };
    log.warn(about, 'a region that was read before is disabled now: later runs only count it');
  }
  const unknownFields = unknownFieldsOf(drained.values());
  if (Object.keys(unknownFields).length > 0) {
    log.warn({ unknown_fields: unknownFields }, 'AWS sends fields that this version has no column for');
  }

  const { moved } = publication.creationDates;
  if (moved.jobs > 0) {
    log.warn(moved, 'AWS lists jobs with another day of creation than before: they keep the first one');
  }

  io.progress.phase('looking for foreign objects in the partitions that were touched');
  const foreign = await foreignObjects(context, publication.touched.values());
  const ended = performance.now();
  const summary: RunSummary = {
    run_id: runId,
    lake: lake.store.url,
    as_of: iso(asOf),
    duration_ms: Math.round(ended - started),
    targets: planning.targets.length,
    coverage: counted(coverage),
    tables: totals,
    unknown_fields: unknownFields,
    altered_records: [...drained.values()].reduce((sum, { altered }) => sum + altered, 0),
    moved_jobs: moved.jobs,
    foreign_objects: foreign,
    failures: coverage.filter(isReported).sort(worstFirst).map(failureOf),
    phases_ms: {
      discover: Math.round(drainStarted - started),
      drain: Math.round(publishStarted - drainStarted),
      publish: Math.round(publication.waves.spentMs),
      ledger: Math.round(ended - ledgerStarted),
    },
    ledger_error: ledgerError?.message ?? null,
    exit_code: ledgerError?.exitCode ?? exitCode,
  };
  log.info({ summary: { ...summary, failures: summary.failures.length } }, 'the run has ended');
  return summary;
}

/** Whoever queries the lake must not wait for a store that does not list: it is looked for this long. */
const foreignLookMs = 20_000;

/**
 * What else lies in the partitions that were touched. Only after the ledger is closed: it is worth telling, and nothing
 * is lost when it cannot be seen.
 */
async function foreignObjects(
  { io, log, limits, planning }: Run,
  touched: Iterable<Partition>,
): Promise<readonly string[]> {
  const { lake, foreignFolders: folders } = planning;
  const signal = AbortSignal.any([io.stopping, limits.publishing, AbortSignal.timeout(foreignLookMs)]);
  const objects = io.stopping.aborted
    ? []
    : await foreignIn(lake.store, touched, lake.buckets, signal).catch((err: unknown) => {
        log.warn({ err }, 'whether the partitions hold foreign objects could not be seen');
        return [];
      });
  const foreign = [...folders, ...objects];
  const told = describeForeign(foreign);
  if (told !== null) log.warn({ foreign_objects: foreign.length }, told);
  return foreign;
}

/** What was published is worth telling even when the ledger cannot be closed. */
async function closed(end: LedgerEnd): Promise<ReportedError | null> {
  try {
    await closeLedger(end);
    return null;
  } catch (error) {
    if (error instanceof ReportedError) return error;
    throw error;
  }
}

/** The first thing that a run writes: if it cannot, nothing is drained. */
async function begin({ settings, io, limits, planning }: Run): Promise<void> {
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
  await askUnlessStopped(limits.draining, `The begin record could not be written to ${lake.store.url}`, () =>
    writeBegin(lake.store, record, limits.draining),
  );
}

function originOf({ accountId, region }: Target): string {
  return `${accountId}/${region}`;
}

/** Where staged rows become parts, and what came of them. */
async function openPublication({ settings, io, log, limits, planning, scratch, engine, gate }: Run) {
  const { lake, runId } = planning;
  const written: WrittenPart[] = [];
  const failed = new Map<string, unknown>();
  const touched = new Map<string, Partition>();
  let tables = emptyTotals(settings.tables);
  const scratchFolder = await scratch.subfolder('parts');
  const staging = openStaging({
    folder: await scratch.subfolder('staging'),
    buckets: lake.buckets,
    reserve: (bytes) => scratch.reserve(bytes),
  });
  const creationDates = new CreationDates({
    store: lake.store,
    buckets: lake.buckets,
    runId,
    oldest: planning.asOf - 2 * settings.memoryDays * dayMs,
    scratchFolder,
    reserve: (bytes) => scratch.reserve(bytes),
    log,
    signal: limits.publishing,
  });
  const waves = new Waves(
    staging,
    {
      publish: async (part) => {
        await gate.pass();
        touched.set(partitionPrefix(part.table, part.partition), part);
        if (part.table === copyJobs)
          await creationDates.claim(part.bucket, part.partition.creation_date ?? '');
        const ended = io.progress.publishing(part.key);
        return await publishPart({
          store: lake.store,
          engine,
          table: part.table,
          partition: part.partition,
          bucket: part.bucket,
          buckets: lake.buckets,
          staged: part.files,
          stagedRows: part.rows,
          scratchFolder,
          runId,
          metadata: { program: `backup-copy-export/${io.programVersion}` },
          random: Math.random,
          sleep: (ms, signal) => sleep(ms, undefined, signal === undefined ? {} : { signal }),
          reserve: (bytes) => scratch.reserve(bytes),
          signal: limits.publishing,
          maxAttempts: 20,
          latest: () => planning.now() + clockToleranceMs,
        }).finally(ended);
      },
      onPublished: (part, published) => {
        io.progress.published();
        tables = withPart(tables, part.table, published);
        if (published.written === null) return;
        const { bytes, sha256, etagBefore, etagAfter } = published.written;
        const rows = published.outcome.rows;
        written.push({
          key: published.key,
          rows,
          bytes,
          sha256,
          etag_before: etagBefore,
          etag_after: etagAfter,
        });
        log.debug({ table: part.table.name, key: published.key, rows, bytes }, 'published a part');
      },
      onFailed: ({ table, origins, error }) => {
        io.progress.published();
        for (const origin of origins) {
          const name = `${table.name}/${origin}`;
          // Of several, a failure tells more than the end of the run.
          if (!failed.has(name) || isStop(failed.get(name))) failed.set(name, error);
        }
        log.error({ table: table.name, err: error }, 'a part could not be published');
      },
      onWave: (parts) => {
        io.progress.publishStarted(parts);
        // What was staged is on disk now, and the engine wants the room.
        releaseMemory();
      },
      onLeftBehind: (err) => log.warn({ err }, 'staged files could not be removed yet'),
    },
    {
      bytes: Math.floor(settings.scratchLimitBytes / 4),
      everyMs: settings.publishEveryMs,
      opensInMs: () => gate.opensInMs(),
      concurrency: 3,
      now: () => performance.now(),
    },
  );
  return {
    waves,
    creationDates,
    written,
    failed,
    touched,
    totals: (coverage: readonly Coverage[]) =>
      coverage.reduce((sum, { table, rejected }) => withRejected(sum, table, rejected), tables),
  };
}

function counted(coverage: readonly Coverage[]): Partial<Record<CoverageStatus, number>> {
  const counts: Partial<Record<CoverageStatus, number>> = {};
  for (const { status } of coverage) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function failureOf({ target, table, status, report }: Coverage): RunSummary['failures'][number] {
  return {
    account_id: target.accountId,
    region: target.region,
    table,
    status,
    error: [report.errorName, report.errorMessage].filter((part) => part !== null).join(': '),
    advice: adviceFor(status, report.errorName),
    needs_person: needsPerson(status, report.errorName),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

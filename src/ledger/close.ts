/**
 * Closes the ledger of a run: first rejected records, then coverage and reconciliation side by side, then the manifest, then
 * watermarks. In this order a crash between two steps does no harm. The manifest says that the run has ended, and everything it names
 * exists by then. The checkpoint of the lake comes after them: src/checkpoints/.
 */
import { stat } from 'node:fs/promises';
import { join } from 'node:path';
import { clockToleranceMs } from '../aws/clock.ts';
import type { Shard } from '../config/typed-values.ts';
import type { Engine } from '../lake/engines/engine.ts';
import type { Lake } from '../lake/lake.ts';
import { bucketOf, coverageKey, reconciliationKey, rejectedKey } from '../lake/layout.ts';
import { partitionText } from '../lake/part-placement.ts';
import { sha256Of, writeScratchFile } from '../lake/scratch-file.ts';
import { lineOf } from '../lake/staged-line.ts';
import { writeOnce } from '../lake/write-once.ts';
import { isStop } from '../shared/abort.ts';
import { allEnded } from '../shared/all-ended.ts';
import { LakeError, ReportedError } from '../shared/errors.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import { exportReconciliation } from '../tables/export-reconciliation.ts';
import { type Row, type Table, utcDay } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import { type Coverage, coverageRow } from './coverage.ts';
import type { MissingByDay, MissingByTarget } from './missing-jobs.ts';
import type { OpenJobsRead } from './open-jobs.ts';
import type { RejectedRecords } from './rejected.ts';
import { type AwsMemory, rememberedFrom } from './remembered.ts';
import {
  type Manifest,
  manifestHeads,
  type WrittenPart,
  type WrittenRecord,
  type WrittenTable,
  writeManifest,
} from './runs.ts';
import type { Totals } from './totals.ts';
import {
  type Covered,
  extendWatermarks,
  type SwitchedOff,
  type Watermark,
  type Watermarks,
  watermarkName,
} from './watermarks.ts';

export interface LedgerEnd {
  readonly lake: Lake;
  readonly engine: Engine;
  readonly scratchFolder: string;
  readonly run: AwsMemory & {
    readonly runId: string;
    /** Milliseconds since the epoch. */
    readonly asOf: number;
    readonly programVersion: string;
    /** May depend on the reconciliation. */
    readonly exitCode: number | Promise<number>;
    /** AWS's time, in milliseconds since the epoch. */
    readonly now: () => number;
  };
  readonly begin: WrittenRecord;
  readonly parts: readonly WrittenPart[];
  /** Of a run that is one of several. */
  readonly shard?: {
    readonly shard: Shard;
    readonly night: string | null;
    /** Rows that other shards own. */
    readonly handed_over: readonly WrittenTable[];
  };
  readonly coverage: readonly Coverage[];
  /** The rows of export_reconciliation; none: nothing was compared. While they are on their way, coverage is written. */
  readonly reconciliation: Iterable<Row> | Promise<Iterable<Row>>;
  /** Days with unfinished jobs, by index into `coverage`. */
  readonly openDays: ReadonlyMap<number, ReadonlySet<string>>;
  /** What is known of their unfinished jobs, likewise. */
  readonly openJobs?: ReadonlyMap<number, OpenJobsRead>;
  readonly rejected: RejectedRecords;
  readonly totals: Totals;
  /** Keys of parts that are no more: only `rebucket` removes any. */
  readonly removed?: readonly string[];
  /** Aborted when the store's time is up. Steps that are not written by then stay unwritten. */
  readonly signal: AbortSignal;
}

/** What a closed ledger has of a run. */
export interface WrittenRecords {
  readonly manifest: WrittenRecord;
  readonly coverage: Manifest['coverage'];
  readonly reconciliation: Manifest['reconciliation'];
  readonly rejected: Manifest['rejected'];
  readonly begin: WrittenRecord;
}

/**
 * Writes the records of a run. Then the run has ended, whatever comes of its watermarks.
 * @throws LakeError when a step fails; the steps before it are written. The message says what this means for the run
 */
export async function closeLedger(end: LedgerEnd): Promise<WrittenRecords> {
  return await explaining(
    'The ledger could not be closed, so the run shows as unfinished',
    writeRecords(end),
  );
}

/**
 * @param missing of the targets that were compared with AWS's counts
 * @returns all of the buckets that it has written
 * @throws LakeError when they cannot be written. The message says what this means for the run
 */
export async function closeWatermarks(end: LedgerEnd, missing: MissingByTarget): Promise<Watermarks> {
  return await explaining(
    'The run is complete, but its watermarks could not be written, so the next run reads more',
    moveWatermarks(end, missing),
  );
}

async function explaining<T>(consequence: string, work: Promise<T>): Promise<T> {
  return await work.catch((cause) => {
    if (cause instanceof ReportedError) throw new LakeError(consequence, cause.message, { cause });
    if (isStop(cause))
      throw new LakeError(consequence, `${cause.message} before the store responded`, { cause });
    throw cause;
  });
}

async function writeRecords(end: LedgerEnd): Promise<WrittenRecords> {
  const { lake, run, signal } = end;
  const { store } = lake;
  const rejected = await publishRejected(end);
  const [coverage, reconciliation, previous] = await allEnded([
    publishRows(
      end,
      exportCoverage,
      coverageKey(utcDay(run.asOf), run.runId),
      end.coverage.map((one) => coverageRow(one, run)),
    ),
    publishReconciliation(end),
    manifestHeads(store, signal),
  ]);
  // The comparison may take minutes.
  const exitCode = await run.exitCode;
  const manifest = {
    format: 1 as const,
    run_id: run.runId,
    as_of: new Date(run.asOf).toISOString(),
    ended_at: new Date(run.now()).toISOString(),
    program_version: run.programVersion,
    previous,
    parts: end.parts,
    coverage,
    reconciliation,
    rejected,
    begin: end.begin,
    ...end.shard,
    ...(end.removed === undefined ? {} : { removed: end.removed }),
    totals: end.totals,
    exit_code: exitCode,
  };
  const { begin } = end;
  return {
    manifest: await writeManifest(store, manifest, signal),
    coverage,
    reconciliation,
    rejected,
    begin,
  };
}

async function publishRejected({ lake, run, rejected, signal }: LedgerEnd): Promise<Manifest['rejected']> {
  if (rejected.count === 0) return null;
  const key = rejectedKey(utcDay(run.asOf), run.runId);
  const body = { file: rejected.file };
  await writeOnce(lake.store, { key, body, runId: run.runId, contentType: 'application/x-ndjson' }, signal);
  return { key, records: rejected.count, sha256: rejected.sha256() };
}

/** Null if no row was compared: then there is nothing to publish. */
async function publishReconciliation(end: LedgerEnd): Promise<WrittenTable | null> {
  const key = reconciliationKey(utcDay(end.run.asOf), end.run.runId);
  const written = await publishRows(end, exportReconciliation, key, await end.reconciliation);
  return written.rows === 0 ? null : written;
}

/** Rows that are written to scratch at once. */
const chunk = 1000;

/** The run's own object in one of the tables that runs append to. Coverage is published even without rows. */
async function publishRows(
  { lake, engine, scratchFolder, run, signal }: LedgerEnd,
  table: Table,
  key: string,
  rows: Iterable<Row>,
): Promise<WrittenTable> {
  const name = table.name.replace('export_', '');
  const staged = join(scratchFolder, `${name}.csv`);
  const file = join(scratchFolder, `${name}.parquet`);
  let count = 0;
  function* lines() {
    let text = '';
    for (const row of rows) {
      text += `${lineOf(table, row).join('')}\n`;
      count += 1;
      if (count % chunk !== 0) continue;
      yield text;
      text = '';
    }
    yield text;
  }
  await writeScratchFile(staged, lines());
  if (count === 0 && table !== exportCoverage) return { key, rows: 0, sha256: '' };
  const partition = { run_date: utcDay(run.asOf) };
  await engine.merge({
    table,
    partition,
    existing: null,
    staged: [staged],
    stagedRows: count,
    // A run without a plan has a coverage without rows.
    always: true,
    output: file,
    metadata: {
      run_id: run.runId,
      table: table.name,
      partition: partitionText(table, partition),
      schema_version: String(table.schemaVersion),
    },
  });
  const contentType = 'application/vnd.apache.parquet';
  await writeOnce(lake.store, { key, body: { file }, runId: run.runId, contentType }, signal);
  const { size: bytes } = await stat(file);
  return { key, rows: count, bytes, sha256: await sha256Of(file) };
}

/**
 * A watermark moves only if its target was read and published completely. Counts have no window: a successful drain has
 * read everything that AWS keeps.
 */
async function moveWatermarks(
  { lake, run, coverage, openDays, openJobs, signal }: LedgerEnd,
  missing: MissingByTarget,
): Promise<Watermarks> {
  const byBucket = new Map<number, Map<string, Covered | SwitchedOff>>();
  coverage.forEach(({ table, target, window, status, switchedOff }, i) => {
    if (status !== 'OK' && status !== 'OK_EMPTY' && switchedOff !== true) return;
    const bucket = bucketOf(target.accountId, lake.buckets);
    const covered = byBucket.get(bucket) ?? new Map<string, Covered | SwitchedOff>();
    byBucket.set(bucket, covered);
    const name = watermarkName(table, target.accountId, target.region);
    if (switchedOff === true) {
      covered.set(name, { disabledAt: run.asOf });
      return;
    }
    covered.set(name, {
      window: window ?? { from: null, to: run.asOf },
      rememberedFrom: rememberedFrom(table, run),
      openDays: openDays.get(i) ?? new Set(),
      ...openJobsOf(openJobs?.get(i)),
      ...(table === 'copy_jobs' ? missingJobsOf(missing.get(targetName(target))) : {}),
      asOf: run.asOf,
    });
  });
  const marks = new Map<string, Watermark>();
  for (const [bucket, covered] of byBucket) {
    const latest = run.now() + clockToleranceMs;
    const written = await extendWatermarks(lake.store, bucket, covered, { ...run, latest }, signal);
    for (const [name, mark] of written) marks.set(name, mark);
  }
  return marks;
}

function missingJobsOf(missingByDay: MissingByDay | undefined): Pick<Covered, 'missingByDay'> {
  return missingByDay === undefined ? {} : { missingByDay };
}

function openJobsOf(read: OpenJobsRead | undefined): Pick<Covered, 'openJobs'> {
  return read === undefined ? {} : { openJobs: read };
}

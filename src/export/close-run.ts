/** The end of a run: what became of each planned drain, and the ledger that says so. */
import { closeLedger, closeWatermarks, type LedgerEnd } from '../ledger/close.ts';
import { type Coverage, coverageOf, exitCodeOf, isIdleShard } from '../ledger/coverage.ts';
import { lostSinceLastRead } from '../ledger/data-loss.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import type { RejectedRecords } from '../ledger/rejected.ts';
import type { WrittenRecord } from '../ledger/runs.ts';
import { type Totals, withRejected } from '../ledger/totals.ts';
import { missingDays, type Watermarks, watermarkName } from '../ledger/watermarks.ts';
import {
  differingShare,
  missingByTarget,
  type Reconciliation,
  type ReconciliationTotals,
  totalsOf,
} from '../reconciliation/reconcile.ts';
import { reconciliationRows } from '../reconciliation/reconciliation-rows.ts';
import { allEnded } from '../shared/all-ended.ts';
import { ReportedError } from '../shared/errors.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import { dayMs } from '../shared/time.ts';
import { compareWithAws } from './compare-with-aws.ts';
import { type CheckpointResult, makeCheckpoint, noCheckpoint } from './make-checkpoint.ts';
import type { Run } from './open-run.ts';
import type { OpenPublication } from './publication.ts';

export interface ClosedRun {
  readonly coverage: readonly Coverage[];
  readonly totals: Totals;
  /** Null: nothing was compared. */
  readonly reconciliation: Reconciliation | null;
  /** Accounts, regions and days with missing jobs that the next run reads again; null: not known. */
  readonly readAgain: number | null;
  /** What became of the targets; `ledgerError` has an exit code of its own. */
  readonly exitCode: ExitCode;
  /** Null: the ledger is closed. */
  readonly ledgerError: ReportedError | null;
  readonly checkpoint: CheckpointResult;
}

export interface RunToClose {
  readonly begin: WrittenRecord;
  readonly drained: ReadonlyMap<Planned, Drained>;
  readonly open: Pick<OpenPublication, 'publication' | 'handOver'>;
  readonly rejected: RejectedRecords;
}

/** Published parts are worth reporting even when the ledger cannot be closed: that error is part of the result. */
export async function closeRun(
  run: Run,
  { begin, drained, open: { publication, handOver }, rejected }: RunToClose,
): Promise<ClosedRun> {
  const { settings, io, log, stops, planning, engine, scratch } = run;
  const { failed, written } = publication;
  const coverage = planning.planned.map((planned) =>
    coverageOf(planned, drained.get(planned) ?? null, failed, stops.stopReason()),
  );
  const memory = { ...settings, asOf: planning.asOf };
  const hasLost = planning.planned.some((planned, at) => {
    const status = coverage[at]?.status;
    return status !== undefined && lostSinceLastRead(planned, status, memory) !== null;
  });
  // The ledger's first records are written meanwhile. It never rejects.
  const comparing = compareWithAws(run, coverage, drained, publication);
  const judged = comparing.then((reconciliation): ExitCode => {
    const isIdle = isIdleShard(settings, coverage) && !io.stopping.aborted;
    return withMismatch(
      isIdle ? 0 : exitCodeOf(coverage, settings.failOn, io.stopping.aborted, hasLost),
      reconciliation === null ? null : totalsOf(reconciliation),
      settings.failOnMismatch,
    );
  });
  const totals = coverage.reduce(
    (sum, one) => withRejected(sum, one.table, one.rejected),
    publication.totals,
  );
  const end: LedgerEnd = {
    lake: planning.lake,
    engine,
    scratchFolder: scratch.folder,
    run: {
      runId: planning.runId,
      asOf: planning.asOf,
      programVersion: io.programVersion,
      exitCode: judged,
      memoryDays: settings.memoryDays,
      countMemoryDays: settings.countMemoryDays,
      now: planning.now,
    },
    begin,
    parts: written,
    ...(settings.shard === null
      ? {}
      : { shard: { shard: settings.shard, night: settings.night, handed_over: handOver.written } }),
    coverage,
    reconciliation: comparing.then((reconciliation) =>
      reconciliation === null
        ? []
        : reconciliationRows(reconciliation, { runId: planning.runId, asOf: planning.asOf }),
    ),
    openDays: new Map(planning.planned.map((planned, i) => [i, drained.get(planned)?.openDays ?? new Set()])),
    openJobs: new Map(
      planning.planned.flatMap((planned, i) => {
        const read = drained.get(planned)?.openJobs;
        return read === undefined ? [] : [[i, read] as const];
      }),
    ),
    rejected,
    totals,
    signal: stops.closing,
  };
  const [records, reconciliation, exitCode] = await allEnded([
    valueOrError(() => closeLedger(end)),
    comparing,
    judged,
  ]);
  // An unfinished run has no checkpoint: the next run counts what it published. The checkpoint says nothing of watermarks.
  const [marks, checkpoint] =
    records instanceof ReportedError
      ? [records, noCheckpoint]
      : await allEnded([
          valueOrError(() =>
            closeWatermarks(end, reconciliation === null ? new Map() : missingByTarget(reconciliation)),
          ),
          makeCheckpoint(run, publication, records),
        ]);
  const [ledgerError, readAgain] =
    marks instanceof ReportedError ? [marks, null] : [null, daysReadAgain(run, marks)];
  if (ledgerError !== null) log.error({ err: ledgerError }, 'the ledger could not be closed');
  return { coverage, totals, reconciliation, readAgain, exitCode, ledgerError, checkpoint };
}

/** Accounts, regions and days with missing jobs that a run within a day reads again. */
function daysReadAgain({ planning, settings: { memoryDays } }: Run, marks: Watermarks): number {
  const next = { asOf: planning.asOf + dayMs, memoryDays };
  return planning.planned.reduce((sum, { table, target, watermark }) => {
    const mark = marks.get(watermarkName(table, target.accountId, target.region)) ?? watermark;
    return sum + missingDays(mark, next).length;
  }, 0);
}

/** A run that failed for another reason keeps its exit code. */
function withMismatch(
  exitCode: ExitCode,
  totals: ReconciliationTotals | null,
  allowedShare: number | null,
): ExitCode {
  if ((exitCode !== 0 && exitCode !== 65) || totals === null || allowedShare === null) return exitCode;
  return differingShare(totals) > allowedShare ? 76 : exitCode;
}

async function valueOrError<T>(work: () => Promise<T>): Promise<T | ReportedError> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof ReportedError) return error;
    throw error;
  }
}

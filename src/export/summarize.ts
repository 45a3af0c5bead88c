/** What a run reports when it has ended. */
import type { CreationDates } from '../lake/creation-dates.ts';
import {
  type Coverage,
  type CoverageStatus,
  isReported,
  needsPerson,
  worstFirst,
} from '../ledger/coverage.ts';
import { firstLossAt, lostSinceLastRead, nextLossAt } from '../ledger/data-loss.ts';
import type { Drained, Planned } from '../ledger/planned.ts';
import type { AwsMemory } from '../ledger/remembered.ts';
import { unknownFieldsOf } from '../ledger/totals.ts';
import { differingShare, type Reconciliation, totalsOf } from '../reconciliation/reconcile.ts';
import type { ConcurrencySummary } from '../source/concurrency.ts';
import { adviceFor } from '../telemetry/advice.ts';
import type { LostInterval, ReconciliationSummary, RunSummary } from '../telemetry/run-summary.ts';
import type { ClosedRun } from './close-run.ts';
import type { Run } from './open-run.ts';

/** Instants of `performance.now()`, and a span. */
export interface Times {
  readonly collecting: number;
  readonly collected: number;
  readonly closing: number;
  readonly ended: number;
  /** Spent on publishing, in milliseconds: batches are published while others are collected. */
  readonly publishedMs: number;
}

export interface Ended {
  readonly drained: ReadonlyMap<Planned, Drained>;
  readonly closed: ClosedRun;
  readonly concurrency: ConcurrencySummary;
  readonly moved: CreationDates['moved'];
  readonly foreign: readonly string[];
  readonly times: Times;
}

export function summarize({ settings, planning, started }: Run, ended: Ended): RunSummary {
  const { drained, closed, concurrency, moved, foreign, times } = ended;
  const { coverage, totals, ledgerError, checkpoint } = closed;
  const { memoryDays, countMemoryDays } = settings;
  const run = { asOf: planning.asOf, memoryDays, countMemoryDays };
  // Each planned drain has its coverage, in the same order.
  const plannedOf = new Map(coverage.map((one, i) => [one, planning.planned[i]]));
  return {
    run_id: planning.runId,
    lake: planning.lake.store.url,
    as_of: iso(planning.asOf),
    duration_ms: Math.round(times.ended - started),
    targets: planning.targets.length,
    coverage: countedByStatus(coverage),
    tables: totals,
    reading: {
      pages: sumOf(coverage, ({ report }) => report.pages),
      rows: sumOf(coverage, ({ rows }) => rows),
      retries: sumOf(coverage, ({ report }) => report.retries),
    },
    concurrency,
    unknown_fields: unknownFieldsOf(drained.values()),
    altered_records: [...drained.values()].reduce((sum, { altered }) => sum + altered, 0),
    moved_jobs: moved.jobs,
    foreign_objects: foreign,
    lost_intervals: lostIntervals(plannedOf, run),
    reconciliation:
      closed.reconciliation === null ? null : reconciliationSummary(closed.reconciliation, closed.readAgain),
    hours_to_data_loss: hoursToDataLoss(plannedOf, run),
    failures: coverage
      .filter(isReported)
      .sort(worstFirst)
      .map((one) => failureOf(one, plannedOf.get(one), settings)),
    phases_ms: {
      discover: Math.round(times.collecting - started),
      drain: Math.round(times.collected - times.collecting),
      publish: Math.round(times.publishedMs),
      ledger: Math.round(times.ended - times.closing),
    },
    ledger_error: ledgerError?.message ?? null,
    checkpoint: checkpoint.written,
    checkpoint_skipped: checkpoint.skipped,
    checkpoint_error: checkpoint.error?.message ?? null,
    witness_error: checkpoint.witnessError?.message ?? null,
    exit_code: (ledgerError ?? checkpoint.error ?? checkpoint.witnessError)?.exitCode ?? closed.exitCode,
  };
}

/** What a person should hear of, although it fails no run by itself. */
export function warnOfSurprises(
  { log }: Run,
  coverage: readonly Coverage[],
  drained: ReadonlyMap<Planned, Drained>,
  moved: CreationDates['moved'],
): void {
  for (const { table, target, report, switchedOff } of coverage) {
    if (switchedOff !== true) continue;
    const about = { table, account_id: target.accountId, region: target.region, error: report.errorMessage };
    log.warn(about, 'a region that was read before is disabled now: later runs only count it');
  }
  const unknownFields = unknownFieldsOf(drained.values());
  if (Object.keys(unknownFields).length > 0) {
    log.warn({ unknown_fields: unknownFields }, 'AWS sends fields that this version has no column for');
  }
  if (moved.jobs > 0) {
    log.warn(
      moved,
      'AWS lists copy jobs with a different creation date than before: they keep the first one',
    );
  }
}

function reconciliationSummary(found: Reconciliation, readAgain: number | null): ReconciliationSummary {
  const totals = totalsOf(found);
  return {
    days: totals.days,
    compared: totals.slices,
    differing: totals.differingSlices,
    aws_jobs: totals.awsJobs,
    lake_jobs: totals.lakeJobs,
    missing_jobs: totals.missing,
    read_again: readAgain,
    surplus_jobs: totals.surplus,
    difference: differingShare(totals),
    not_comparable: found.notComparable,
    unreadable_days: found.unreadableDays.map(({ day }) => day),
  };
}

function countedByStatus(coverage: readonly Coverage[]): Partial<Record<CoverageStatus, number>> {
  const counts: Partial<Record<CoverageStatus, number>> = {};
  for (const { status } of coverage) counts[status] = (counts[status] ?? 0) + 1;
  return counts;
}

function sumOf(coverage: readonly Coverage[], count: (one: Coverage) => number): number {
  return coverage.reduce((sum, one) => sum + count(one), 0);
}

function hoursToDataLoss(
  plannedOf: ReadonlyMap<Coverage, Planned | undefined>,
  run: AwsMemory & { readonly asOf: number },
): number | null {
  const losses = [...plannedOf].flatMap(([{ status }, planned]) => {
    const at = planned === undefined ? null : nextLossAt(planned, status, run);
    return at === null ? [] : [at];
  });
  if (losses.length === 0) return null;
  const first = losses.reduce((a, b) => Math.min(a, b));
  return Math.round((first - run.asOf) / 36_000) / 100;
}

function lostIntervals(
  plannedOf: ReadonlyMap<Coverage, Planned | undefined>,
  run: AwsMemory & { readonly asOf: number },
): LostInterval[] {
  const lost = [...plannedOf].flatMap(([{ status, table, target }, planned]) => {
    const interval = planned === undefined ? null : lostSinceLastRead(planned, status, run);
    return interval === null ? [] : [{ ...interval, table, target }];
  });
  return lost
    .sort((a, b) => b.to - b.from - (a.to - a.from))
    .map(({ table, target, from, to }) => ({
      account_id: target.accountId,
      account_name: target.accountName,
      region: target.region,
      table,
      lost_from: iso(from),
      lost_to: iso(to),
    }));
}

function failureOf(
  { target, table, status, report }: Coverage,
  planned: Planned | undefined,
  memory: AwsMemory,
): RunSummary['failures'][number] {
  const loss = planned === undefined ? null : firstLossAt(planned, memory);
  return {
    account_id: target.accountId,
    account_name: target.accountName,
    region: target.region,
    table,
    status,
    error: [report.errorName, report.errorMessage].filter((text) => text !== null).join(': '),
    advice: adviceFor(status, report.errorName),
    needs_person: needsPerson(status, report.errorName),
    read_through: planned?.coveredTo == null ? null : iso(planned.coveredTo),
    first_loss_at: loss === null ? null : iso(loss),
  };
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

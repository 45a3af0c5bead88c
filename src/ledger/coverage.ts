/** What became of every planned (table, target), and what that makes of the run. */
import { untrustedNames } from '../aws/failure.ts';
import type { FailOn } from '../config/typed-values.ts';
import { DeadlineReached, Interrupted, PublishWindowClosed, type StopReason } from '../shared/abort.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import type { DrainReport, DrainStatus, Window } from '../source/source.ts';
import { isEmptyWindow } from '../source/window.ts';
import type { DrainedTable, Row } from '../tables/table.ts';
import type { Target } from '../targets/target.ts';
import type { Drained, Planned } from './planned.ts';

/** A (table, target)'s status in the coverage, once the run has ended. */
export type CoverageStatus =
  | Exclude<DrainStatus, 'OK'>
  | 'OK'
  | 'OK_EMPTY'
  | 'SKIPPED'
  | 'PUBLISH_FAILED'
  | 'REJECTED_RECORDS';

/** One planned (table, target) at the end of a run. */
export interface Coverage {
  readonly table: DrainedTable;
  readonly target: Target;
  /** Null for a table without a window. */
  readonly window: Window | null;
  readonly status: CoverageStatus;
  /** Whether every page was read, published or not. */
  readonly read: boolean;
  readonly report: Omit<DrainReport, 'status' | 'records'>;
  readonly rows: number;
  readonly rejected: number;
  /** Only where this run is the first that finds the region disabled, after earlier ones had read it. */
  readonly switchedOff?: true;
}

const notBegun: Coverage['report'] = {
  pages: 0,
  retries: 0,
  firstRequestId: null,
  lastRequestId: null,
  durationMs: 0,
  errorName: null,
  errorMessage: null,
};

/**
 * What became of a planned (table, target). OK means drained and published.
 * @param drained null when it was not begun any more
 * @param unpublished errors of parts that could not be published, by `<table>/<account>/<region>`
 * @param stopReason why draining was ended before its time, if it was: for what was not begun
 */
export function coverageOf(
  planned: Planned,
  drained: Drained | null,
  unpublished: ReadonlyMap<string, unknown>,
  stopReason: StopReason | null,
): Coverage {
  const { table, target, window } = planned;
  if (isEmptyWindow(window)) {
    const report = { ...notBegun, errorName: 'EmptyWindow', errorMessage: emptyWindowMessage(planned) };
    return { table, target, window, status: 'SKIPPED', read: false, report, rows: 0, rejected: 0 };
  }
  if (drained === null) {
    const status = stopReason === 'deadline' ? 'SKIPPED' : 'INTERRUPTED';
    return { table, target, window, status, read: false, report: notBegun, rows: 0, rejected: 0 };
  }
  const { report, rows, rejected } = drained;
  const read = report.status === 'OK';
  const problem = unpublished.get(`${table}/${target.accountId}/${target.region}`);
  if (problem !== undefined) {
    const failure = { ...report, errorName: nameOf(problem), errorMessage: messageOf(problem) };
    const status = unpublishedStatus(problem);
    return { table, target, window, status, read, report: failure, rows, rejected };
  }
  const status = drainedStatus(drained);
  if (isNewlyDisabled(status, planned)) {
    const switchedOff = true as const;
    const failure = { ...report, ...switchingOff(drained) };
    return { table, target, window, status, read, report: failure, rows, rejected, switchedOff };
  }
  const told = status === 'REJECTED_RECORDS' ? { ...report, ...rejection(drained) } : report;
  return { table, target, window, status, read, report: told, rows, rejected };
}

/**
 * Whether a region that earlier runs have read is disabled now, and no earlier run has said so: it is named once, and
 * from then on counted with those that were never enabled.
 */
export function isNewlyDisabled(
  status: CoverageStatus,
  { coveredTo, disabledAt }: Pick<Planned, 'coveredTo' | 'disabledAt'>,
): boolean {
  return status === 'REGION_DISABLED' && coveredTo !== null && disabledAt === undefined;
}

function switchingOff({ report, coveredTo }: Drained) {
  const through = coveredTo === null ? '' : `, through ${new Date(coveredTo).toISOString()}`;
  return {
    errorName: 'RegionSwitchedOff',
    errorMessage: `the region was read before${through}, and AWS calls it disabled now: ${report.errorName}: ${report.errorMessage}`,
  };
}

/** Why nobody was asked. */
export function emptyWindowMessage({ window, coveredTo }: Planned): string {
  const end = window === null ? '' : ` ${new Date(window.to).toISOString()}`;
  const known = coveredTo === null ? '' : `; it was read through ${new Date(coveredTo).toISOString()}`;
  return `AWS was not asked: nothing is left to read before the end of the window,${end}${known}`;
}

function rejection({ rejected, rejectedFor }: Drained) {
  const records = rejected === 1 ? '1 record is' : `${rejected} records are`;
  return {
    errorName: 'RejectedRecords',
    errorMessage: `${records} kept raw, the first because ${rejectedFor ?? 'of an unknown reason'}`,
  };
}

function drainedStatus({ report, rows, rejected }: Drained): CoverageStatus {
  if (report.status !== 'OK') return report.status;
  if (rejected > 0) return 'REJECTED_RECORDS';
  return rows > 0 ? 'OK' : 'OK_EMPTY';
}

/** Only what failed because the run had to end is the end's doing; all else is the lake's, whenever it happens. */
function unpublishedStatus(problem: unknown): CoverageStatus {
  if (problem instanceof DeadlineReached || problem instanceof PublishWindowClosed) return 'TIMED_OUT';
  return problem instanceof Interrupted ? 'INTERRUPTED' : 'PUBLISH_FAILED';
}

function nameOf(problem: unknown): string {
  return problem instanceof Error ? problem.name : 'Error';
}

function messageOf(problem: unknown): string {
  return problem instanceof Error ? problem.message : String(problem);
}

/** What the coverage table keeps of it. */
export function coverageRow(coverage: Coverage, run: { readonly runId: string; readonly asOf: number }): Row {
  const { target, report } = coverage;
  return {
    run_id: run.runId,
    as_of: run.asOf,
    table_name: coverage.table,
    account_id: target.accountId,
    account_name: target.accountName,
    region: target.region,
    status: coverage.status,
    window_from: coverage.window?.from ?? null,
    window_to: coverage.window?.to ?? null,
    pages: report.pages,
    rows: coverage.rows,
    rejected: coverage.rejected,
    retries: report.retries,
    first_request_id: report.firstRequestId,
    last_request_id: report.lastRequestId,
    duration_ms: Math.round(report.durationMs),
    error_name: report.errorName,
    error_message: report.errorMessage?.toWellFormed() ?? null,
  };
}

type Healing = 'covered' | 'time' | 'person';

/** Who can heal a status; worst last. */
const healing: Readonly<Record<CoverageStatus, Healing>> = {
  OK: 'covered',
  OK_EMPTY: 'covered',
  REJECTED_RECORDS: 'covered',
  SKIPPED: 'time',
  INTERRUPTED: 'time',
  THROTTLED: 'time',
  UNREACHABLE: 'time',
  TIMED_OUT: 'time',
  PUBLISH_FAILED: 'time',
  REGION_DISABLED: 'person',
  ACCESS_DENIED: 'person',
  ASSUME_ROLE_FAILED: 'person',
  FAILED: 'time',
};

/** From mild to bad: how failures are ordered for people. */
const severity: readonly CoverageStatus[] = [
  'OK',
  'OK_EMPTY',
  'REGION_DISABLED',
  'SKIPPED',
  'INTERRUPTED',
  'REJECTED_RECORDS',
  'THROTTLED',
  'TIMED_OUT',
  'UNREACHABLE',
  'ACCESS_DENIED',
  'ASSUME_ROLE_FAILED',
  'PUBLISH_FAILED',
  'FAILED',
];

/** What decides whether a (table, target) failed. */
type Ended = Pick<Coverage, 'status' | 'target' | 'window' | 'switchedOff'>;

/**
 * A region that nobody asked for by name and that is not enabled is nobody's failure, but for the first time that it is
 * found so after it had been read. Nor is a window in which nothing
 * was left to read: an `--until` that lies before what earlier runs have read.
 */
export function isFailure({ status, target, window, switchedOff }: Ended): boolean {
  if (status === 'REGION_DISABLED') return target.regionNamed || switchedOff === true;
  if (status === 'SKIPPED' && isEmptyWindow(window)) return false;
  return healing[status] !== 'covered';
}

/** Whether people should hear of it: failures, records kept aside, and whom AWS was not asked about. */
export function isReported(coverage: Ended): boolean {
  return isFailure(coverage) || coverage.status === 'REJECTED_RECORDS' || coverage.status === 'SKIPPED';
}

/** Whether no retry heals it; of what nobody answers, because of the certificate of whoever did. */
export function needsPerson(status: CoverageStatus, errorName: string | null): boolean {
  return healing[status] === 'person' || (status === 'UNREACHABLE' && untrustedNames.has(errorName ?? ''));
}

/** What is told only once comes before all else. */
function gravity({ status, switchedOff }: Coverage): number {
  return switchedOff === true ? severity.length : severity.indexOf(status);
}

/** Worst first; then by account, region and table. */
export function worstFirst(a: Coverage, b: Coverage): number {
  const name = ({ target, table }: Coverage) => `${target.accountId}/${target.region}/${table}`;
  return gravity(b) - gravity(a) || (name(a) < name(b) ? -1 : 1);
}

/** The exit status of a run, from what became of its targets. See src/shared/exit-codes.ts. */
export function exitCodeOf(
  coverage: readonly (Ended & Pick<Coverage, 'read'>)[],
  failOn: FailOn,
  interrupted: boolean,
): ExitCode {
  if (coverage.some(({ status }) => status === 'PUBLISH_FAILED')) return 74;
  if (interrupted) return 75;
  if (!coverage.some(({ status }) => healing[status] === 'covered')) {
    return coverage.some(({ read }) => read) ? 75 : 69;
  }

  const failed = coverage.filter(isFailure);
  if (exceeds(failOn, targetsOf(failed), targetsOf(coverage))) {
    return failed.some(({ status }) => healing[status] === 'time') ? 75 : 77;
  }
  return coverage.some(({ status }) => status === 'REJECTED_RECORDS') ? 65 : 0;
}

/** Both tables of a target count once. */
function targetsOf(coverage: readonly Pick<Coverage, 'target'>[]): number {
  return new Set(coverage.map(({ target }) => `${target.accountId}/${target.region}`)).size;
}

function exceeds(failOn: FailOn, failed: number, planned: number): boolean {
  switch (failOn.kind) {
    case 'any':
      return failed > 0;
    case 'all':
      return failed > 0 && failed === planned;
    case 'share':
      return failed > failOn.share * planned;
  }
}

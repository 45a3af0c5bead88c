/** The result of every planned table and target, and the exit code that follows. */
import { untrustedNames } from '../aws/failure.ts';
import type { FailOn, Shard } from '../config/typed-values.ts';
import { DeadlineReached, Interrupted, PublishWindowClosed, type StopReason } from '../shared/abort.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import type { DrainReport, DrainStatus, Window } from '../source/source.ts';
import { isEmptyWindow } from '../source/window.ts';
import type { DrainedTable, Row } from '../tables/table.ts';
import { type Target, targetName } from '../targets/target.ts';
import { type Drained, drainName, type Planned } from './planned.ts';
import { type AwsMemory, rememberedFrom } from './remembered.ts';

/** The status of a table and target in the coverage, after the run has ended. */
export type CoverageStatus =
  | Exclude<DrainStatus, 'OK'>
  | 'OK'
  | 'OK_EMPTY'
  | 'SKIPPED'
  | 'PUBLISH_FAILED'
  | 'REJECTED_RECORDS';

/** The result of one planned table and target. */
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
  /** Set if earlier runs have read the region, and this run is the first to find it disabled. */
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
 * The result of a planned table and target. OK means read completely and published.
 * @param drained null if the drain did not begin
 * @param unpublished errors of parts that could not be published, by `drainName`
 * @param stopReason why the run stopped reading early, if it did
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
  const problem = unpublished.get(drainName(planned));
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
 * Whether the region was read by earlier runs, is disabled now, and no run has reported that yet. It is reported once;
 * later runs treat it like a region that was never enabled.
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
    errorMessage: `earlier runs read this region${through}, and AWS now says that it is disabled: ${report.errorName}: ${report.errorMessage}`,
  };
}

/** Why AWS was not asked. */
export function emptyWindowMessage({ window, coveredTo }: Planned): string {
  const end = window === null ? '' : ` ${new Date(window.to).toISOString()}`;
  const known =
    coveredTo === null ? '' : `; earlier runs have read through ${new Date(coveredTo).toISOString()}`;
  return `AWS was not asked: nothing is left to read before the end of the window,${end}${known}`;
}

function rejection({ rejected, rejectedFor }: Drained) {
  const records = rejected === 1 ? '1 record was rejected' : `${rejected} records were rejected`;
  return {
    errorName: 'RejectedRecords',
    errorMessage: `${records} and kept raw; the first because ${rejectedFor ?? 'of an unknown reason'}`,
  };
}

function drainedStatus({ report, rows, rejected }: Drained): CoverageStatus {
  if (report.status !== 'OK') return report.status;
  if (rejected > 0) return 'REJECTED_RECORDS';
  return rows > 0 ? 'OK' : 'OK_EMPTY';
}

/** PUBLISH_FAILED, unless publishing stopped only because the run had to end. */
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

/** The row for the coverage table. */
export function coverageRow(
  coverage: Coverage,
  run: AwsMemory & { readonly runId: string; readonly asOf: number },
): Row {
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
    remembered_from: rememberedFrom(coverage.table, run),
  };
}

/** `none`: nothing is missing. `retry`: a later run can succeed. `person`: somebody must change something first. */
type Remedy = 'none' | 'retry' | 'person';

const remedies: Readonly<Record<CoverageStatus, Remedy>> = {
  OK: 'none',
  OK_EMPTY: 'none',
  REJECTED_RECORDS: 'none',
  SKIPPED: 'retry',
  INTERRUPTED: 'retry',
  THROTTLED: 'retry',
  UNREACHABLE: 'retry',
  TIMED_OUT: 'retry',
  PUBLISH_FAILED: 'retry',
  REGION_DISABLED: 'person',
  ACCESS_DENIED: 'person',
  ASSUME_ROLE_FAILED: 'person',
  FAILED: 'retry',
};

/** Whether a text is a status that this version knows: newer versions may write others. */
export function isCoverageStatus(text: string): text is CoverageStatus {
  return Object.hasOwn(remedies, text);
}

/** From mild to bad. People see the worst first. */
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

/** What decides whether a table and target failed. */
type Ended = Pick<Coverage, 'status' | 'target' | 'window' | 'switchedOff'>;

/**
 * A disabled region is a failure only if `--regions` names it, or the first time after earlier runs have read it. An empty
 * window is no failure: `--until` is before what earlier runs have read.
 */
export function isFailure({ status, target, window, switchedOff }: Ended): boolean {
  if (status === 'REGION_DISABLED') return target.regionNamed || switchedOff === true;
  if (status === 'SKIPPED' && isEmptyWindow(window)) return false;
  return remedies[status] !== 'none';
}

/** Whether the summary lists it: failures, rejected records, and targets that were not read. */
export function isReported(coverage: Ended): boolean {
  return isFailure(coverage) || coverage.status === 'REJECTED_RECORDS' || coverage.status === 'SKIPPED';
}

/** Whether a retry cannot help. UNREACHABLE needs a person if a certificate is not trusted. */
export function needsPerson(status: CoverageStatus, errorName: string | null): boolean {
  return remedies[status] === 'person' || (status === 'UNREACHABLE' && untrustedNames.has(errorName ?? ''));
}

/** What is reported only once comes first. */
function gravity({ status, switchedOff }: Coverage): number {
  return switchedOff === true ? severity.length : severity.indexOf(status);
}

/** Sorts by severity, worst first, then by account, region and table. */
export function worstFirst(a: Coverage, b: Coverage): number {
  const name = ({ target, table }: Coverage) => `${targetName(target)}/${table}`;
  return gravity(b) - gravity(a) || (name(a) < name(b) ? -1 : 1);
}

/** A shard may own no account of a small organization: then it has nothing to do, and has not failed. */
export function isIdleShard(
  { shard }: { readonly shard: Shard | null },
  planned: readonly unknown[],
): boolean {
  return shard !== null && planned.length === 0;
}

/**
 * The exit code of a run, from the results of its targets. See src/shared/exit-codes.ts.
 * @param hasLost whether this run found that AWS had deleted records before it could read them
 */
export function exitCodeOf(
  coverage: readonly (Ended & Pick<Coverage, 'read'>)[],
  failOn: FailOn,
  interrupted: boolean,
  hasLost = false,
): ExitCode {
  if (coverage.some(({ status }) => status === 'PUBLISH_FAILED')) return 74;
  if (interrupted) return 75;
  if (!coverage.some(({ status }) => remedies[status] === 'none')) {
    return coverage.some(({ read }) => read) ? 75 : 69;
  }

  const failed = coverage.filter(isFailure);
  if (exceeds(failOn, targetsOf(failed), targetsOf(coverage))) {
    return failed.some(({ status }) => remedies[status] === 'retry') ? 75 : 77;
  }
  if (hasLost) return 66;
  return coverage.some(({ status }) => status === 'REJECTED_RECORDS') ? 65 : 0;
}

/** A target counts once, whichever of its tables are in the list. */
function targetsOf(coverage: readonly Pick<Coverage, 'target'>[]): number {
  return new Set(coverage.map(({ target }) => targetName(target))).size;
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

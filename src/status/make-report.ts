/** From facts to the report: every drain's state, causes with their accounts, losses, and the exit code that follows. */
import { tablePrefix } from '../lake/layout.ts';
import type { UnreadObject } from '../query/unread-objects.ts';
import type { ExitCode } from '../shared/exit-codes.ts';
import { smallest } from '../shared/extremes.ts';
import { dayMs } from '../shared/time.ts';
import { exportCoverage } from '../tables/export-coverage.ts';
import type { DrainedTable } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import { causeOf as sameCause } from '../telemetry/failure-groups.ts';
import type { Acknowledged } from './acknowledgements.ts';
import type { CopiesAndOpenJobs, EndsUnknownSince } from './copies.ts';
import type { CoverageFacts, DrainFacts } from './coverage-facts.ts';
import { drainStatus, hours, type Limits, type TableMemory, tableMemory } from './drain-status.ts';
import { nameOf, type UnfinishedRun } from './ledger-runs.ts';
import type {
  Cause,
  DrainState,
  DrainStatus,
  LostInterval,
  RecordAgainstAws,
  StatusReport,
} from './status-report.ts';

/** Everything that a report is made of. Times in milliseconds since the epoch. */
export interface Facts {
  readonly lake: string;
  /** Not before the newest run. */
  readonly now: number;
  readonly coverage: CoverageFacts;
  readonly unfinished: readonly UnfinishedRun[];
  readonly plannedNoMore: ReadonlySet<DrainFacts>;
  readonly acknowledged: Acknowledged;
  readonly copies: CopiesAndOpenJobs;
  readonly endsUnknown: EndsUnknownSince;
  readonly recordAgainstAws: RecordAgainstAws;
  readonly unread: readonly UnreadObject[];
  readonly checkpoints: StatusReport['checkpoints'];
}

export interface ReportLimits extends Limits {
  /** Losses of before do not count as new; null: all that nobody acknowledged do. */
  readonly lostSince: number | null;
  readonly excludeAccounts: readonly string[];
}

export function makeReport(facts: Facts, limits: ReportLimits): StatusReport {
  const { now, coverage, unfinished } = facts;
  const memories: Readonly<Record<DrainedTable, TableMemory>> = {
    copy_jobs: tableMemory('copy_jobs', coverage.runs, now),
    copy_job_summaries: tableMemory('copy_job_summaries', coverage.runs, now),
  };
  const died = unfinished.filter(({ mayBeRunning }) => !mayBeRunning);
  const attempted = withUnfinished(coverage.drains, died).filter(
    ({ accountId }) => !limits.excludeAccounts.includes(accountId),
  );
  const endsOf = (drain: DrainFacts) => facts.endsUnknown.byTarget.get(targetName(drain));
  const gone = new Set([...facts.plannedNoMore].map(nameOf));
  const drains = attempted
    .map((drain) =>
      drainStatus(drain, memories[drain.table], limits, {
        accountName: coverage.accountNames.get(drain.accountId) ?? null,
        openJobs: drain.table === 'copy_jobs' ? (facts.copies.openJobs.get(targetName(drain)) ?? 0) : null,
        endsUnknown: drain.table === 'copy_jobs' ? (endsOf(drain)?.jobs ?? 0) : null,
        plannedNoMore: gone.has(nameOf(drain)),
        isNewLoss: (loss) =>
          (limits.lostSince === null || loss.to + memories[drain.table].memoryMs > limits.lostSince) &&
          !facts.acknowledged.includes(nameOf(drain), loss),
      }),
    )
    .sort(exceptionsFirst);
  const lost = drains.flatMap(lossesOf).sort(newestFirst);
  const newest = coverage.runs.at(-1);
  const newLosses = lost.filter(({ is_new }) => is_new).length;
  const atRisk = drains.filter(({ state }) => state === 'at_risk').length;
  const withGaps = drains.filter(({ gaps }) => gaps.length > 0);
  const diedLast = new Set(
    attempted.flatMap(({ last }) => (last.status === 'UNFINISHED' ? [last.runId] : [])),
  );
  const first = withGaps.flatMap(({ first_loss_at: at }) => (at === null ? [] : [at])).sort()[0] ?? null;
  return {
    lake: facts.lake,
    now: iso(now),
    last_run: newest === undefined ? null : { run_id: newest.runId, as_of: iso(newest.asOf) },
    unfinished_runs: unfinished
      .filter(({ runId, mayBeRunning }) => mayBeRunning || diedLast.has(runId))
      .map(({ runId, asOf, mayBeRunning }) => ({
        run_id: runId,
        as_of: iso(asOf),
        may_be_running: mayBeRunning,
      })),
    memory_days: {
      copy_jobs: memories.copy_jobs.memoryMs / dayMs,
      copy_job_summaries: memories.copy_job_summaries.memoryMs / dayMs,
    },
    warn_within_hours: hours(limits.warnWithinMs),
    stale_after_hours: hours(limits.staleAfterMs),
    verdict: verdictOf(facts, { drains: drains.length, newLosses, atRisk, gaps: withGaps.length }),
    unread_objects: facts.unread,
    checkpoints: facts.checkpoints,
    totals: {
      accounts: new Set(drains.map(({ account_id }) => account_id)).size,
      targets: targetsOf(drains),
      drains: drains.length,
      proven: count(drains, 'proven'),
      with_gaps: withGaps.length,
      at_risk: atRisk,
      region_disabled: count(drains, 'region_disabled'),
      planned_no_more: count(drains, 'planned_no_more'),
      need_person: targetsOf(drains.filter(({ needs_person }) => needs_person)),
      lost_intervals: lost.length,
      new_losses: newLosses,
      open_jobs: drains.reduce((sum, { open_jobs }) => sum + (open_jobs ?? 0), 0),
      ends_unknown: drains.reduce((sum, { ends_unknown }) => sum + (ends_unknown ?? 0), 0),
    },
    ends_unknown: {
      oldest: earliest(attempted.flatMap((drain) => endsOf(drain)?.oldest ?? [])),
      created_since: facts.endsUnknown.since,
    },
    first_loss_at: first,
    hours_to_loss: first === null ? null : hours(Math.max(0, Date.parse(first) - now)),
    causes: causesOf(withGaps),
    lost,
    last_acknowledged: facts.acknowledged.last,
    drains,
    copies: facts.copies.copies,
    record_against_aws: facts.recordAgainstAws,
    exit_code: exitCodeOf(facts, { drains: drains.length, newLosses, atRisk }),
  };
}

interface Counts {
  readonly drains: number;
  readonly newLosses: number;
  readonly atRisk: number;
}

/** Whether all that proves anything was read. If not, a loss or a gap may be none. */
export function isCoverageWhole(unread: Facts['unread']): boolean {
  return !unread.some(({ key }) => key.startsWith(tablePrefix(exportCoverage)));
}

/** A certain loss first: it is what a person must be told even if nothing can be done about it any more. */
function exitCodeOf({ unread }: Facts, { drains, newLosses, atRisk }: Counts): ExitCode {
  if (newLosses > 0 && isCoverageWhole(unread)) return 66;
  if (unread.length > 0) return 74;
  return drains === 0 || atRisk > 0 ? 75 : 0;
}

function verdictOf(
  { unread }: Facts,
  { drains, newLosses, atRisk, gaps }: Counts & { readonly gaps: number },
): StatusReport['verdict'] {
  if (newLosses > 0 && isCoverageWhole(unread)) return 'lost';
  if (unread.length > 0) return 'incomplete';
  if (drains === 0) return 'nothing_read';
  if (atRisk > 0) return 'at_risk';
  return gaps > 0 ? 'gaps' : 'proven';
}

/** A run that died counts as a failed attempt of everything that it planned and no later run has asked. */
function withUnfinished(
  drains: readonly DrainFacts[],
  died: readonly UnfinishedRun[],
): readonly DrainFacts[] {
  const byName = new Map(drains.map((drain) => [nameOf(drain), drain]));
  for (const { runId, asOf, planned } of [...died].sort((a, b) => a.asOf - b.asOf)) {
    for (const one of planned) {
      const name = nameOf(one);
      const known = byName.get(name);
      if (known !== undefined && known.lastAsked >= asOf) continue;
      byName.set(name, {
        ...(known ?? { ...one, firstAsked: asOf, lastGood: null, proven: [] }),
        lastAsked: asOf,
        failingSince: known?.failingSince ?? asOf,
        last: { runId, asOf, status: 'UNFINISHED', errorName: null, errorMessage: null },
      });
    }
  }
  return [...byName.values()];
}

function lossesOf({ table, account_id, account_name, region, lost }: DrainStatus): LostInterval[] {
  return lost.map((loss) => ({ table, account_id, account_name, region, ...loss }));
}

function newestFirst(a: LostInterval, b: LostInterval): number {
  return (
    compared(b.to, a.to) ||
    compared(b.from, a.from) ||
    compared(`${a.account_id}/${a.region}/${a.table}`, `${b.account_id}/${b.region}/${b.table}`)
  );
}

const stateOrder: readonly DrainState[] = ['at_risk', 'gap', 'proven', 'region_disabled', 'planned_no_more'];

function exceptionsFirst(a: DrainStatus, b: DrainStatus): number {
  const gravity = ({ state, lost }: DrainStatus) =>
    stateOrder.indexOf(state) - (state === 'proven' && lost.length > 0 ? 0.5 : 0);
  return (
    gravity(a) - gravity(b) ||
    (a.hours_to_loss ?? 0) - (b.hours_to_loss ?? 0) ||
    compared(`${a.account_id}/${a.region}/${a.table}`, `${b.account_id}/${b.region}/${b.table}`)
  );
}

/** The most urgent first, then the one that concerns most drains. */
function causesOf(drains: readonly DrainStatus[]): Cause[] {
  const groups = Map.groupBy(drains, ({ cause, error, region }) =>
    sameCause({ status: cause ?? '', error: hasOwnError(cause) ? (error ?? '') : '', region }),
  );
  return [...groups.values()]
    .flatMap((group) => causeOfGroup(group))
    .sort((a, b) => a.hours_to_loss - b.hours_to_loss || b.drains - a.drains || compared(a.cause, b.cause));
}

/** What runs said of the last attempt explains no gap that a good run left or that nobody asked about. */
function hasOwnError(cause: string | null): boolean {
  return !['NO_RUN', 'NOT_READ_AGAIN', 'PLANNED_NO_MORE', 'UNFINISHED', 'REGION_DISABLED'].includes(
    cause ?? '',
  );
}

function causeOfGroup(group: readonly DrainStatus[]): Cause[] {
  const [first] = group;
  const firstLossAt = group.flatMap(({ first_loss_at: at }) => (at === null ? [] : [at])).sort()[0];
  if (first === undefined || first.cause === null || firstLossAt === undefined) return [];
  const accounts = new Map(group.map((one) => [one.account_id, one.account_name]));
  return [
    {
      cause: first.cause,
      error: first.error,
      remedy: first.remedy ?? '',
      needs_person: group.some(({ needs_person }) => needs_person),
      since: group.map(sinceOf).sort()[0] ?? first.last_asked,
      first_loss_at: firstLossAt,
      hours_to_loss: smallest(
        group.flatMap(({ hours_to_loss }) => hours_to_loss ?? []),
        Number.POSITIVE_INFINITY,
      ),
      drains: group.length,
      targets: targetsOf(group),
      accounts: [...accounts]
        .map(([account_id, account_name]) => ({ account_id, account_name }))
        .sort((a, b) => compared(a.account_id, b.account_id)),
      regions: [...new Set(group.map(({ region }) => region))].sort(),
      tables: [...new Set(group.map(({ table }) => table))].sort(),
    },
  ];
}

/** Since when somebody could have noticed it. */
function sinceOf({ cause, failing_since, gaps, last_asked }: DrainStatus): string {
  if (cause === 'NO_RUN') return last_asked;
  if (cause === 'NOT_READ_AGAIN') return gaps[0]?.from ?? last_asked;
  return failing_since ?? last_asked;
}

function earliest(times: readonly number[]): string | null {
  const first = times.reduce((a, b) => Math.min(a, b), Number.POSITIVE_INFINITY);
  return Number.isFinite(first) ? iso(first) : null;
}

function count(drains: readonly DrainStatus[], wanted: DrainState): number {
  return drains.filter(({ state }) => state === wanted).length;
}

function targetsOf(drains: readonly Pick<DrainStatus, 'account_id' | 'region'>[]): number {
  return new Set(drains.map(({ account_id: accountId, region }) => targetName({ accountId, region }))).size;
}

function compared(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

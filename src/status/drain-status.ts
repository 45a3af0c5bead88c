/** The intervals of one table, account and region, and its data-loss clock, from what the coverage says. */
import { type CoverageStatus, isCoverageStatus, needsPerson } from '../ledger/coverage.ts';
import { largest } from '../shared/extremes.ts';
import type { DrainedTable } from '../tables/table.ts';
import { adviceFor } from '../telemetry/advice.ts';
import type { DrainFacts, EndedRun } from './coverage-facts.ts';
import { clipped, type Interval, without } from './intervals.ts';
import type { DrainState, DrainStatus, Loss, Stretch } from './status-report.ts';

/** What a table's intervals are measured against. */
export interface TableMemory {
  readonly now: number;
  /** How long AWS keeps records, as the last run had it. */
  readonly memoryMs: number;
  /** AWS has deleted what was created before; it never goes back, so that a loss stays a loss. */
  readonly rememberedFrom: number;
  /** By as-of, ascending. */
  readonly runs: readonly EndedRun[];
}

export interface Limits {
  readonly warnWithinMs: number;
  /** Without a good drain for so long, what came since counts as a gap. */
  readonly staleAfterMs: number;
}

/** What `is_new` and the names come from. */
export interface Surroundings {
  readonly accountName: string | null;
  readonly openJobs: number | null;
  readonly endsUnknown: number | null;
  readonly plannedNoMore: boolean;
  readonly isNewLoss: (loss: Interval) => boolean;
}

const hourMs = 3_600_000;

/** For a table that no run has read yet, so that none says how long AWS keeps its records. */
const usualMemoryMs: Readonly<Record<DrainedTable, number>> = {
  copy_jobs: 30 * 24 * hourMs,
  copy_job_summaries: 14 * 24 * hourMs,
};

/** @param now not before the newest run */
export function tableMemory(table: DrainedTable, runs: readonly EndedRun[], now: number): TableMemory {
  const ofTable = runs.filter(({ rememberedFrom }) => rememberedFrom[table] !== undefined);
  const newest = ofTable.at(-1);
  const memoryMs =
    newest === undefined
      ? usualMemoryMs[table]
      : newest.asOf - (newest.rememberedFrom[table] ?? newest.asOf - usualMemoryMs[table]);
  const known = ofTable.map(({ rememberedFrom }) => rememberedFrom[table] ?? 0);
  return { now, memoryMs, rememberedFrom: largest(known, now - memoryMs), runs: ofTable };
}

export function drainStatus(
  facts: DrainFacts,
  memory: TableMemory,
  limits: Limits,
  around: Surroundings,
): DrainStatus {
  const { now, memoryMs, rememberedFrom } = memory;
  const end = around.plannedNoMore ? facts.lastAsked : now;
  const unproven = without({ from: facts.firstAsked, to: end }, facts.proven);
  const tail = unproven.at(-1);
  const isCurrent =
    tail !== undefined &&
    tail.to === end &&
    end - tail.from <= limits.staleAfterMs &&
    (facts.failingSince === null || isDisabled(facts));
  const lost = clipped(unproven, Number.NEGATIVE_INFINITY, rememberedFrom);
  const remembered = clipped(
    isCurrent ? unproven.slice(0, -1) : unproven,
    rememberedFrom,
    Number.POSITIVE_INFINITY,
  );
  // The first run that ever planned it failed just now: nothing is proven, although no time has passed.
  const isUnread =
    facts.failingSince !== null && unproven.length === 0 && !isDisabled(facts) && !around.plannedNoMore;
  const gaps = isUnread ? [{ from: facts.lastAsked, to: end }] : remembered;
  const [oldest] = gaps;
  const firstLossAt = oldest === undefined ? null : oldest.from + memoryMs;
  const hoursToLoss = firstLossAt === null ? null : hours(Math.max(0, firstLossAt - now));
  const atRisk = firstLossAt !== null && firstLossAt - now <= limits.warnWithinMs;
  const cause = oldest === undefined ? null : causeOf(facts, around, end - (tail?.from ?? end), limits);
  return {
    table: facts.table,
    account_id: facts.accountId,
    account_name: around.accountName,
    region: facts.region,
    state: stateOf(facts, around, gaps.length > 0, atRisk),
    proven: facts.proven.map(stretch),
    gaps: gaps.map((gap) => ({ ...stretch(gap), first_loss_at: iso(gap.from + memoryMs) })),
    lost: lost.map(
      (loss): Loss => ({
        ...stretch(loss),
        noticed_at: noticedAt(loss, facts.table, memory.runs),
        is_new: around.isNewLoss(loss),
      }),
    ),
    first_asked: iso(facts.firstAsked),
    last_asked: iso(facts.lastAsked),
    last_good_drain: facts.lastGood === null ? null : iso(facts.lastGood),
    last_status: facts.last.status,
    error: errorOf(facts),
    failing_since: facts.failingSince === null ? null : iso(facts.failingSince),
    cause: cause?.cause ?? null,
    remedy: cause?.remedy ?? null,
    needs_person: cause?.needsPerson ?? false,
    first_loss_at: firstLossAt === null ? null : iso(firstLossAt),
    hours_to_loss: hoursToLoss,
    open_jobs: around.openJobs,
    ends_unknown: around.endsUnknown,
  };
}

/** While AWS calls a region disabled, nothing can be copied there. */
function isDisabled({ last }: DrainFacts): boolean {
  return last.status === 'REGION_DISABLED';
}

function stateOf(facts: DrainFacts, around: Surroundings, hasGap: boolean, atRisk: boolean): DrainState {
  if (hasGap) return atRisk ? 'at_risk' : 'gap';
  if (around.plannedNoMore) return 'planned_no_more';
  return isDisabled(facts) ? 'region_disabled' : 'proven';
}

/** The newest first failure; a gap that a good run left has no failure of its own. */
function causeOf(
  { last, failingSince, lastGood }: DrainFacts,
  { plannedNoMore }: Surroundings,
  tailMs: number,
  { staleAfterMs }: Limits,
): { readonly cause: string; readonly remedy: string; readonly needsPerson: boolean } {
  if (plannedNoMore) {
    return {
      cause: 'PLANNED_NO_MORE',
      needsPerson: false,
      remedy:
        'Runs no longer plan this account and region, for example because the account left the organization. If it still exists, read it once more with --accounts. Otherwise --exclude-accounts leaves it out of this report.',
    };
  }
  if (last.status === 'UNFINISHED') {
    return {
      cause: 'UNFINISHED',
      needsPerson: false,
      remedy:
        'The last run that planned it died before it could write its results. The next run reads what is missing. If runs keep dying, look at the end of their log, and at the memory limit of the container.',
    };
  }
  if (last.status === 'REGION_DISABLED' && lastGood !== null) {
    return {
      cause: 'REGION_DISABLED',
      needsPerson: true,
      remedy: adviceFor('REGION_DISABLED', 'RegionSwitchedOff'),
    };
  }
  if (failingSince !== null && last.status !== 'REGION_DISABLED') {
    const status: CoverageStatus = isCoverageStatus(last.status) ? last.status : 'FAILED';
    return {
      cause: last.status,
      needsPerson: needsPerson(status, last.errorName),
      remedy: adviceFor(status, last.errorName),
    };
  }
  if (tailMs > staleAfterMs) {
    return {
      cause: 'NO_RUN',
      needsPerson: true,
      remedy:
        'No run has asked since. Check that the schedule still starts export with these accounts and regions.',
    };
  }
  return {
    cause: 'NOT_READ_AGAIN',
    needsPerson: false,
    remedy:
      'Later runs were good, but their windows left this out. A run with --since all reads what AWS still keeps; so does the regular full run (--full-every).',
  };
}

function errorOf({ last }: DrainFacts): string | null {
  if (last.status === 'OK' || last.status === 'OK_EMPTY') return null;
  const text = [last.errorName, last.errorMessage].filter((part) => part !== null).join(': ');
  return text === '' ? null : text;
}

/** The first run of any target that took a part of the interval to be deleted. */
function noticedAt(loss: Interval, table: DrainedTable, runs: readonly EndedRun[]): string | null {
  const run = runs.find(({ rememberedFrom }) => (rememberedFrom[table] ?? 0) > loss.from);
  return run === undefined ? null : iso(run.asOf);
}

function stretch({ from, to }: Interval): Stretch {
  return { from: iso(from), to: iso(to), hours: hours(to - from) };
}

/** Rounded to hundredths. */
export function hours(ms: number): number {
  return Math.round((ms / hourMs) * 100) / 100;
}

function iso(epochMs: number): string {
  return new Date(epochMs).toISOString();
}

/**
 * Compares the lake with AWS's own daily counts, after a run has published. Few days are in memory at a time. Days before
 * AWS's counts begin are not read, so a run never reads more than 13 days of parts.
 */
import pLimit from 'p-limit';
import type { MissingByTarget } from '../ledger/missing-jobs.ts';
import { allEnded } from '../shared/all-ended.ts';
import { EngineError } from '../shared/errors.ts';
import { targetName } from '../targets/target.ts';
import type { ComparableDay, ComparedTarget } from './comparable-days.ts';
import { differencesIn, type KindDifference } from './compare.ts';
import {
  type CountingRule,
  countedBy,
  countingRules,
  type Fit,
  mayFollowAnother,
  ruleThatFits,
} from './counting-rules.ts';
import { type Counts, total, withoutSums } from './counts.ts';
import { type ReadCountsOptions, readCounts, type Slice, sliceName } from './read-counts.ts';

/** One account, region and UTC day that was compared. Days without any job are none. */
export interface ComparedSlice {
  readonly target: ComparedTarget['target'];
  /** `yyyy-MM-dd`. */
  readonly day: string;
  readonly awsJobs: number;
  readonly lakeJobs: number;
  /** Jobs that AWS counts and the lake lacks. */
  readonly missing: number;
  /** Jobs in the lake that AWS does not count. */
  readonly surplus: number;
  readonly differences: readonly KindDifference[];
}

export interface Reconciliation {
  readonly slices: readonly ComparedSlice[];
  /** Which jobs AWS counts, as far as the counts tell: a name of `countingRules`. */
  readonly countingRule: string;
  /** Accounts, regions and days with jobs that could not be compared, because AWS's count is of another time. */
  readonly notComparable: number;
  /** Days whose parts cannot be read. */
  readonly unreadableDays: readonly { readonly day: string; readonly error: unknown }[];
}

/** The parts of so many days are read at once, because most of that time goes by in the store. */
const daysAtOnce = 4;

const onlyFirst = countingRules.slice(0, 1);

/** Of more accounts and regions than this, fewer days at once: together they have at most so many, or are one day. */
const targetsAtOnce = 4_000;

/**
 * Compares by the first rule. Some days are then compared again, with the parts that the lake has by that time: those that differ if the
 * run has published parts, because another run may have replaced them; and if so much differs that AWS may follow another rule, those
 * on which rules give different counts.
 * @throws LakeError when the store fails; ScratchError; the signal's reason
 */
export async function reconcile(
  days: readonly ComparableDay[],
  options: ReadCountsOptions,
): Promise<Reconciliation> {
  const found = await compareDays(days, onlyFirst, options);
  const { slices } = resultOf([...found.values()], onlyFirst);
  const differing = new Set(slices.flatMap(({ day, differences }) => (differences.length > 0 ? day : [])));
  const rules = mayFollowAnother(fitOf(slices)) ? countingRules : onlyFirst;
  const again = days.filter(
    (one) =>
      (options.published.size > 0 && differing.has(one.day)) ||
      (rules.length > 1 && found.get(one)?.rulesAgree === false),
  );
  const anew = await compareDays(again, rules, { ...options, published: new Map() });
  return resultOf(
    days.flatMap((day) => anew.get(day) ?? found.get(day) ?? []),
    rules,
  );
}

async function compareDays(
  days: readonly ComparableDay[],
  rules: readonly CountingRule[],
  options: ReadCountsOptions,
): Promise<ReadonlyMap<ComparableDay, ComparedDay>> {
  const most = Math.max(1, ...days.map(({ targets }) => targets.length));
  const limit = pLimit(Math.max(1, Math.min(daysAtOnce, Math.floor(targetsAtOnce / most))));
  let hasFailed = false;
  const found = await allEnded(
    days.map((day) =>
      limit(async (): Promise<readonly [ComparableDay, ComparedDay]> => {
        // Nobody asks for the days that are left.
        if (hasFailed) return [day, nothingCompared];
        try {
          return [day, await compareDay(day, rules, options)];
        } catch (error) {
          hasFailed = true;
          throw error;
        }
      }),
    ),
  );
  return new Map(found);
}

function resultOf(found: readonly ComparedDay[], rules: readonly CountingRule[]): Reconciliation {
  const compared = found.flatMap((one) => one.compared);
  const resultsBy = (at: number) =>
    compared.flatMap((results) => (results.length === 1 ? results[0] : results[at]) ?? []);
  const at = ruleThatFits(rules.map((_, index) => fitOf(resultsBy(index))));
  return {
    slices: resultsBy(at),
    countingRule: (rules[at] ?? countingRules[0]).name,
    notComparable: found.reduce((sum, one) => sum + one.notComparable, 0),
    unreadableDays: found.flatMap(({ unreadable }) => unreadable ?? []),
  };
}

interface ComparedDay {
  /** One result for each rule, or a single one where they all agree. */
  readonly compared: readonly (readonly (ComparedSlice | null)[])[];
  /** Whether all rules give the same counts for the whole day. */
  readonly rulesAgree: boolean;
  readonly notComparable: number;
  readonly unreadable: { readonly day: string; readonly error: unknown } | null;
}

const nothingCompared: ComparedDay = { compared: [], rulesAgree: true, notComparable: 0, unreadable: null };

async function compareDay(
  { day, stillCounting, targets }: ComparableDay,
  rules: readonly CountingRule[],
  options: ReadCountsOptions,
): Promise<ComparedDay> {
  const slices = new Map(targets.map(({ target }) => [nameOf(target), emptySlice()]));
  try {
    await readCounts(day, slices, options);
  } catch (error) {
    if (!(error instanceof EngineError)) throw error;
    return { ...nothingCompared, unreadable: { day, error } };
  }
  const compared: (readonly (ComparedSlice | null)[])[] = [];
  let rulesAgree = true;
  let notComparable = 0;
  for (const { target, countedDays } of targets) {
    const slice = slices.get(nameOf(target));
    if (slice === undefined) continue;
    // An earlier run read this count, and AWS no longer gives it: it may have been taken before the day was over.
    const isOld = slice.aws.size > 0 && !countedDays.has(day);
    if (isOld || !slice.aligned) {
      notComparable += 1;
      continue;
    }
    const isPlain = [...slice.lake.keys()].every((role) => role === 'single');
    rulesAgree &&= isPlain;
    const aws = withoutSums(slice.aws);
    compared.push(
      (isPlain ? onlyFirst : rules).map((rule) =>
        compareSlice(aws, countedBy(rule, slice.lake), { target, day, stillCounting }),
      ),
    );
  }
  return { compared, rulesAgree, notComparable, unreadable: null };
}

function fitOf(slices: readonly ComparedSlice[]): Fit {
  const differing = slices.filter(({ differences }) => differences.length > 0);
  const difference = differing.reduce((sum, { missing, surplus }) => sum + missing + surplus, 0);
  return { difference, slices: differing.length };
}

function compareSlice(
  aws: Counts,
  lake: Counts,
  { target, day, stillCounting }: Pick<ComparedSlice, 'target' | 'day'> & { readonly stillCounting: boolean },
): ComparedSlice | null {
  const [awsJobs, lakeJobs] = [total(aws), total(lake)];
  if (awsJobs === 0 && lakeJobs === 0) return null;
  const differences = differencesIn(aws, lake).filter(({ missing }) => missing > 0 || !stillCounting);
  const sum = (one: 'missing' | 'surplus') => differences.reduce((all, each) => all + each[one], 0);
  return { target, day, awsJobs, lakeJobs, missing: sum('missing'), surplus: sum('surplus'), differences };
}

function nameOf({ accountId, region }: ComparedTarget['target']): string {
  return sliceName(accountId, region);
}

function emptySlice(): Slice {
  return { aws: new Map(), lake: new Map(), aligned: true };
}

/** All compared accounts, regions and days together: what the summary says, and what `--fail-on-mismatch` looks at. */
export interface ReconciliationTotals {
  readonly days: number;
  readonly slices: number;
  readonly differingSlices: number;
  readonly awsJobs: number;
  readonly lakeJobs: number;
  readonly missing: number;
  readonly surplus: number;
}

export function totalsOf({ slices }: Pick<Reconciliation, 'slices'>): ReconciliationTotals {
  const sum = (of: (slice: ComparedSlice) => number) => slices.reduce((all, slice) => all + of(slice), 0);
  return {
    days: new Set(slices.map(({ day }) => day)).size,
    slices: slices.length,
    differingSlices: slices.filter(({ differences }) => differences.length > 0).length,
    awsJobs: sum(({ awsJobs }) => awsJobs),
    lakeJobs: sum(({ lakeJobs }) => lakeJobs),
    missing: sum(({ missing }) => missing),
    surplus: sum(({ surplus }) => surplus),
  };
}

/** Of the days with jobs that were compared. */
export function missingByTarget({ slices }: Pick<Reconciliation, 'slices'>): MissingByTarget {
  const found = new Map<string, Map<string, number>>();
  for (const { target, day, missing } of slices) {
    const name = targetName(target);
    const days = found.get(name) ?? new Map<string, number>();
    found.set(name, days.set(day, missing));
  }
  return found;
}

/** Differences as a share of the jobs that AWS counted, 0 to 1; of the lake's jobs if AWS counted none. */
export function differingShare({ missing, surplus, awsJobs, lakeJobs }: ReconciliationTotals): number {
  const jobs = awsJobs > 0 ? awsJobs : lakeJobs;
  return jobs === 0 ? 0 : (missing + surplus) / jobs;
}

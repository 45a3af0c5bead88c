/** The independent answer to every view and every question, by name. */

import type { CoverageStatus } from '../../../src/ledger/coverage.ts';
import { adviceFor } from '../../../src/telemetry/advice.ts';
import {
  accountNames,
  failingTargets,
  lostDays,
  lostIntervals,
  targetDrains,
  targetsWithoutGoodDrain,
  withAccountNames,
} from './drains.ts';
import { knownFailures } from './explanations.ts';
import { type Answer, type Copy, type Facts, hasEnded, isGood } from './facts.ts';
import { compositeCopies } from './families.ts';
import { accountRegionMatrix, bytesByMonth, dailyFlows, encryptionKeys, vaultProtection } from './flows.ts';
import { recordAgainstAws } from './reconciliation.ts';
import {
  copyLives,
  copySchedules,
  lastGoodCopies,
  resourcePlaces,
  rpo,
  rpoBeyondLimit,
  ruleActivity,
  silentRules,
  singleLocationResources,
} from './recovery.ts';
import {
  copyDurationTrend,
  dailySuccess,
  successByAccount,
  successByDay,
  successByPlan,
  successByRule,
  weekOverWeek,
} from './success.ts';
import { copyJobTransitions, firstKnownFailures, timeInState } from './transitions.ts';
import {
  explainedFailures,
  failedCopies,
  failuresByCategory,
  resourceHistory,
  stuckCopies,
} from './trouble.ts';

const statuses: readonly CoverageStatus[] = [
  'ACCESS_DENIED',
  'ASSUME_ROLE_FAILED',
  'REGION_DISABLED',
  'THROTTLED',
  'TIMED_OUT',
  'UNREACHABLE',
  'INTERRUPTED',
  'SKIPPED',
  'PUBLISH_FAILED',
  'REJECTED_RECORDS',
];

/** The exporter's own advice, which the SQL has a second time. */
const adviceOf = (status: string, errorName: string | null): string =>
  adviceFor(statuses.find((known) => known === status) ?? 'FAILED', errorName);

/** In the question's order. @param value the value of a parameter, as text */
type QuestionAnswer = (facts: Facts, value: (parameter: string) => string) => readonly Answer[];

/** The answer with the name beside each account's number: every question has them. */
const named = (answer: QuestionAnswer): QuestionAnswer => {
  return (facts, value) => answer(facts, value).map(withAccountNames(facts));
};
const days = (answer: (facts: Facts, days: number) => readonly Answer[]): QuestionAnswer => {
  return (facts, value) => answer(facts, Number(value('days')));
};
const hoursAndDays = (
  answer: (facts: Facts, hours: number, days: number) => readonly Answer[],
): QuestionAnswer => {
  return (facts, value) => answer(facts, Number(value('hours')), Number(value('days')));
};

export const questionAnswers: Readonly<Record<string, QuestionAnswer>> = {
  'account-region-matrix': named(days(accountRegionMatrix)),
  'bytes-by-month': named(days(bytesByMonth)),
  'composite-copies': named(days(compositeCopies)),
  'encryption-keys': named(days(encryptionKeys)),
  'copy-duration-trend': (facts, value) =>
    copyDurationTrend(facts, Number(value('days')), Number(value('period'))),
  'failed-copies': named(days(failedCopies)),
  'failing-targets': (facts, value) => failingTargets(facts, Number(value('days')), adviceOf),
  'failures-by-category': days(failuresByCategory),
  'first-known-failures': named(days(firstKnownFailures)),
  'resource-history': named((facts, value) =>
    resourceHistory(facts, value('resource'), Number(value('days'))),
  ),
  'lost-days': days(lostDays),
  'record-against-aws': named(days(recordAgainstAws)),
  rpo: named((facts, value) => rpo(facts, Number(value('days')), Number(value('window')))),
  'rpo-beyond-limit': named(rpoBeyondLimit),
  'silent-rules': named((facts, value) => silentRules(facts, Number(value('days')), Number(value('within')))),
  'single-location-resources': named((facts, value) =>
    singleLocationResources(facts, Number(value('days')), Number(value('window'))),
  ),
  'stuck-copies': named(hoursAndDays(stuckCopies)),
  'success-rate-by-account': named(days(successByAccount)),
  'success-rate-by-day': days(successByDay),
  'success-rate-by-plan': named(days(successByPlan)),
  'success-rate-by-rule': named(days(successByRule)),
  'targets-without-good-drain': days(targetsWithoutGoodDrain),
  'time-in-state': named((facts, value) =>
    timeInState(facts, value('state'), Number(value('hours')), Number(value('days'))),
  ),
  'vault-protection': named(days(vaultProtection)),
  'week-over-week': named(days(weekOverWeek)),
};

/** In any order. @param columns the view's: those of row views are the copies' own */
type ViewAnswer = (facts: Facts, columns: readonly string[]) => readonly Answer[];

export const viewAnswers: Readonly<Record<string, ViewAnswer>> = {
  account_names: accountNames,
  copy_job_transitions: copyJobTransitions,
  copy_lives: copyLives,
  copy_schedules: copySchedules,
  daily_flows: dailyFlows,
  daily_success: dailySuccess,
  explained_failures: explainedFailures,
  good_copies: ({ leaves }, columns) => leaves.filter(isGood).map((copy) => asRow(copy, columns)),
  known_failures: knownFailures,
  lake_time: ({ now }) => [{ as_of: now, as_of_date: new Date(now).toISOString().slice(0, 10) }],
  last_good_copies: lastGoodCopies,
  leaf_copies: ({ leaves }, columns) => leaves.map((copy) => asRow(copy, columns)),
  lost_intervals: lostIntervals,
  resource_places: resourcePlaces,
  rule_activity: ruleActivity,
  target_drains: targetDrains,
};

function asRow(copy: Copy, columns: readonly string[]): Answer {
  const computed: Answer = {
    creation_date: copy.day,
    source_account_id: copy.from.account,
    source_region: copy.from.region,
    destination_account_id: copy.to.account,
    destination_region: copy.to.region,
    is_cross_account: copy.leavesAccount,
    is_cross_region: copy.leavesRegion,
    is_terminal: hasEnded(copy) || (copy.state === 'CREATED' || copy.state === 'RUNNING' ? false : null),
    resource_account_id: copy.home.account,
    resource_region: copy.home.region,
    expires_time: copy.expires,
    schedule_interval_ms: copy.interval,
    duration_ms: copy.ended === null ? null : copy.ended - copy.created,
  };
  return Object.fromEntries(columns.map((column) => [column, computed[column] ?? copy.told(column)]));
}

/** @throws Error for a question without an answer: no rows would then be as good as the right ones. */
export function questionAnswer(name: string): QuestionAnswer {
  const answer = questionAnswers[name];
  if (answer === undefined) throw new Error(`nobody has worked out the answer to ${name}`);
  return answer;
}

/** @throws Error for a view without an answer */
export function viewAnswer(name: string): ViewAnswer {
  const answer = viewAnswers[name];
  if (answer === undefined) throw new Error(`nobody has worked out the rows of ${name}`);
  return answer;
}

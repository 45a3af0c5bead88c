/** How many copies succeeded, counted by hand. */
import {
  type Answer,
  bytesOf,
  type Copy,
  day,
  type Facts,
  groups,
  hasEnded,
  isGood,
  lastInOrder,
  percent,
  since,
  sorted,
  spanIn,
} from './facts.ts';

const inState = (copies: readonly Copy[], state: string) =>
  copies.filter((copy) => copy.state === state).length;

const counts = (copies: readonly Copy[]) => ({
  jobs: copies.length,
  completed: inState(copies, 'COMPLETED'),
  failed: inState(copies, 'FAILED'),
  partly_done: inState(copies, 'PARTIAL'),
  still_open: copies.filter((copy) => !hasEnded(copy)).length,
});

const rate = (copies: readonly Copy[]) => ({
  ...counts(copies),
  success_percent: percent(copies.filter(isGood).length, copies.filter(hasEnded).length),
});

const planName = (copies: readonly Copy[]) =>
  lastInOrder(copies.map((copy) => copy.told('created_by_backup_plan_name')));
const ruleName = (copies: readonly Copy[]) =>
  lastInOrder(copies.map((copy) => copy.told('created_by_backup_rule_name')));

export function dailySuccess({ leaves }: Facts): Answer[] {
  return groups(leaves, ({ day, account, plan, rule }) => [day, account, plan, rule]).map(
    ({ first, members }) => ({
      creation_date: first.day,
      account_id: first.account,
      plan_id: first.plan,
      rule_id: first.rule,
      plan_name: planName(members),
      rule_name: ruleName(members),
      ...counts(members),
    }),
  );
}

export function successByDay({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(since(now, days, leaves), (copy) => [copy.day]).map(({ first, members }) => ({
    creation_date: first.day,
    ...rate(members),
  }));
  return sorted(rows, { creation_date: 'down' });
}

export function successByAccount({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(since(now, days, leaves), (copy) => [copy.account]).map(({ first, members }) => ({
    account_id: first.account,
    ...rate(members),
  }));
  return sorted(rows, { success_percent: 'up', account_id: 'up' });
}

export function successByPlan({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(since(now, days, leaves), ({ account, plan }) => [account, plan]).map(
    ({ first, members }) => ({
      account_id: first.account,
      plan_id: first.plan,
      plan_name: planName(members),
      ...rate(members),
    }),
  );
  return sorted(rows, { success_percent: 'up', account_id: 'up', plan_id: 'up' });
}

export function successByRule({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(since(now, days, leaves), ({ account, plan, rule }) => [account, plan, rule]).map(
    ({ first, members }) => ({
      account_id: first.account,
      plan_id: first.plan,
      rule_id: first.rule,
      plan_name: planName(members),
      rule_name: ruleName(members),
      ...rate(members),
    }),
  );
  return sorted(rows, { success_percent: 'up', account_id: 'up', plan_id: 'up', rule_id: 'up' });
}

/** The days before now in halves: the later one, and the one before it. */
export function weekOverWeek({ now, leaves }: Facts, days: number): Answer[] {
  const later = (copy: Copy) => now - copy.created < (days * day) / 2;
  const looked = leaves.filter((copy) => now - copy.created < days * day);
  const successOf = (copies: readonly Copy[]) =>
    percent(copies.filter(isGood).length, copies.filter(hasEnded).length);
  const rows = groups(looked, ({ account, plan }) => [account, plan]).map(({ first, members }) => {
    const now_ = members.filter(later);
    const before = members.filter((copy) => !later(copy));
    const [success, successBefore] = [successOf(now_), successOf(before)];
    return {
      account_id: first.account,
      plan_id: first.plan,
      plan_name: planName(members),
      jobs: now_.length,
      jobs_before: before.length,
      success_percent: success,
      success_percent_before: successBefore,
      success_change: spanIn(1, successBefore, success),
      bytes: bytesOf(now_.filter(isGood)),
      bytes_before: bytesOf(before.filter(isGood)),
    };
  });
  return sorted(rows, { success_change: 'up', account_id: 'up', plan_id: 'up' });
}

/** Periods are counted back from the day of now. */
export function copyDurationTrend({ now, leaves }: Facts, days: number, period: number): Answer[] {
  const length = Math.max(period, 1);
  const today = Math.floor(now / day);
  const text = (days: number) => new Date(days * day).toISOString().slice(0, 10);
  const timed = since(now, days, leaves)
    .filter(isGood)
    .flatMap((copy) => {
      const taken = copy.ended === null ? -1 : copy.ended - copy.created;
      const daysAgo = today - Math.floor(copy.created / day);
      return taken < 0 ? [] : [{ copy, taken, ago: Math.floor(daysAgo / length) }];
    });
  const rows = groups(timed, ({ ago }) => [ago]).map(({ first, members }) => {
    const taken = members.map((one) => one.taken).sort((a, b) => a - b);
    /** The shortest time within which this share of the copies was made. */
    const within = (share: number) => taken.find((_, at) => at + 1 >= share * taken.length) ?? null;
    return {
      from_date: text(today - (first.ago + 1) * length + 1),
      to_date: text(today - first.ago * length),
      completed: members.length,
      median_minutes: spanIn(60_000, 0, within(0.5)),
      p90_minutes: spanIn(60_000, 0, within(0.9)),
      longest_minutes: spanIn(60_000, 0, taken.at(-1) ?? null),
      bytes: bytesOf(members.map(({ copy }) => copy)),
    };
  });
  return sorted(rows, { from_date: 'down' });
}

/** How many copies succeeded, counted by hand. */
import {
  type Answer,
  type Copy,
  type Facts,
  groups,
  hasEnded,
  isGood,
  lastInOrder,
  percent,
  since,
  sorted,
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

/** What could be brought back, and from when; found by hand. */
import { copiesReadThrough } from './drains.ts';
import {
  type Answer,
  type Copy,
  day,
  type Facts,
  goesElsewhere,
  groups,
  hour,
  isGood,
  lastInOrder,
  latest,
  resourceAndPlace,
  since,
  sorted,
  spanIn,
  youngest,
} from './facts.ts';

const named = (copies: readonly Copy[]) => copies.filter((copy) => copy.resource !== null);
const key = (copy: Copy) => JSON.stringify(resourceAndPlace(copy));

/** The youngest good copy of each resource at each place, and how many there were. */
function lastGood(
  leaves: readonly Copy[],
): ReadonlyMap<string, { readonly copy: Copy; readonly made: number }> {
  const found = new Map<string, { copy: Copy; made: number }>();
  for (const { first, members } of groups(named(leaves).filter(isGood), resourceAndPlace)) {
    found.set(key(first), { copy: youngest(members) ?? first, made: members.length });
  }
  return found;
}

const whatAndWhere = (copy: Copy) => ({
  resource_arn: copy.resource,
  resource_type: copy.type,
  resource_name: copy.name,
  account_id: copy.account,
  destination_account_id: copy.to.account,
  destination_region: copy.to.region,
  is_cross_account: copy.leavesAccount,
  is_cross_region: copy.leavesRegion,
});

export function lastGoodCopies({ leaves }: Facts): Answer[] {
  return [...lastGood(leaves).values()].map(({ copy, made }) => ({
    ...whatAndWhere(copy),
    copy_job_id: copy.id,
    creation_time: copy.created,
    completion_time: copy.ended,
    destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
    destination_backup_vault_arn: copy.told('destination_backup_vault_arn'),
    completed: made,
  }));
}

const oldestFirst = {
  last_good_time: 'up+',
  resource_arn: 'up',
  destination_account_id: 'up',
  destination_region: 'up',
} as const;

export function rpo({ now, leaves }: Facts, days: number): Answer[] {
  const active = new Set(since(now, days, leaves).map(key));
  const rows = [...lastGood(leaves).values()]
    .filter(({ copy }) => goesElsewhere(copy) && active.has(key(copy)))
    .map(({ copy, made }) => ({
      ...whatAndWhere(copy),
      last_good_time: copy.created,
      rpo_hours: spanIn(hour, copy.created, now),
      completed: made,
      last_good_job_id: copy.id,
      destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
    }));
  return sorted(rows, oldestFirst);
}

export function rpoBeyondLimit({ now, leaves }: Facts, hours: number, days: number): Answer[] {
  const good = lastGood(leaves);
  const tried = named(since(now, days, leaves)).filter(goesElsewhere);
  const rows = groups(tried, resourceAndPlace).flatMap(({ first, members }) => {
    const made = good.get(key(first))?.copy.created ?? null;
    if (made !== null && now - made <= hours * hour) return [];
    const last = youngest(members) ?? first;
    return [
      {
        ...whatAndWhere(last),
        last_good_time: made,
        rpo_hours: spanIn(hour, made, now),
        last_copy_time: last.created,
        last_copy_state: last.state,
        last_copy_category: last.category,
      },
    ];
  });
  return sorted(rows, oldestFirst);
}

export function singleLocationResources({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(named(since(now, days, leaves)), (copy) => [copy.resource]).flatMap(
    ({ first, members }) => {
      const good = members.filter(isGood);
      const inOtherAccount = good.filter((copy) => copy.leavesAccount).length;
      const inOtherRegion = good.filter((copy) => copy.leavesRegion).length;
      if (inOtherAccount > 0 && inOtherRegion > 0) return [];
      return [
        {
          resource_arn: first.resource,
          resource_type: lastInOrder(members.map((copy) => copy.type)),
          resource_name: lastInOrder(members.map((copy) => copy.name)),
          account_id: lastInOrder(members.map((copy) => copy.account)),
          completed: good.length,
          completed_in_other_account: inOtherAccount,
          completed_in_other_region: inOtherRegion,
          tried_elsewhere: members.filter(goesElsewhere).length,
          last_copy_time: latest(members.map((copy) => copy.created)),
        },
      ];
    },
  );
  return sorted(rows, { resource_arn: 'up' });
}

const byRule = ({ account, region, plan, rule }: Copy) => [account, region, plan, rule];

const ruleOf = (first: Copy, members: readonly Copy[]) => {
  const last = (column: string) => lastInOrder(members.map((copy) => copy.told(column)));
  return {
    account_id: first.account,
    region: first.region,
    plan_id: first.plan,
    rule_id: first.rule,
    plan_name: last('created_by_backup_plan_name'),
    rule_name: last('created_by_backup_rule_name'),
    rule_cron: last('created_by_backup_rule_cron'),
    rule_timezone: last('created_by_backup_rule_timezone'),
  };
};

const created = (copies: readonly Copy[]) => copies.map((copy) => copy.created);

export function ruleActivity({ leaves }: Facts): Answer[] {
  const ruled = leaves.filter((copy) => copy.rule !== null);
  return groups(ruled, byRule).map(({ first, members }) => ({
    ...ruleOf(first, members),
    jobs: members.length,
    completed: members.filter(isGood).length,
    first_job_time: Math.min(...created(members)),
    last_job_time: Math.max(...created(members)),
    last_good_time: latest(created(members.filter(isGood))),
  }));
}

export function silentRules(facts: Facts, days: number, within: number): Answer[] {
  const { now, leaves } = facts;
  const readThrough = copiesReadThrough(facts);
  const ruled = leaves.filter((copy) => copy.rule !== null);
  const rows = groups(ruled, byRule).flatMap(({ first, members }) => {
    const lastGood = latest(created(members.filter(isGood)));
    const lastTried = Math.max(...created(members));
    if (lastGood === null || now - lastGood <= days * day || now - lastTried > within * day) return [];
    return [
      {
        ...ruleOf(first, members),
        last_good_time: lastGood,
        silent_days: spanIn(day, lastGood, now),
        completed: members.filter(isGood).length,
        jobs_since: members.filter((copy) => copy.created > lastGood).length,
        last_job_time: lastTried,
        ...readThrough(first),
      },
    ];
  });
  return sorted(rows, { last_good_time: 'up', account_id: 'up', region: 'up', plan_id: 'up', rule_id: 'up' });
}

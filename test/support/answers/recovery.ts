/** What could be brought back, and from when; found by hand. */
import { copiesReadThrough } from './drains.ts';
import {
  type Answer,
  type Copy,
  day,
  elsewhere,
  type Facts,
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

/**
 * The youngest good copy of each resource at each place that its lifecycle has not deleted, of those it has deleted
 * where there is none other; and how many good ones there were.
 */
function lastGood({
  now,
  leaves,
}: Facts): ReadonlyMap<string, { readonly copy: Copy; readonly made: number }> {
  const found = new Map<string, { copy: Copy; made: number }>();
  for (const { first, members } of groups(named(leaves).filter(isGood), resourceAndPlace)) {
    const copy = youngest(members.filter((one) => isThere(one, now))) ?? youngest(members) ?? first;
    found.set(key(first), { copy, made: members.length });
  }
  return found;
}

const isThere = ({ expires }: Copy, now: number) => expires === null || expires > now;

const what = (copy: Copy) => ({
  resource_arn: copy.resource,
  resource_type: copy.type,
  resource_name: copy.name,
});
const where = ({ to }: Copy) => ({ destination_account_id: to.account, destination_region: to.region });

export function resourcePlaces({ leaves }: Facts): Answer[] {
  const isElsewhere = elsewhere(leaves);
  return groups(named(leaves), resourceAndPlace).map(({ first }) => ({
    resource_arn: first.resource,
    ...where(first),
    ...isElsewhere(first),
  }));
}

export function lastGoodCopies(facts: Facts): Answer[] {
  return [...lastGood(facts).values()].map(({ copy, made }) => ({
    ...what(copy),
    ...where(copy),
    account_id: copy.account,
    region: copy.region,
    resource_account_id: copy.home.account,
    copy_job_id: copy.id,
    creation_time: copy.created,
    completion_time: copy.ended,
    expires_time: copy.expires,
    destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
    destination_backup_vault_arn: copy.told('destination_backup_vault_arn'),
    completed: made,
  }));
}

const worstFirst = {
  rpo_hours: 'down+',
  resource_arn: 'up',
  destination_account_id: 'up',
  destination_region: 'up',
} as const;

export function rpo(facts: Facts, days: number): Answer[] {
  const { now, leaves } = facts;
  const isElsewhere = elsewhere(leaves);
  const readThrough = copiesReadThrough(facts);
  const active = new Set(since(now, days, leaves).map(key));
  const rows = [...lastGood(facts).values()]
    .filter(({ copy }) => Object.values(isElsewhere(copy)).includes(true) && active.has(key(copy)))
    .map(({ copy, made }) => ({
      ...what(copy),
      account_id: copy.home.account ?? copy.account,
      ...where(copy),
      ...isElsewhere(copy),
      last_good_time: copy.created,
      rpo_hours: isThere(copy, now) ? spanIn(hour, copy.created, now) : null,
      expires_time: copy.expires,
      completed: made,
      last_good_job_id: copy.id,
      destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
      ...readThrough(copy),
    }));
  return sorted(rows, worstFirst);
}

export function rpoBeyondLimit(facts: Facts, hours: number, days: number): Answer[] {
  const { now, leaves } = facts;
  const good = lastGood(facts);
  const isElsewhere = elsewhere(leaves);
  const readThrough = copiesReadThrough(facts);
  const tried = named(since(now, days, leaves)).filter((copy) =>
    Object.values(isElsewhere(copy)).includes(true),
  );
  const rows = groups(tried, resourceAndPlace).flatMap(({ first, members }) => {
    const made = good.get(key(first))?.copy;
    const canBeRestored = made !== undefined && isThere(made, now);
    if (canBeRestored && now - made.created <= hours * hour) return [];
    const last = youngest(members) ?? first;
    return [
      {
        ...what(last),
        account_id: last.home.account ?? last.account,
        ...where(last),
        ...isElsewhere(last),
        last_good_time: made?.created ?? null,
        rpo_hours: canBeRestored ? spanIn(hour, made.created, now) : null,
        expires_time: made?.expires ?? null,
        last_copy_time: last.created,
        last_copy_state: last.state,
        last_copy_category: last.category,
        ...readThrough(last),
      },
    ];
  });
  return sorted(rows, worstFirst);
}

export function singleLocationResources({ now, leaves }: Facts, days: number): Answer[] {
  const isElsewhere = elsewhere(leaves);
  const rows = groups(named(since(now, days, leaves)), (copy) => [copy.resource]).flatMap(
    ({ first, members }) => {
      const good = members.filter(isGood);
      const inOtherAccount = good.filter((copy) => isElsewhere(copy).in_other_account).length;
      const inOtherRegion = good.filter((copy) => isElsewhere(copy).in_other_region).length;
      if (inOtherAccount > 0 && inOtherRegion > 0) return [];
      const owners = new Set(members.map((copy) => copy.account));
      return [
        {
          resource_arn: first.resource,
          resource_type: lastInOrder(members.map((copy) => copy.type)),
          resource_name: lastInOrder(members.map((copy) => copy.name)),
          account_id: first.home.account ?? (owners.size === 1 ? first.account : null),
          completed: good.length,
          completed_in_other_account: inOtherAccount,
          completed_in_other_region: inOtherRegion,
          tried_elsewhere: members.filter((copy) => Object.values(isElsewhere(copy)).includes(true)).length,
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

/** A good copy before `silentSince`, none after it; and, as no deleted rule does, a try that was not long before it. */
export function silentRules(facts: Facts, days: number, within: number): Answer[] {
  const { now, leaves } = facts;
  const silentSince = now - days * day;
  const readThrough = copiesReadThrough(facts);
  const ruled = leaves.filter((copy) => copy.rule !== null);
  const rows = groups(ruled, byRule).flatMap(({ first, members }) => {
    const lastGood = latest(created(members.filter(isGood)));
    const lastTried = Math.max(...created(members));
    if (lastGood === null || lastGood >= silentSince || lastTried < silentSince - within * day) return [];
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

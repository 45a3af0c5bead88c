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
import { type Life, livesIn, usualWindow } from './lives.ts';

const named = (copies: readonly Copy[]) => copies.filter((copy) => copy.resource !== null);
const key = (copy: Copy) => JSON.stringify(resourceAndPlace(copy));

interface Best {
  readonly copy: Copy;
  readonly life: Life;
  readonly protection: string;
  /** The youngest data there of a copy that is not known to be gone. */
  readonly bestCase: number | null;
  readonly made: number;
}

/**
 * The best good copy of each resource at each place: of those that surely exist the one with the youngest data; else
 * of those that may; else of those that are gone.
 */
function bestCopies(facts: Facts, window: number): ReadonlyMap<string, Best> {
  const lifeOf = livesIn(facts);
  const found = new Map<string, Best>();
  for (const { first, members } of groups(named(facts.leaves).filter(isGood), resourceAndPlace)) {
    const all = members.map((copy) => {
      const life = lifeOf(copy);
      return { copy, life, protection: life.protection(window) };
    });
    const present = all.filter(({ protection }) => protection !== 'gone');
    const kept = all.filter(({ protection }) => protection === 'kept');
    const [rank] = [kept, present, all].filter((some) => some.length > 0);
    const [best] = [...(rank ?? [])].sort(
      (a, b) => b.life.sourceBefore - a.life.sourceBefore || (youngest([a.copy, b.copy]) === a.copy ? -1 : 1),
    );
    if (best === undefined) continue;
    const bestCase = latest(present.map(({ life }) => life.sourceBefore));
    found.set(key(first), { ...best, bestCase, made: members.length });
  }
  return found;
}

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

export function copyLives(facts: Facts, columns: readonly string[]): Answer[] {
  const lifeOf = livesIn(facts);
  return facts.leaves.filter(isGood).map((copy) => {
    const life = lifeOf(copy);
    const reckoned: Answer = {
      creation_date: copy.day,
      destination_account_id: copy.to.account,
      destination_region: copy.to.region,
      resource_account_id: copy.home.account,
      source_created_before: life.sourceBefore,
      is_scheduled: life.isScheduled,
      expires_time: life.latestEnd,
      protection: life.protection(usualWindow),
    };
    return Object.fromEntries(columns.map((column) => [column, reckoned[column] ?? copy.told(column)]));
  });
}

export function lastGoodCopies(facts: Facts): Answer[] {
  return [...bestCopies(facts, usualWindow).values()].map(({ copy, life, protection, bestCase, made }) => ({
    ...what(copy),
    ...where(copy),
    account_id: copy.account,
    region: copy.region,
    resource_account_id: copy.home.account,
    copy_job_id: copy.id,
    creation_time: copy.created,
    completion_time: copy.ended,
    expires_time: life.latestEnd,
    destination_recovery_point_arn: copy.told('destination_recovery_point_arn'),
    destination_backup_vault_arn: copy.told('destination_backup_vault_arn'),
    completed: made,
    protection,
    source_created_before: life.sourceBefore,
    best_case_time: bestCase,
  }));
}

/** The worst first. */
const protections = ['none', 'gone', 'may_be_gone', 'unknown', 'kept'];

function worstFirst<T extends Answer>(rows: readonly T[]): Answer[] {
  const ranked = rows.map((row) => ({ ...row, rank: protections.indexOf(String(row.protection)) }));
  const order = {
    rank: 'up',
    rpo_hours: 'down+',
    resource_arn: 'up',
    destination_account_id: 'up',
    destination_region: 'up',
  } as const;
  return sorted(ranked, order).map(({ rank: _, ...row }) => row);
}

const lastGood = (best: Best | undefined, now: number) => ({
  protection: best?.protection ?? 'none',
  last_good_time: best?.copy.created ?? null,
  source_created_before: best?.life.sourceBefore ?? null,
  rpo_hours: best?.protection === 'kept' ? spanIn(hour, best.life.sourceBefore, now) : null,
  best_case_rpo_hours: spanIn(hour, best?.bestCase ?? null, now),
  expires_time: best?.life.latestEnd ?? null,
});

export function rpo(facts: Facts, days: number, window: number): Answer[] {
  const { now, leaves } = facts;
  const isElsewhere = elsewhere(leaves);
  const readThrough = copiesReadThrough(facts);
  const active = new Set(since(now, days, leaves).map(key));
  const rows = [...bestCopies(facts, window).values()]
    .filter(({ copy }) => Object.values(isElsewhere(copy)).includes(true) && active.has(key(copy)))
    .map((best) => ({
      ...what(best.copy),
      account_id: best.copy.home.account ?? best.copy.account,
      ...where(best.copy),
      ...isElsewhere(best.copy),
      ...lastGood(best, now),
      completed: best.made,
      last_good_job_id: best.copy.id,
      destination_recovery_point_arn: best.copy.told('destination_recovery_point_arn'),
      ...readThrough(best.copy),
    }));
  return worstFirst(rows);
}

export function rpoBeyondLimit(facts: Facts, hours: number, days: number, window: number): Answer[] {
  const { now, leaves } = facts;
  const good = bestCopies(facts, window);
  const isElsewhere = elsewhere(leaves);
  const readThrough = copiesReadThrough(facts);
  const tried = named(since(now, days, leaves)).filter((copy) =>
    Object.values(isElsewhere(copy)).includes(true),
  );
  const rows = groups(tried, resourceAndPlace).flatMap(({ first, members }) => {
    const best = good.get(key(first));
    if (best?.protection === 'kept' && now - best.life.sourceBefore <= hours * hour) return [];
    const last = youngest(members) ?? first;
    return [
      {
        ...what(last),
        account_id: last.home.account ?? last.account,
        ...where(last),
        ...isElsewhere(last),
        ...lastGood(best, now),
        last_copy_time: last.created,
        last_copy_state: last.state,
        last_copy_category: last.category,
        ...readThrough(last),
      },
    ];
  });
  return worstFirst(rows);
}

export function singleLocationResources(facts: Facts, days: number, window: number): Answer[] {
  const { now, leaves } = facts;
  const isElsewhere = elsewhere(leaves);
  const lifeOf = livesIn(facts);
  const protectionOf = (copy: Copy) => lifeOf(copy).protection(window);
  const rows = groups(named(since(now, days, leaves)), (copy) => [copy.resource]).flatMap(
    ({ first, members }) => {
      const good = members.filter(isGood);
      const kept = good.filter((copy) => protectionOf(copy) === 'kept');
      const unsure = good.filter((copy) => ['may_be_gone', 'unknown'].includes(protectionOf(copy)));
      const inOtherAccount = (copies: readonly Copy[]) =>
        copies.filter((copy) => isElsewhere(copy).in_other_account).length;
      const inOtherRegion = (copies: readonly Copy[]) =>
        copies.filter((copy) => isElsewhere(copy).in_other_region).length;
      if (inOtherAccount(kept) > 0 && inOtherRegion(kept) > 0) return [];
      const owners = new Set(members.map((copy) => copy.account));
      return [
        {
          resource_arn: first.resource,
          resource_type: lastInOrder(members.map((copy) => copy.type)),
          resource_name: lastInOrder(members.map((copy) => copy.name)),
          account_id: first.home.account ?? (owners.size === 1 ? first.account : null),
          kept_in_other_account: inOtherAccount(kept),
          kept_in_other_region: inOtherRegion(kept),
          unsure_in_other_account: inOtherAccount(unsure),
          unsure_in_other_region: inOtherRegion(unsure),
          completed: good.length,
          completed_in_other_account: inOtherAccount(good),
          completed_in_other_region: inOtherRegion(good),
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

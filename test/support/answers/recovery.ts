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

function worstFirst(
  rows: readonly Answer[],
  measure: 'rpo_hours' | 'hours_beyond',
  direction: 'down' | 'down+',
): Answer[] {
  const ranked = rows.map((row) => ({ ...row, rank: protections.indexOf(String(row.protection)) }));
  return sorted(ranked, {
    rank: 'up',
    [measure]: direction,
    resource_arn: 'up',
    destination_account_id: 'up',
    destination_region: 'up',
  }).map(({ rank: _, ...row }) => row);
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
  return worstFirst(rows, 'rpo_hours', 'down+');
}

/**
 * How often the rules of a resource start, around the last good copy of each; and of those in use, the most frequent. A
 * rule is in use at a place until two days after it should have copied something there again.
 */
function schedulesIn({ now, leaves }: Facts): ReadonlyMap<string, { schedule: number; inUse: number }> {
  const longest = new Map(
    groups(
      leaves.filter(({ rule }) => rule !== null),
      byRule,
    ).map(({ first, members }) => [
      JSON.stringify(byRule(first)),
      latest(members.map(({ interval }) => interval)),
    ]),
  );
  const ruled = leaves.flatMap((copy) => {
    const schedule = copy.interval ?? longest.get(JSON.stringify(byRule(copy))) ?? null;
    return schedule === null ? [] : [{ copy, schedule }];
  });
  type Ruled = (typeof ruled)[number];
  const ruleAndPlace = ({ copy }: Ruled) => [byRule(copy), copy.to.account, copy.to.region];
  const used = new Set(
    groups(ruled, ruleAndPlace)
      .filter(({ members }) => members.some(({ copy, schedule }) => now - copy.created - schedule <= 2 * day))
      .map(({ first }) => JSON.stringify(ruleAndPlace(first))),
  );
  const withResource = ruled.filter(({ copy }) => copy.resource !== null);
  return new Map(
    groups(withResource, ({ copy }) => resourceAndPlace(copy)).map(({ first, members }) => {
      const rules = groups(members, ({ copy }) => byRule(copy)).map(({ first: one, members: ofRule }) => {
        const copies = ofRule.map(({ copy }) => copy);
        const last = youngest(copies.filter(isGood)) ?? youngest(copies);
        const { schedule } = ofRule.find(({ copy }) => copy === last) ?? one;
        return { schedule, inUse: used.has(JSON.stringify(ruleAndPlace(one))) };
      });
      const inUse = rules.filter((rule) => rule.inUse);
      const counting = inUse.length > 0 ? inUse : rules;
      const schedule = Math.min(...counting.map((rule) => rule.schedule));
      return [key(first.copy), { schedule, inUse: inUse.length }];
    }),
  );
}

export function copySchedules(facts: Facts): Answer[] {
  const schedules = schedulesIn(facts);
  return groups(named(facts.leaves), resourceAndPlace).flatMap(({ first }) => {
    const found = schedules.get(key(first));
    if (found === undefined) return [];
    return [
      {
        resource_arn: first.resource,
        ...where(first),
        schedule_ms: found.schedule,
        rules_in_use: found.inUse,
      },
    ];
  });
}

export function rpoBeyondLimit(facts: Facts, value: (parameter: string) => string): Answer[] {
  const { now, leaves } = facts;
  const good = bestCopies(facts, Number(value('window')));
  const schedules = schedulesIn(facts);
  const isElsewhere = elsewhere(leaves);
  const readThrough = copiesReadThrough(facts);
  const tried = named(since(now, Number(value('days')), leaves)).filter((copy) =>
    Object.values(isElsewhere(copy)).includes(true),
  );
  const rows = groups(tried, resourceAndPlace).flatMap(({ first, members }) => {
    const best = good.get(key(first));
    const schedule = value('schedules') === '0' ? undefined : schedules.get(key(first))?.schedule;
    const limit =
      schedule === undefined ? Number(value('hours')) * hour : schedule + Number(value('grace')) * hour;
    const dataFrom = best?.protection === 'kept' ? best.life.sourceBefore : (best?.bestCase ?? null);
    const beyond = dataFrom === null ? null : now - dataFrom - limit;
    const isYoung = beyond !== null && beyond <= 0;
    if (isYoung && (best?.protection === 'kept' || value('unproven') === '0')) return [];
    const last = youngest(members) ?? first;
    return [
      {
        ...what(last),
        account_id: last.home.account ?? last.account,
        ...where(last),
        ...isElsewhere(last),
        ...lastGood(best, now),
        limit_from: schedule === undefined ? 'hours' : 'schedule',
        limit_hours: spanIn(hour, 0, limit),
        hours_beyond: isYoung ? null : spanIn(hour, 0, beyond),
        last_copy_time: last.created,
        last_copy_state: last.state,
        last_copy_category: last.category,
        ...readThrough(last),
      },
    ];
  });
  return worstFirst(rows, 'hours_beyond', 'down');
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

/** How long copies were in a state, and when their failures were known: from what each run saw. */
import { transitionsOf } from '../sightings.ts';
import { type Answer, type Copy, type Facts, groups, hour, since, sorted, spanIn } from './facts.ts';

export function copyJobTransitions({ runs, coverage, looks, all }: Facts): Answer[] {
  const copies = new Map(all.map((copy) => [copy.id, copy]));
  return groups(transitionsOf(runs, coverage, looks), ({ id }) => [id]).flatMap(({ members }) =>
    members.map((seen, at) => {
      const copy = copies.get(seen.id);
      if (copy === undefined) throw new Error(`${seen.id} was seen and is not in the truth`);
      return {
        copy_job_id: seen.id,
        change_number: at + 1,
        account_id: copy.account,
        region: copy.region,
        is_first_sight: at === 0,
        from_state: seen.from,
        to_state: seen.to,
        last_seen_before: seen.lastSeenBefore,
        first_seen_after: seen.firstSeenAfter,
        run_id: seen.runId,
        message_category: seen.category,
        resource_type: copy.type,
        resource_arn: copy.resource,
        parent_job_id: copy.parent,
        creation_time: copy.created,
        creation_date: copy.day,
      };
    }),
  );
}

export function timeInState(facts: Facts, state: string, hours: number, days: number): Answer[] {
  const rows = since(facts.now, days, facts.leaves).flatMap((copy) => {
    const seen = seenOf(facts, copy);
    return seen.flatMap((entered, at) => {
      const gone = seen[at + 1];
      if (entered.to !== state || gone === undefined) return [];
      const from = entered.firstSeenAfter;
      const until = gone.lastSeenBefore ?? from;
      if (until - from < hours * hour) return [];
      return [
        {
          creation_time: copy.created,
          account_id: copy.account,
          region: copy.region,
          ...resourceOf(copy),
          at_least_hours: spanIn(hour, from, until),
          at_most_hours: spanIn(hour, entered.lastSeenBefore ?? copy.created, gone.firstSeenAfter),
          seen_from: from,
          seen_until: until,
          seen_changed: gone.firstSeenAfter,
          to_state: gone.to,
          message_category: gone.category,
          copy_job_id: copy.id,
        },
      ];
    });
  });
  return sorted(rows, { at_least_hours: 'down', creation_time: 'up', copy_job_id: 'up' });
}

export function firstKnownFailures(facts: Facts, days: number): Answer[] {
  const failed = since(facts.now, days, facts.leaves).filter(
    ({ state }) => state === 'FAILED' || state === 'PARTIAL',
  );
  const rows = failed.map((copy) => {
    const known = seenOf(facts, copy).find(({ to }) => to === copy.state);
    return {
      creation_time: copy.created,
      account_id: copy.account,
      region: copy.region,
      ...resourceOf(copy),
      state: copy.state,
      message_category: copy.category,
      status_message: copy.told('status_message'),
      completion_time: copy.ended,
      known_time: known?.firstSeenAfter ?? null,
      known_after_hours: spanIn(hour, copy.ended, known?.firstSeenAfter ?? null),
      was_state: known?.from ?? null,
      was_seen_until: known?.lastSeenBefore ?? null,
      known_by_run_id: known?.runId ?? null,
      copy_job_id: copy.id,
    };
  });
  return sorted(rows, { known_time: 'down', creation_time: 'down', copy_job_id: 'up' });
}

const byJob = new WeakMap<Facts, Map<string, ReturnType<typeof transitionsOf>>>();

function seenOf(facts: Facts, { id }: Copy): ReturnType<typeof transitionsOf> {
  let known = byJob.get(facts);
  if (known === undefined) {
    const all = groups(transitionsOf(facts.runs, facts.coverage, facts.looks), (seen) => [seen.id]);
    known = new Map(all.map(({ first, members }) => [first.id, [...members]]));
    byJob.set(facts, known);
  }
  return known.get(id) ?? [];
}

function resourceOf(copy: Copy): Answer {
  return { resource_type: copy.type, resource_name: copy.name, resource_arn: copy.resource };
}

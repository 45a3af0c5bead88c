/** Which targets were read well, and when; looked up by hand in the coverage. */
import { type Answer, day, type Facts, groups, latest, sorted, spanIn } from './facts.ts';

export function targetDrains({ coverage }: Facts): Answer[] {
  const target = (row: (typeof coverage)[number]) => [row.table_name, row.account_id, row.region];
  return groups(coverage, target).map(({ first, members }) => {
    const last =
      [...members]
        .sort((a, b) => Number(a.as_of) - Number(b.as_of) || (String(a.run_id) < String(b.run_id) ? -1 : 1))
        .at(-1) ?? first;
    const good = members.filter(({ status }) => status === 'OK' || status === 'OK_EMPTY');
    const { table_name, account_id, region, account_name, as_of, status, error_name, error_message } = last;
    return {
      table_name: table_name ?? null,
      account_id: account_id ?? null,
      region: region ?? null,
      account_name: account_name ?? null,
      last_asked_time: as_of ?? null,
      last_status: status ?? null,
      last_error_name: error_name ?? null,
      last_error_message: error_message ?? null,
      last_good_drain_time: latest(good.map((row) => Number(row.as_of))),
      drains: members.length,
    };
  });
}

export function targetsWithoutGoodDrain(facts: Facts, days: number): Answer[] {
  const rows = targetDrains(facts).flatMap((target) => {
    const good = target.last_good_drain_time === null ? null : Number(target.last_good_drain_time);
    if (good !== null && facts.now - good <= days * day) return [];
    return [{ ...target, days_without: spanIn(day, good, facts.now) }];
  });
  return sorted(rows, { last_good_drain_time: 'up+', table_name: 'up', account_id: 'up', region: 'up' });
}

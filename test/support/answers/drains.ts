/** Which targets were read well, and when; looked up by hand in the coverage. */
import { type Answer, type Copy, day, type Facts, groups, sorted, spanIn } from './facts.ts';

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
      last_good_drain_time: readThrough(good),
      drains: members.length,
    };
  });
}

/** Begins at what was read earliest, and goes on for as long as some drain begins no later than that. */
function readThrough(good: Facts['coverage']): number | null {
  const windows = good.map((row) => ({
    from: row.window_from == null ? Number.NEGATIVE_INFINITY : Number(row.window_from),
    to: Number(row.window_to ?? row.as_of),
  }));
  if (windows.length === 0) return null;
  const begin = Math.min(...windows.map(({ from }) => from));
  let through = begin;
  for (;;) {
    const next = Math.max(...windows.filter(({ from }) => from <= through).map(({ to }) => to));
    if (next <= through) return through;
    through = next;
  }
}

/** By the copy jobs of an account and region: through when they have been read. */
export function copiesReadThrough(facts: Facts): (copy: Copy) => { last_good_drain_time: Answer[string] } {
  const name = (account: unknown, region: unknown) => JSON.stringify([account, region]);
  const through = new Map(
    targetDrains(facts)
      .filter(({ table_name }) => table_name === 'copy_jobs')
      .map((target) => [name(target.account_id, target.region), target.last_good_drain_time ?? null]),
  );
  return ({ account, region }) => ({ last_good_drain_time: through.get(name(account, region)) ?? null });
}

export function targetsWithoutGoodDrain(facts: Facts, days: number): Answer[] {
  const rows = targetDrains(facts).flatMap((target) => {
    const good = target.last_good_drain_time === null ? null : Number(target.last_good_drain_time);
    if (good !== null && facts.now - good <= days * day) return [];
    return [{ ...target, days_without: spanIn(day, good, facts.now) }];
  });
  const order = { last_good_drain_time: 'up+', table_name: 'up', account_id: 'up', region: 'up' } as const;
  const isDisabled = (row: Answer) => row.last_status === 'REGION_DISABLED';
  return [
    ...sorted(
      rows.filter((row) => !isDisabled(row)),
      order,
    ),
    ...sorted(rows.filter(isDisabled), order),
  ];
}

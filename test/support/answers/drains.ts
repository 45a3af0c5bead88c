/** Which targets were read well, and when; looked up by hand in the coverage. */
import { type Answer, type Copy, day, type Facts, groups, lastInOrder, sorted, spanIn } from './facts.ts';

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

/** The newest name that a run of the last 35 days knew an account by. */
export function accountNames({ coverage, now }: Facts): Answer[] {
  const today = Math.floor(now / day);
  const known = coverage.filter(
    (row) => row.account_name != null && Math.floor(Number(row.as_of) / day) >= today - 35,
  );
  return groups(known, (row) => [row.account_id]).map(({ first, members }) => {
    const newest = Math.max(...members.map((row) => Number(row.as_of)));
    const ofThen = members.filter((row) => Number(row.as_of) === newest);
    const run = lastInOrder(ofThen.map((row) => String(row.run_id)));
    const names = ofThen.filter((row) => row.run_id === run).map((row) => String(row.account_name));
    return { account_id: first.account_id ?? null, account_name: lastInOrder(names) };
  });
}

/** An account's name, null where nobody knows it. */
export function namesOfAccounts(facts: Facts): (account: Answer[string] | undefined) => Answer[string] {
  const names = new Map(accountNames(facts).map((row) => [row.account_id, row.account_name ?? null]));
  return (account) => names.get(account ?? null) ?? null;
}

/** The row with the name of its account beside every number, under the same name but `_name` for `_id`. */
export function withAccountNames(facts: Facts): (row: Answer) => Answer {
  const nameOf = namesOfAccounts(facts);
  return (row) =>
    Object.fromEntries(
      Object.entries(row).flatMap(([column, value]) =>
        column.endsWith('account_id')
          ? [
              [column, value],
              [column.replace(/_id$/, '_name'), nameOf(value)],
            ]
          : [[column, value]],
      ),
    );
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
  const nameOf = namesOfAccounts(facts);
  const rows = targetDrains(facts).flatMap((target) => {
    const good = target.last_good_drain_time === null ? null : Number(target.last_good_drain_time);
    if (good !== null && facts.now - good <= days * day) return [];
    const account_name = target.account_name ?? nameOf(target.account_id);
    return [{ ...target, account_name, days_without: spanIn(day, good, facts.now) }];
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

/** Which targets were read well, and when; looked up by hand in the coverage. */
import {
  type Answer,
  type Copy,
  day,
  type Facts,
  groups,
  hour,
  lastInOrder,
  sorted,
  spanIn,
} from './facts.ts';

export function targetDrains({ coverage }: Facts): Answer[] {
  const target = (row: (typeof coverage)[number]) => [row.table_name, row.account_id, row.region];
  return groups(coverage, target).map(({ first, members }) => {
    const asked = members.filter(hasAsked);
    const last =
      [...(asked.length > 0 ? asked : members)]
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
      last_good_drain_time: readThrough(good, stillRemembered(coverage, first.table_name)),
      drains: members.length,
    };
  });
}

type CoverageRow = Facts['coverage'][number];

/** An empty window asks for nothing: not a failure. */
function hasAsked({ status, error_name: error }: CoverageRow): boolean {
  return !(status === 'SKIPPED' && error === 'EmptyWindow');
}

/** How long the run of this row assumed that AWS keeps records; older versions did not say. */
function rememberedFrom(row: CoverageRow): number {
  if (row.remembered_from != null) return Number(row.remembered_from);
  return Number(row.as_of) - (row.table_name === 'copy_job_summaries' ? 14 : 30) * day;
}

function stillRemembered(coverage: Facts['coverage'], table: unknown): number {
  return Math.max(...coverage.filter((row) => row.table_name === table).map(rememberedFrom));
}

function isGood(row: CoverageRow): boolean {
  const { from, to } = windowOf(row);
  return (row.status === 'OK' || row.status === 'OK_EMPTY') && from < to;
}

function windowOf(row: CoverageRow): { from: number; to: number } {
  return { from: Number(row.window_from ?? rememberedFrom(row)), to: Number(row.window_to ?? row.as_of) };
}

/**
 * Begins at what was read earliest, and goes on for as long as some drain begins no later than that, or AWS remembers
 * nothing of what lies between.
 */
function readThrough(good: Facts['coverage'], remembered: number): number | null {
  const windows = good.filter(isGood).map(windowOf);
  if (windows.length === 0) return null;
  let through = Math.min(...windows.map(({ from }) => from));
  for (;;) {
    const bound = Math.max(through, remembered);
    const next = Math.max(...windows.filter(({ from }) => from <= bound).map(({ to }) => to));
    if (next <= through) return through;
    through = next;
  }
}

/** Every hour is looked at by itself: whether somebody was to read it, did, and whether AWS still has it. */
export function lostIntervals({ coverage }: Facts): Answer[] {
  return groups(coverage, (row) => [row.table_name, row.account_id, row.region]).flatMap(({ members }) => {
    const { table_name = null, account_id = null, region = null } = members[0] ?? {};
    const asked = [...members].sort(
      (a, b) => Number(a.as_of) - Number(b.as_of) || (String(a.run_id) < String(b.run_id) ? -1 : 1),
    );
    const times = asked.map((row) => Number(row.as_of));
    const begin = Math.min(...times);
    // What left the organization is no longer to be read.
    const remembered = Math.min(stillRemembered(coverage, table_name), Math.max(...times));
    const kept = asked.filter(isGood).map(windowOf);
    asked.forEach((row, i) => {
      const before = asked[i - 1];
      if (row.status === 'REGION_DISABLED' && before?.status === 'REGION_DISABLED')
        kept.push({ from: Number(before.as_of), to: Number(row.as_of) });
    });
    // Nothing changes between two neighbouring edges.
    const edges = [...new Set([begin, remembered, ...kept.flatMap(({ from, to }) => [from, to])])]
      .filter((edge) => edge >= begin && edge <= remembered)
      .sort((a, b) => a - b);
    const lost: { from: number; to: number }[] = [];
    edges.slice(0, -1).forEach((from, i) => {
      const to = edges[i + 1] ?? from;
      if (kept.some((one) => one.from <= from && to <= one.to)) return;
      lost.push({ from, to });
    });
    const names = members.flatMap((row) => (row.account_name == null ? [] : [String(row.account_name)]));
    return lost.map(({ from, to }) => ({
      table_name,
      account_id,
      account_name: names.length === 0 ? null : lastInOrder(names),
      region,
      lost_from: from,
      lost_to: to,
      lost_hours: spanIn(hour, from, to),
      noticed_time: Math.min(
        ...coverage
          .filter((row) => row.table_name === table_name && rememberedFrom(row) > from)
          .map((row) => Number(row.as_of)),
      ),
    }));
  });
}

export function lostDays(facts: Facts, days: number): Answer[] {
  const nameOf = namesOfAccounts(facts);
  return sorted(
    lostIntervals(facts)
      .filter((row) => facts.now - Number(row.noticed_time) <= days * day)
      .map((row) => ({ ...row, account_name: row.account_name ?? nameOf(row.account_id) })),
    { lost_to: 'down', lost_from: 'down', table_name: 'up', account_id: 'up', region: 'up' },
  );
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
function namesOfAccounts(facts: Facts): (account: Answer[string] | undefined) => Answer[string] {
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

/** Who changes what made a target fail. */
function healedBy(status: unknown, error: unknown): string {
  const byStatus: Readonly<Record<string, string>> = {
    ACCESS_DENIED: 'account_team',
    ASSUME_ROLE_FAILED: 'account_team',
    REGION_DISABLED: 'account_team',
    THROTTLED: 'AWS',
  };
  const isAws = /^(ServiceUnavailable(Exception)?|InternalServer(Exception|Error)|InternalFailure)$/;
  if (status === 'FAILED' && isAws.test(String(error))) return 'AWS';
  return byStatus[String(status)] ?? 'exporter_owner';
}

/** @param adviceOf the advice for a status and the name of an error */
export function failingTargets(
  facts: Facts,
  days: number,
  adviceOf: (status: string, errorName: string | null) => string,
): Answer[] {
  const { coverage, now } = facts;
  const nameOf = namesOfAccounts(facts);
  const isWell = (status: unknown) => status === 'OK' || status === 'OK_EMPTY';
  const rows = targetDrains(facts).flatMap((target) => {
    const { table_name, account_id, region } = target;
    const newestFirst = coverage
      .filter(
        (row) =>
          row.table_name === table_name &&
          row.account_id === account_id &&
          row.region === region &&
          hasAsked(row),
      )
      .sort((a, b) => Number(b.as_of) - Number(a.as_of) || (String(a.run_id) < String(b.run_id) ? 1 : -1));
    const healthy = newestFirst.findIndex(({ status }) => isWell(status));
    const failing = healthy === -1 ? newestFirst : newestFirst.slice(0, healthy);
    const [last] = failing;
    const isOver = now - Number(target.last_asked_time) > days * day;
    const read = target.last_good_drain_time ?? null;
    if (last === undefined || isOver || (last.status === 'REGION_DISABLED' && read === null)) return [];
    const loss = read === null ? null : Number(read) + Number(last.as_of) - rememberedFrom(last);
    return [
      {
        table_name: table_name ?? null,
        account_id: account_id ?? null,
        account_name: target.account_name ?? nameOf(account_id),
        region: region ?? null,
        last_status: last.status ?? null,
        failing_since: Number(failing.at(-1)?.as_of),
        failing_runs: failing.length,
        unread_since: read,
        first_loss_time: loss,
        hours_to_loss: spanIn(hour, now, loss),
        healed_by: healedBy(last.status, last.error_name),
        remedy: adviceOf(String(last.status), last.error_name == null ? null : String(last.error_name)),
        last_error_name: target.last_error_name ?? null,
        last_error_message: target.last_error_message ?? null,
        last_asked_time: target.last_asked_time ?? null,
      },
    ];
  });
  return sorted(rows, { first_loss_time: 'up+', table_name: 'up', account_id: 'up', region: 'up' });
}

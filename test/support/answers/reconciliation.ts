/** AWS's own counts against the copies, with every rule of what can be compared applied by hand to each run's coverage. */
import { type Answer, day, type Facts, groups, hour, sorted } from './facts.ts';

const isGood = (row: Facts['coverage'][number]) => row.status === 'OK' || row.status === 'OK_EMPTY';

export function recordAgainstAws({ now, all, coverage, counts }: Facts, days: number): Answer[] {
  const oldest = Math.floor(now / day) - days;
  const runs = [...groups(coverage, ({ run_id }) => [run_id])]
    .sort((a, b) => Number(a.first.as_of) - Number(b.first.as_of))
    .map(({ members }) => members);
  /** Whether AWS's counts of a region had reached a day by then. */
  const reached = (region: unknown, date: string, asOf: number) =>
    counts.some((row) => {
      const counted = String(row.start_date);
      return row.region === region && counted >= date && Date.parse(counted) <= asOf;
    });
  const found = new Map<string, Answer>();
  for (const [at, run] of runs.entries()) {
    const earlier = runs.slice(0, at + 1).flat();
    for (const counted of run) {
      if (counted.table_name !== 'copy_job_summaries' || !isGood(counted)) continue;
      const asOf = Number(counted.as_of);
      const good = earlier.filter(
        (row) =>
          row.table_name === 'copy_jobs' &&
          row.account_id === counted.account_id &&
          row.region === counted.region &&
          isGood(row),
      );
      // No story leaves a gap between what its good drains have read.
      const from = Math.min(...good.map((row) => Number(row.window_from ?? row.remembered_from)));
      const to = Math.max(...good.map((row) => Number(row.window_to)));
      for (let start = Math.floor(asOf / day) * day - 13 * day; start < asOf; start += day) {
        const end = start + day;
        if (end + hour > Math.min(asOf, to) || start < from || start / day < oldest) continue;
        const date = new Date(start).toISOString().slice(0, 10);
        if (!reached(counted.region, date, asOf)) continue;
        const here = { account: counted.account_id, region: counted.region };
        const lake = all.filter(
          (copy) => copy.day === date && copy.account === here.account && copy.region === here.region,
        ).length;
        const aws = counts
          .filter(
            (row) => row.start_date === date && row.account_id === here.account && row.region === here.region,
          )
          .reduce((sum, row) => sum + Number(row.job_count), 0);
        if (aws === 0 && lake === 0) continue;
        found.set(JSON.stringify([here, date]), {
          creation_date: date,
          account_id: here.account ?? null,
          region: here.region ?? null,
          agrees: aws === lake,
          aws_count: aws,
          lake_count: lake,
          missing_jobs: Math.max(0, aws - lake),
          surplus_jobs: Math.max(0, lake - aws),
          compared_time: asOf,
          counting_rule: 'every job',
          run_id: counted.run_id ?? null,
        });
      }
    }
  }
  return sorted([...found.values()], { creation_date: 'down', account_id: 'up', region: 'up' });
}

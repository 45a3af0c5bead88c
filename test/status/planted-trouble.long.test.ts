/**
 * The status of an organization with planted trouble: it names each gap and each loss to the millisecond, and nothing
 * else; after healing the gaps are gone, and the losses stay.
 */
import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import type { DrainStatus, StatusReport } from '../../src/status/status-report.ts';
import { type Flags, type Lab, openLab } from '../support/lab.ts';

const hour = 3_600_000;
const day = 24 * hour;
const memory = { copy_jobs: 30 * day, copy_job_summaries: 14 * day } as const;
const tables = ['copy_jobs', 'copy_job_summaries'] as const;
type Table = (typeof tables)[number];

let lab: Lab;
afterEach(() => lab.close());

/** `table account region from/to`, sorted. */
type Named = readonly string[];

function stretches(
  report: StatusReport,
  of: (drain: DrainStatus) => DrainStatus['gaps'] | DrainStatus['lost'],
) {
  return report.drains
    .flatMap((drain) =>
      of(drain).map(
        ({ from, to }) =>
          `${drain.table} ${drain.account_id} ${drain.region} ${Date.parse(from)}/${Date.parse(to)}`,
      ),
    )
    .sort();
}

const gaps = (report: StatusReport): Named => stretches(report, (drain) => drain.gaps);
const lost = (report: StatusReport): Named => stretches(report, (drain) => drain.lost);

interface Planted {
  readonly account: string;
  readonly region: string;
  readonly from: number;
  readonly to: number | ((table: Table) => number);
  readonly tables?: readonly Table[];
}

function planted(all: readonly Planted[]): Named {
  return all
    .flatMap(({ account, region, from, to, tables: some = tables }) =>
      some.map((table) => `${table} ${account} ${region} ${from}/${typeof to === 'number' ? to : to(table)}`),
    )
    .sort();
}

const causes = ({ causes: all }: StatusReport) => all.map(({ cause, drains }) => `${cause} ${drains}`).sort();

it('names each planted gap and each lost interval exactly, and nothing else', async () => {
  lab = await openLab({ accounts: 4, regions: 3, jobsPerDay: 2, days: 2 });
  const [home = ''] = [lab.simulator.env.AWS_REGION];
  const [early = '', late = ''] = lab.regions.filter((region) => region !== home);
  const accounts = lab.simulator.organization.active.map(({ id }) => id);
  const [removed, denied, disabled] = [lab.member(0), lab.member(1), lab.member(2)];
  let regions = [home, early];
  const night = async (flags: Flags = {}): Promise<number> => {
    await lab.simulator.advance(day);
    return Date.parse((await lab.run({ regions: regions.join(','), ...flags })).as_of);
  };
  const everywhere = (account: string) => regions.map((region) => ({ account, region }));
  const everybody = () => accounts.flatMap(everywhere);

  // Good nights: nothing to tell, however much AWS had deleted before the first of them.
  await night();
  const good = await night();
  let report = await lab.status();
  expect([gaps(report), lost(report), report.exit_code, report.verdict]).toEqual([[], [], 0, 'proven']);
  expect(report.totals).toMatchObject({ accounts: 4, targets: 8, drains: 16, proven: 16 });

  // A role is removed for six nights, another for 33.
  lab.simulator.addFaults([
    { kind: 'deny', api: 'AssumeRole', account: removed },
    { kind: 'deny', api: 'AssumeRole', account: denied },
  ]);
  const firstFailed = await night();
  for (let n = 2; n <= 6; n++) await night();
  report = await lab.status();
  let { now } = report;
  const both = [...everywhere(removed), ...everywhere(denied)];
  expect(gaps(report)).toEqual(planted(both.map((one) => ({ ...one, from: good, to: Date.parse(now) }))));
  expect([lost(report), report.exit_code, report.verdict]).toEqual([[], 0, 'gaps']);
  expect(report.causes).toHaveLength(1);
  expect(report.causes[0]).toMatchObject({
    cause: 'ASSUME_ROLE_FAILED',
    needs_person: true,
    since: new Date(firstFailed).toISOString(),
    first_loss_at: new Date(good + memory.copy_job_summaries).toISOString(),
    drains: 8,
    targets: 4,
    accounts: [removed, denied]
      .sort()
      .map((account_id) => ({ account_id, account_name: expect.any(String) })),
  });
  expect((await lab.status({ 'warn-within': '9d' })).exit_code).toBe(75);

  // The first is healed.
  lab.simulator.clearFaults();
  const stillDenied = { kind: 'deny', api: 'AssumeRole', account: denied } as const;
  lab.simulator.addFaults([stillDenied]);
  const healed = await night();
  report = await lab.status();
  now = report.now;
  const ofDenied = () => everywhere(denied).map((one) => ({ ...one, from: good, to: Date.parse(now) }));
  expect(gaps(report)).toEqual(planted(ofDenied()));

  // A region is disabled in one account. Nothing can be copied there between two nights that find it disabled.
  lab.simulator.addFaults([{ kind: 'disable-region', account: disabled, region: early }]);
  const foundDisabled = await night();
  await night();
  report = await lab.status();
  now = report.now;
  const beforeDisabled = { account: disabled, region: early, from: healed, to: foundDisabled };
  expect(gaps(report)).toEqual(planted([...ofDenied(), beforeDisabled]));
  expect(causes(report)).toEqual(['ASSUME_ROLE_FAILED 4', 'REGION_DISABLED 2']);
  lab.simulator.clearFaults();
  lab.simulator.addFaults([stillDenied]);
  await night();

  // A region is enabled late: AWS remembers more than was ever asked for, and nothing of it was promised.
  regions = [home, early, late];
  lab.simulator.clearFaults();
  lab.simulator.addFaults([{ ...stillDenied, region: '*' }]);
  const withLate = await night();
  report = await lab.status();
  now = report.now;
  const oldRegions = [home, early].map((region) => ({ account: denied, region, from: good }));
  const lateOfDenied = { account: denied, region: late, from: withLate };
  const ofDeniedNow = () => [...oldRegions, lateOfDenied].map((one) => ({ ...one, to: Date.parse(now) }));
  expect(gaps(report)).toEqual(planted(ofDeniedNow()));
  expect(lost(report)).toEqual([]);

  // Three days without a run.
  await lab.simulator.advance(3 * day);
  report = await lab.status();
  now = report.now;
  const wasDenied = ({ account }: { account: string }) => account === denied;
  const others = everybody().filter((one) => !wasDenied(one));
  const silent = others.map((one) => ({ ...one, from: withLate, to: Date.parse(now) }));
  expect(Date.parse(now) - memory.copy_job_summaries).toBe(good);
  expect(gaps(report)).toEqual(planted([...silent, ...ofDeniedNow()]));
  // The counts of the first failed night reach the end of AWS's memory in this very moment.
  expect([lost(report), report.hours_to_loss, report.exit_code, report.verdict]).toEqual([
    [],
    0,
    75,
    'at_risk',
  ]);
  expect(causes(report)).toEqual(['ASSUME_ROLE_FAILED 6', 'NO_RUN 18']);

  // A run dies before it writes its results.
  const beforeDeath = await night();
  await lab.simulator.advance(day - 3 * hour);
  await dyingRun(lab, { regions: regions.join(',') });
  await lab.simulator.advance(3 * hour);
  report = await lab.status();
  now = report.now;
  expect(report.unfinished_runs).toHaveLength(1);
  expect(report.unfinished_runs[0]).toMatchObject({ may_be_running: false });
  expect(gaps(report).filter((one) => !one.includes(denied))).toEqual(
    planted(others.map((one) => ({ ...one, from: beforeDeath, to: Date.parse(now) }))),
  );
  const afterDeath = await night();
  report = await lab.status();
  expect(report.unfinished_runs).toEqual([]);
  expect(gaps(report).filter((one) => !one.includes(denied))).toEqual([]);

  // The second role comes back after 33 days: three days of its jobs are lost, and more of its counts.
  await lab.simulator.advance(good + 33 * day - lab.simulator.now() - hour);
  lab.simulator.clearFaults();
  await lab.simulator.advance(hour);
  const back = Date.parse((await lab.run({ regions: regions.join(',') })).as_of);
  report = await lab.status();
  const lostOfDenied = oldRegions.map((one) => ({ ...one, to: (table: Table) => back - memory[table] }));
  const lateCounts =
    withLate < back - memory.copy_job_summaries
      ? [{ ...lateOfDenied, to: back - memory.copy_job_summaries, tables: ['copy_job_summaries'] as const }]
      : [];
  const othersCounts =
    afterDeath < back - memory.copy_job_summaries
      ? others.map((one) => ({
          ...one,
          from: afterDeath,
          to: back - memory.copy_job_summaries,
          tables: ['copy_job_summaries'] as const,
        }))
      : [];
  const lostSoFar = planted([...lostOfDenied, ...lateCounts, ...othersCounts]);
  expect([gaps(report), lost(report)]).toEqual([[], lostSoFar]);

  // A person has seen it.
  report = await lab.status({ acknowledge: 'true' });
  expect([report.exit_code, lost(report)]).toEqual([0, lostSoFar]);
  report = await lab.status();
  expect([report.exit_code, report.verdict, report.last_acknowledged?.by]).toEqual([
    0,
    'proven',
    'auditor@desk',
  ]);

  // Forty days without a run: while it lasts, and after the run that ends it.
  await lab.simulator.advance(40 * day);
  report = await lab.status();
  now = report.now;
  const since = (table: Table) => Date.parse(now) - memory[table];
  const all = everybody();
  const lostByNow = (end: (table: Table) => number) =>
    [...lostSoFar, ...planted(all.map((one) => ({ ...one, from: back, to: end })))].sort();
  expect(lost(report)).toEqual(lostByNow(since));
  expect(gaps(report)).toEqual(
    tables
      .flatMap((table) =>
        planted(all.map((one) => ({ ...one, from: since(table), to: Date.parse(now), tables: [table] }))),
      )
      .sort(),
  );
  expect([report.exit_code, causes(report)]).toEqual([66, ['NO_RUN 24']]);
  expect(new Set(report.lost.filter(({ is_new }) => is_new).map(({ noticed_at }) => noticed_at))).toEqual(
    new Set([null]),
  );
  const again = await lab.run({ regions: regions.join(',') });
  const read = Date.parse(again.as_of);
  expect(again.exit_code).toBe(66);
  await night();
  report = await lab.status();
  expect([gaps(report), lost(report)]).toEqual([[], lostByNow((table) => read - memory[table])]);
  expect(report.exit_code).toBe(66);
  expect((await lab.status({ 'lost-since': '1h' })).exit_code).toBe(0);
  expect((await lab.status({ 'lost-since': '30d' })).exit_code).toBe(66);
  // How the copies ended that were open before the forty days, no run can read any more.
  const endsUnknown = await openAndDeleted(lab, Date.parse(report.now) - memory.copy_jobs);
  expect(endsUnknown).toBeGreaterThan(0);
  expect(report.totals.ends_unknown).toBe(endsUnknown);
  report = await lab.status({ acknowledge: 'true' });
  expect([report.verdict, report.totals.ends_unknown]).toEqual(['proven', endsUnknown]);
  report = await lab.status({ 'as-of': new Date(back).toISOString() });
  expect(report.checkpoints?.newest.as_of).toBe(new Date(back).toISOString());
}, 600_000);

/** How many copy jobs of the lake have not ended, of those that AWS had deleted by then. */
async function openAndDeleted({ table }: Lab, rememberedFrom: number): Promise<number> {
  const jobs = await table('copy_jobs');
  return jobs.filter(
    ({ is_terminal: ended, creation_time: created }) => ended !== true && Number(created) < rememberedFrom,
  ).length;
}

/** A run that has published and is killed before it closes its ledger: only its begin record is left of it. */
async function dyingRun({ lake, run }: Lab, flags: Flags): Promise<void> {
  const watermarks = join(lake, '_ledger', 'watermarks');
  const names = await readdir(watermarks);
  const kept = await Promise.all(
    names.map(async (name) => [name, await readFile(join(watermarks, name))] as const),
  );
  const { run_id: id, as_of: asOf } = await run(flags);
  for (const [name, bytes] of kept) await writeFile(join(watermarks, name), bytes);
  await rm(join(lake, '_ledger', 'runs', asOf.slice(0, 10), `${id}.json`));
  await rm(join(lake, 'export_coverage', `run_date=${asOf.slice(0, 10)}`, `${id}.parquet`));
}

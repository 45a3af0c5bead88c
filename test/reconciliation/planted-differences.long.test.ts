/** What goes wrong without an error shows as a difference between AWS's own counts and the lake. */
import { cp, readFile, rename, rm } from 'node:fs/promises';
import { join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';
import { readTable } from '../support/lake-reader.ts';

const day = 24 * 3_600_000;

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ accounts: 3, regions: 2, jobsPerDay: 15, days: 9, seed: 4 });
  await lab.run();
  await lab.simulator.advance(day);
  await lab.run();
  await lab.simulator.advance(day);
}, 120_000);
afterAll(() => lab.close());

let lakes = 0;
/** The lake as two good nights have left it, to damage. */
async function copied(): Promise<string> {
  lakes += 1;
  const lake = join(lab.folder, `copy-${lakes}`);
  await cp(lab.lake, lake, { recursive: true });
  return lake;
}

/** A complete day that the next run does not read again, with jobs of this account and region. */
async function oldDay(lake: string, account: string, region: string): Promise<string> {
  const marks = JSON.parse(await readFile(join(lake, '_ledger/watermarks/00000.json'), 'utf8'));
  const { open_days: open } = marks.targets[`copy_jobs/${account}/${region}`];
  const days = (await readTable(lake, 'copy_jobs'))
    .filter((row) => row.account_id === account && row.region === region)
    .map((row) => String(row.creation_date))
    .filter((one) => one < '2026-11-19' && open.every((other: string) => one < other))
    .sort();
  const [found] = days.slice(days.length >> 1);
  if (found === undefined) throw new Error('the next run reads every day again');
  return found;
}

/** Rewrites the part of a day. `sql`: its rows, from the table `part`. */
async function rewritten(lake: string, on: string, sql: string): Promise<void> {
  const part = join(lake, `copy_jobs/creation_date=${on}/part-00000.parquet`);
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(
    `CREATE TABLE part AS SELECT * FROM read_parquet('${part}', hive_partitioning = false)`,
  );
  await connection.run(`COPY (${sql}) TO '${part}.new' (FORMAT parquet)`);
  instance.closeSync();
  await rm(part);
  await rename(`${part}.new`, part);
}

const kinds = async (lake: string, runId: string) =>
  (await readTable(lake, 'export_reconciliation')).filter(
    (row) => row.run_id === runId && row.scope === 'kind',
  );

describe('AWS’s own counts show', () => {
  it('no difference where there is none', async () => {
    const { reconciliation, exit_code } = await lab.run({
      lake: await copied(),
      'fail-on-mismatch': '0%',
    });
    expect(reconciliation).toMatchObject({ differing: 0, missing_jobs: 0, surplus_jobs: 0, difference: 0 });
    expect(reconciliation?.aws_jobs).toBeGreaterThan(500);
    expect(exit_code).toBe(0);
  });

  it.each(['duckdb', 'parquetjs-lite'])(
    'rows that were removed from a part behind our back, and make the run fail if that is asked for (%s)',
    async (engine) => {
      const lake = await copied();
      const [account, region] = [lab.member(0), lab.region(0)];
      const on = await oldDay(lake, account, region);
      await rewritten(
        lake,
        on,
        `SELECT * FROM part WHERE copy_job_id NOT IN (SELECT copy_job_id FROM part
         WHERE account_id = '${account}' AND region = '${region}' ORDER BY copy_job_id LIMIT 2)`,
      );
      const allowed = await lab.run({ lake, engine, 'fail-on-mismatch': '2%' });
      expect(allowed).toMatchObject({
        exit_code: 0,
        reconciliation: { differing: 1, missing_jobs: 2, surplus_jobs: 0 },
      });
      const found = await kinds(lake, allowed.run_id);
      expect(found.reduce((sum, { missing_jobs: missing }) => sum + Number(missing), 0)).toBe(2);
      for (const row of found)
        expect(row).toMatchObject({ account_id: account, region, creation_date: on, surplus_jobs: 0 });
      // The next run reads that day again, and the rows are back.
      const next = await lab.run({ lake, engine, 'fail-on-mismatch': '0%' });
      expect(next).toMatchObject({ exit_code: 0, reconciliation: { differing: 0 } });
      expect(next.tables.copy_jobs).toMatchObject({ added: 2 });
    },
  );

  it('a doubled row', async () => {
    const lake = await copied();
    const [account, region] = [lab.member(1), lab.region(1)];
    const on = await oldDay(lake, account, region);
    await rewritten(
      lake,
      on,
      `SELECT * FROM part UNION ALL (SELECT * FROM part
       WHERE account_id = '${account}' AND region = '${region}' ORDER BY copy_job_id LIMIT 1)`,
    );
    const run = await lab.run({ lake });
    expect(run.reconciliation).toMatchObject({ differing: 1, missing_jobs: 0, surplus_jobs: 1 });
    expect(await kinds(lake, run.run_id)).toMatchObject([
      { account_id: account, region, creation_date: on, missing_jobs: 0, surplus_jobs: 1 },
    ]);
  });

  it('a part that was removed', async () => {
    const lake = await copied();
    const on = await oldDay(lake, lab.member(0), lab.region(0));
    const rows = (await readTable(lake, 'copy_jobs')).filter((row) => row.creation_date === on);
    await rm(join(lake, `copy_jobs/creation_date=${on}`), { recursive: true });
    const { reconciliation } = await lab.run({ lake });
    expect(reconciliation?.missing_jobs).toBeGreaterThan(0);
    expect(reconciliation?.missing_jobs).toBeLessThanOrEqual(rows.length);
    expect(reconciliation?.surplus_jobs).toBe(0);
  });

  it('a drain that was cut short without an error', async () => {
    const lake = join(lab.folder, 'cut-short');
    const [account, region] = [lab.member(0), lab.region(1)];
    lab.simulator.addFaults([{ kind: 'cut-short', api: 'ListCopyJobs', account, region }]);
    const run = await lab.run({ lake, 'fail-on-mismatch': '2%' });
    lab.simulator.clearFaults();
    expect(run.coverage).toEqual({ OK: run.targets * 2 });
    expect(run.exit_code).toBe(76);
    expect(run.reconciliation?.missing_jobs).toBeGreaterThan(20);
    expect(run.reconciliation?.surplus_jobs).toBe(0);
    for (const row of await kinds(lake, run.run_id))
      expect(row).toMatchObject({ account_id: account, region });
  });

  it('a region that was served empty by mistake', async () => {
    const lake = join(lab.folder, 'served-empty');
    const region = lab.region(1);
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobs', region }]);
    const run = await lab.run({ lake });
    lab.simulator.clearFaults();
    expect(run.exit_code).toBe(0);
    const counted = (await readTable(lake, 'export_reconciliation')).filter((row) => row.scope === 'day');
    const there = counted.filter((row) => row.region === region);
    expect(there.length).toBeGreaterThan(10);
    for (const row of there) expect(row).toMatchObject({ lake_count: 0, missing_jobs: row.aws_count });
    for (const row of counted) if (row.region !== region) expect(row.missing_jobs).toBe(0);
  });
});

describe('nothing is compared', () => {
  it('where counts are not read', async () => {
    const lake = await copied();
    expect((await lab.run({ lake, tables: 'copy_jobs' })).reconciliation).toBeNull();
    expect((await lab.run({ lake, 'aggregation-periods': 'SEVEN_DAYS' })).reconciliation).toBeNull();
  });

  it('where AWS served no counts at all', async () => {
    const lake = join(lab.folder, 'no-counts');
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobSummaries' }]);
    const run = await lab.run({ lake });
    lab.simulator.clearFaults();
    expect(run).toMatchObject({ exit_code: 0, reconciliation: { compared: 0, differing: 0, difference: 0 } });
    const [manifest] = await lab.tableOf(lake, 'export_coverage');
    expect(manifest).toBeDefined();
    expect(await readTable(lake, 'export_reconciliation')).toEqual([]);
  });

  it('of an account that denied its counts', async () => {
    const lake = await copied();
    const account = lab.member(0);
    lab.simulator.addFaults([{ kind: 'deny', api: 'ListCopyJobSummaries', account }]);
    const run = await lab.run({ lake });
    lab.simulator.clearFaults();
    expect(run.reconciliation).toMatchObject({ differing: 0 });
    const rows = (await readTable(lake, 'export_reconciliation')).filter((row) => row.run_id === run.run_id);
    expect(rows.length).toBeGreaterThan(10);
    expect(rows.filter((row) => row.account_id === account)).toEqual([]);
  });
});

it('an unreadable part costs its own day, and the run ends', async () => {
  const lake = await copied();
  const on = await oldDay(lake, lab.member(0), lab.region(0));
  await rewritten(lake, on, 'SELECT * FROM part');
  await cp(join(lake, '_ledger/lake.json'), join(lake, `copy_jobs/creation_date=${on}/part-00000.parquet`));
  const run = await lab.run({ lake });
  expect(run.reconciliation).toMatchObject({ differing: 0, unreadable_days: [on] });
  expect(run.ledger_error).toBeNull();
});

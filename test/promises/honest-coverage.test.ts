import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';
import { type LakeRow, readTable } from '../support/lake-reader.ts';

let lab: Lab;
afterEach(() => lab.close());

const coverageOf = async (runId: string): Promise<LakeRow[]> =>
  (await readTable(lab.lake, 'export_coverage')).filter((row) => row.run_id === runId);

const statuses = (rows: readonly LakeRow[], of: (row: LakeRow) => boolean) => [
  ...new Set(rows.filter(of).map((row) => row.status)),
];

/** Whose own credentials the runs have. */
function caller(lab: Lab): string {
  return lab.simulator.organization.active[0]?.id ?? '';
}

describe('the coverage', () => {
  it('says who failed and why, for exactly every planned table and target; and the next good run heals all', async () => {
    lab = await openLab({ accounts: 8, regions: 3 });
    const [denied, alsoDenied, hung] = [lab.member(0), lab.member(1), lab.member(2)];
    const off = lab.region(2);
    lab.simulator.addFaults([
      { kind: 'deny', api: 'AssumeRole', account: denied },
      { kind: 'deny', api: 'ListCopyJobs', account: alsoDenied },
      { kind: 'hang', api: 'ListCopyJobs', account: hung, region: lab.region(0) },
      { kind: 'disable-region', region: off },
    ]);
    const run = await lab.run({ 'target-timeout': '3s' });
    expect(run.exit_code).toBe(75);
    const rows = await coverageOf(run.run_id);
    expect(rows.length).toBe(8 * 3 * 2);
    expect(new Set(rows.map((row) => `${row.table_name}/${row.account_id}/${row.region}`)).size).toBe(
      8 * 3 * 2,
    );
    expect(statuses(rows, (row) => row.account_id === denied)).toEqual(['ASSUME_ROLE_FAILED']);
    expect(
      statuses(
        rows,
        (row) => row.account_id === alsoDenied && row.table_name === 'copy_jobs' && row.region !== off,
      ),
    ).toEqual(['ACCESS_DENIED']);
    expect(
      statuses(
        rows,
        (row) => row.account_id === hung && row.table_name === 'copy_jobs' && row.region === lab.region(0),
      ),
    ).toEqual(['TIMED_OUT']);
    expect(
      statuses(
        rows,
        (row) => row.region === off && ![denied, alsoDenied, caller(lab)].includes(String(row.account_id)),
      ),
    ).toEqual(['REGION_DISABLED']);
    expect(statuses(rows, (row) => row.region === off && row.account_id === caller(lab))).toEqual([
      'UNREACHABLE',
    ]);
    const others = (row: LakeRow) =>
      ![denied, alsoDenied, hung].includes(String(row.account_id)) && row.region !== off;
    expect(rows.filter(others).length).toBeGreaterThan(10);
    expect(statuses(rows, others).every((status) => status === 'OK' || status === 'OK_EMPTY')).toBe(true);
    expect(run.failures.length).toBeGreaterThan(3);
    expect(run.failures.every(({ advice, error }) => advice !== '' && error !== '')).toBe(true);

    lab.simulator.clearFaults();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  });

  it('says OK_EMPTY only where a drain ended well', async () => {
    lab = await openLab({ jobsPerDay: 0 });
    const denied = lab.member(0);
    lab.simulator.addFaults([{ kind: 'deny', account: denied, api: 'ListCopyJobs' }]);
    const run = await lab.run();
    const rows = await coverageOf(run.run_id);
    expect(statuses(rows, (row) => row.account_id === denied && row.table_name === 'copy_jobs')).toEqual([
      'ACCESS_DENIED',
    ]);
    expect(statuses(rows, (row) => row.account_id !== denied)).toEqual(['OK_EMPTY']);
    expect(run.exit_code).toBe(77);
  });

  it('says that no target could be read (69) when none could', async () => {
    lab = await openLab();
    lab.simulator.addFaults([
      { kind: 'deny', api: 'ListCopyJobs' },
      { kind: 'deny', api: 'ListCopyJobSummaries' },
    ]);
    expect((await lab.run()).exit_code).toBe(69);
  });

  it('counts a disabled region as a failure only where it was asked for by name', async () => {
    lab = await openLab();
    lab.simulator.addFaults([{ kind: 'disable-region', region: lab.region(1) }]);
    const members = { 'exclude-accounts': caller(lab) };
    expect((await lab.run(members)).exit_code).toBe(0);
    expect((await lab.run({ ...members, regions: lab.regions.join(',') })).exit_code).toBe(77);
  });

  it('never passes over a region that refuses the account for which AWS lists it as enabled', async () => {
    lab = await openLab();
    const region = lab.regions.find((one) => one !== lab.simulator.env.AWS_REGION) ?? '';
    lab.simulator.addFaults([{ kind: 'disable-region', region }]);
    for (const _night of [1, 2]) {
      const { exit_code: exitCode, failures } = await lab.run({ accounts: 'self' });
      expect(exitCode).toBe(75);
      expect(failures.map((one) => `${one.region} ${one.status}`)).toEqual([
        `${region} UNREACHABLE`,
        `${region} UNREACHABLE`,
      ]);
      expect(failures[0]?.error).toMatch(
        /^ListedRegionRefuses: AWS lists the region as enabled in this account/,
      );
      expect(failures[0]?.needs_person).toBe(false);
    }
  });

  it('knows a run that died: it has a begin record, no manifest and no coverage', async () => {
    lab = await openLab({ latencyMs: 50 });
    const run = lab.start();
    await lab.until(async () => (await lab.ledger('runs')).some((name) => name.endsWith('.begin.json')));
    run.child.kill('SIGKILL');
    expect((await run.ended).signal).toBe('SIGKILL');
    const files = await lab.ledger('runs');
    expect(files.filter((name) => name.endsWith('.begin.json')).length).toBe(1);
    expect(files.filter((name) => name.endsWith('.json') && !name.endsWith('.begin.json'))).toEqual([]);
    expect(await readTable(lab.lake, 'export_coverage')).toEqual([]);
    const healed = await lab.run();
    expect(healed.exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
    expect(
      await readdir(join(lab.folder, 'scratch')).then((names) =>
        names.filter((name) => !name.startsWith('.')),
      ),
    ).toEqual([]);
  });
});

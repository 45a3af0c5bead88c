/** Copy jobs that AWS deleted before a run read how they ended. */
import { afterAll, beforeAll, expect, it } from 'vitest';
import { renderStatusPage } from '../../src/status/status-page.ts';
import type { StatusReport } from '../../src/status/status-report.ts';
import { renderStatus } from '../../src/status/status-text.ts';
import { type Lab, openLab } from '../support/lab.ts';

const day = 86_400_000;

let lab: Lab;
let firstAsOf: string;
beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1, jobsPerDay: 12, listInDestination: true });
  firstAsOf = (await lab.run()).as_of;
}, 60_000);
afterAll(() => lab.close());

/** Of the jobs in the lake that have not ended: how many AWS has deleted by then, by account, and when each was created. */
async function deletedOpenJobs(
  now: string,
): Promise<{ readonly accounts: string[]; readonly times: number[] }> {
  const jobs = (await lab.table('copy_jobs')).filter(
    ({ is_terminal: ended, creation_time: created }) =>
      ended !== true && Number(created) < Date.parse(now) - 30 * day,
  );
  return {
    accounts: jobs.map(({ account_id: account }) => String(account)).sort(),
    times: jobs.map(({ creation_time: created }) => Number(created)).sort((a, b) => a - b),
  };
}

const accountsOf = ({ drains }: StatusReport) =>
  drains
    .flatMap(({ account_id: account, ends_unknown: jobs }) => Array<string>(jobs ?? 0).fill(account))
    .sort();

it('counts them apart from those that AWS still keeps, says so, and stays with its exit code', async () => {
  const before = await lab.status();
  expect(before.totals.ends_unknown).toBe(0);
  expect(before.totals.open_jobs).toBeGreaterThan(0);
  expect(before.ends_unknown.oldest).toBeNull();
  for (const shown of [renderStatus(before, 400), renderStatusPage(before)]) {
    expect(shown).not.toContain('AWS has deleted');
  }

  await lab.simulator.advance(40 * day);
  const whileAway = await lab.status();
  const deleted = await deletedOpenJobs(whileAway.now);
  expect(deleted.times.length).toBe(before.totals.open_jobs);
  expect(accountsOf(whileAway)).toEqual(deleted.accounts);
  expect(whileAway.totals.open_jobs).toBe(0);

  expect([whileAway.exit_code, whileAway.verdict]).toEqual([66, 'lost']);
  const acknowledged = await lab.status({ acknowledge: 'true' });
  expect([acknowledged.totals.new_losses, acknowledged.exit_code]).toEqual([0, 75]);
  const [oldest = 0] = deleted.times;
  for (const report of [whileAway, acknowledged]) {
    expect(report.totals.ends_unknown).toBe(deleted.times.length);
    expect(accountsOf(report)).toEqual(deleted.accounts);
    expect(report.ends_unknown.oldest).toBe(new Date(oldest).toISOString());
    expect(
      report.drains.filter(({ ends_unknown }) => ends_unknown === null).map(({ table }) => table),
    ).toEqual(report.drains.filter(({ table }) => table !== 'copy_jobs').map(({ table }) => table));
    for (const shown of [renderStatus(report, 400), renderStatusPage(report)]) {
      expect(shown).toContain(
        `${deleted.times.length} copy jobs had not ended when a run last read them, and AWS has deleted them since: how they ended is not known. The oldest was created at ${new Date(oldest).toISOString().slice(0, 16).replace('T', ' ')}.`,
      );
    }
  }
  // Nobody asks about accounts that are left out.
  const [account = ''] = deleted.accounts;
  const without = await lab.status({ 'exclude-accounts': account });
  expect(accountsOf(without)).toEqual(deleted.accounts.filter((one) => one !== account));
}, 60_000);

it('for a report of the past, counts what AWS had deleted by then', async () => {
  const then = await lab.status({ 'as-of': firstAsOf });
  expect(then.totals.ends_unknown).toBe(0);
  expect(then.totals.open_jobs).toBeGreaterThan(0);
  expect(then.checkpoints?.newest).toMatchObject({ number: 1, as_of: firstAsOf });
});

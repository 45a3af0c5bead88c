import { readdir, stat } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it, vi } from 'vitest';
import { UnavailableError } from '../../src/shared/errors.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('asks one account and region no more often than --requests-per-second says', async () => {
  lab = await openLab({ accounts: 1, regions: 1, jobsPerDay: 400, days: 25 });
  const run = await lab.run({ 'requests-per-second': '2', accounts: 'self' });
  expect(run.exit_code).toBe(0);
  const asked = lab.simulator.requests().recent.filter(({ api }) => api.startsWith('ListCopyJob')).length;
  expect(asked).toBeGreaterThan(8);
  expect(run.phases_ms.drain).toBeGreaterThan(((asked - 2) / 2 - 1) * 1000);
});

it('keeps within --scratch-limit by publishing in batches, and still ends at the truth', async () => {
  lab = await openLab({ accounts: 8, regions: 4, jobsPerDay: 60, days: 6 });
  const limit = 6_000_000;
  let most = 0;
  const watch = setInterval(() => {
    void sizeOf(join(lab.folder, 'scratch')).then((bytes) => {
      most = Math.max(most, bytes);
    });
  }, 20);
  try {
    const run = await lab.run({ 'scratch-limit': '6MB' });
    expect(run.exit_code).toBe(0);
    expect(run.tables.copy_jobs?.parts_written).toBeGreaterThan(7 * 2);
  } finally {
    clearInterval(watch);
  }
  expect(most).toBeGreaterThan(limit / 10);
  expect(most).toBeLessThan(limit);
  expect(await lab.differences()).toEqual([]);
}, 180_000);

it('publishes in batches when the time for it has come, beside what is still being read', async () => {
  lab = await openLab({ accounts: 5, regions: 2, days: 4 });
  // One account is kept waiting until a part of the others is in the lake.
  lab.simulator.addFaults([
    { kind: 'throttle', api: 'ListCopyJobs', account: lab.member(0), count: 1_000_000 },
  ]);
  const running = lab.run({ 'publish-every': '100ms', since: 'all' });
  const hasPart = async () =>
    (await readdir(join(lab.lake, 'copy_jobs'), { recursive: true }).catch(() => [])).some((name) =>
      name.endsWith('.parquet'),
    );
  await vi.waitUntil(hasPart, { timeout: 100_000, interval: 20 });
  lab.simulator.clearFaults();
  const run = await running;
  expect(run.exit_code).toBe(0);
  const days = new Set((await lab.table('copy_jobs')).map((row) => row.creation_date)).size;
  expect(run.tables.copy_jobs?.parts_written).toBeGreaterThan(days);
  expect(await lab.differences()).toEqual([]);
});

it('reads within two nights all that answers, though a region hangs, other accounts each night, and the deadline is too short for all', async () => {
  lab = await openLab({ accounts: 12, regions: 2, days: 2, jobsPerDay: 2 }, 'some may not');
  const [hung, healthy] = lab.regions.toSorted();
  const ids = lab.simulator.organization.active.map(({ id }) => id).toSorted();
  // The plan goes through all accounts twice, each time with the two regions in turn; it begins with the hung one.
  const [second, first] = [0, 1].map((half) => ids.filter((_, place) => place % 2 === half));
  // What hangs fills the night, on any machine: of 36 drains that take 4 s, at most 16 end in its 16 s of reading.
  const night = { concurrency: '4', 'target-timeout': '4s', deadline: '20s', 'publish-every': '2s' };
  const unread = new Set(
    ids.flatMap((id) => ['copy_jobs', 'copy_job_summaries'].map((table) => `${table}/${id}`)),
  );
  expect(unread.size).toBe(12 * 2);
  for (const silent of [second, first]) {
    lab.simulator.clearFaults();
    lab.simulator.addFaults([
      { kind: 'hang', region: String(hung) },
      ...(silent ?? []).map((account) => ({ kind: 'hang', region: String(healthy), account }) as const),
    ]);
    const run = await lab.run(night);
    expect(run.exit_code).toBe(75);
    expect(run.coverage.SKIPPED).toBeGreaterThan(0);
    const rows = (await lab.table('export_coverage')).filter((row) => row.run_id === run.run_id);
    expect(new Set(rows.map((row) => `${row.table_name}/${row.account_id}/${row.region}`)).size).toBe(
      12 * 2 * 2,
    );
    expect(rows.length).toBe(12 * 2 * 2);
    for (const row of rows) {
      if (row.status === 'OK' || row.status === 'OK_EMPTY')
        unread.delete(`${row.table_name}/${row.account_id}`);
    }
    await lab.simulator.advance(86_400_000);
  }
  expect([...unread]).toEqual([]);
}, 180_000);

it.each([
  ['GetCallerIdentity', 'AWS STS did not say who the caller is'],
  ['ListAccounts', 'The accounts of the organization could not be listed'],
  ['ListRegions', 'The regions enabled in the account could not be listed'],
])('ends by --deadline (75) while %s hangs, and says what was being asked', async (api, what) => {
  lab = await openLab();
  lab.simulator.addFaults([{ kind: 'hang', api }]);
  // Long enough for a slow machine to open a new lake; the hanging request is cut off by nothing else.
  const ends = [lab.run, lab.plan].map((run) => run({ deadline: '10s' }).catch((reason: unknown) => reason));
  for (const error of await Promise.all(ends)) {
    expect(error).toBeInstanceOf(UnavailableError);
    expect(error).toMatchObject({
      exitCode: 75,
      message: expect.stringContaining(`${what}: the deadline of the run was reached`),
    });
  }
});

async function sizeOf(folder: string): Promise<number> {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true }).catch(() => []);
  const sizes = entries.map((entry) =>
    entry.isFile()
      ? stat(join(entry.parentPath, entry.name)).then(
          ({ size }) => size,
          () => 0,
        )
      : 0,
  );
  return (await Promise.all(sizes)).reduce((sum, size) => sum + size, 0);
}

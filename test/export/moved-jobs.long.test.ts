/** A job whose creation date AWS gives otherwise than before: one row, in the day where it was first seen. */
import { rm } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { killedBefore } from '../support/killed-before.ts';
import { type Lab, openLab } from '../support/lab.ts';

vi.setConfig({ testTimeout: 180_000 });

let lab: Lab;
afterEach(() => lab.close());

const dayMs = 86_400_000;
const moved = (days: number) =>
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms: days * dayMs }]);

async function creationDates(): Promise<ReadonlyMap<string, string>> {
  const rows = await lab.table('copy_jobs');
  const found = new Map(rows.map((row) => [String(row.copy_job_id), String(row.creation_date)]));
  expect(found.size).toBeGreaterThan(0);
  expect(found.size).toBe(rows.length);
  return found;
}

describe.each(['duckdb', 'parquetjs-lite'])('engine %s', (engine) => {
  it.each([-1, -20])('moved by %d days, jobs stay one row each, in their first day', async (days) => {
    lab = await openLab({ accounts: 3, regions: 1, days: 8 });
    await lab.run();
    const before = await creationDates();
    moved(days);
    const run = await lab.run({ since: 'all', engine });
    expect(run.exit_code).toBe(0);
    expect(run.moved_jobs).toBe(before.size);
    expect(await creationDates()).toEqual(before);
    await lab.simulator.advance(dayMs);
    await lab.run({ since: 'all', engine });
    const after = await creationDates();
    for (const [id, day] of before) expect(after.get(id)).toBe(day);
    expect(after.size).toBeGreaterThan(before.size);

    // When AWS gives the first date again, nothing is left of it all.
    lab.simulator.clearFaults();
    await lab.run({ since: 'all', engine });
    const told = await creationDates();
    for (const [id, day] of before) expect(told.get(id)).toBe(day);
  });
});

it('a lake from before there was a record of creation dates gets one from its parts; a lost one comes back', async () => {
  lab = await openLab({ accounts: 3, regions: 1, days: 8 });
  await lab.run({ buckets: '2' });
  const before = await creationDates();
  for (const engine of ['duckdb', 'parquetjs-lite']) {
    await rm(join(lab.lake, '_ledger/creation-dates'), { recursive: true });
    lab.simulator.clearFaults();
    moved(-3);
    await lab.run({ since: 'all', engine });
    expect(await creationDates()).toEqual(before);
  }
});

it.each([
  ['before its creation dates are recorded', /\/_ledger\/creation-dates\//, 1],
  ['before its first part', /\/copy_jobs\//, 1],
  ['between two parts', /\/copy_jobs\//, 3],
])('killed %s, a run leaves nothing that makes a job two rows', async (_, path, nth) => {
  lab = await openLab({ accounts: 3, regions: 1, days: 8 });
  const killed = await lab.start({}, killedBefore(path, nth)).ended;
  expect(killed.signal).toBe('SIGKILL');
  moved(-2);
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  const before = await creationDates();
  lab.simulator.clearFaults();
  moved(-5);
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  expect(await creationDates()).toEqual(before);
});

it('two runs at once that see different dates leave one row a job', async () => {
  lab = await openLab({ accounts: 4, regions: 2, days: 8 });
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms: -dayMs, probability: 0.5 }]);
  await Promise.all([lab.start({ since: 'all' }).ended, lab.start({ since: 'all' }).ended]);
  const before = await creationDates();
  await Promise.all([lab.start({ since: 'all' }).ended, lab.start({ since: 'all' }).ended]);
  const after = await creationDates();
  for (const [id, day] of before) expect(after.get(id)).toBe(day);
  lab.simulator.clearFaults();
  expect((await lab.run({ since: 'all' })).exit_code).toBe(0);
  await creationDates();
});

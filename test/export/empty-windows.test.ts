import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(() => lab.close());

const marks = async (): Promise<Record<string, { covered_to: string; full_at: string }>> =>
  JSON.parse(await readFile(join(lab.lake, '_ledger/watermarks/00000.json'), 'utf8')).targets;

describe('a window in which nothing is left to read', () => {
  const until = { until: '2026-11-16' };

  it('is SKIPPED and asks AWS nothing: it never looks like an empty account, nor moves a watermark', async () => {
    await lab.run();
    const before = await marks();
    const asked = () => lab.simulator.requests().recent.filter(({ api }) => api === 'ListCopyJobs').length;
    const askedBefore = asked();
    const run = await lab.run(until);
    expect(asked()).toBe(askedBefore);
    const rows = await lab.table('export_coverage');
    const jobs = rows.filter((row) => row.run_id === run.run_id && row.table_name === 'copy_jobs');
    expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['SKIPPED']));
    expect(new Set(jobs.map((row) => row.error_name))).toEqual(new Set(['EmptyWindow']));
    expect(jobs[0]?.error_message).toMatch(/AWS was not asked/);
    expect(run.failures[0]?.advice).toMatch(/--until/);
    expect(run.exit_code).toBe(0);
    const jobsOnly = (all: object) => Object.entries(all).filter(([name]) => name.startsWith('copy_jobs/'));
    expect(jobsOnly(await marks())).toEqual(jobsOnly(before));
  });

  it('is what `plan` says too', async () => {
    await lab.run();
    const { plan } = await lab.plan(until);
    const jobs = plan.filter(({ table }) => table === 'copy_jobs');
    expect(new Set(jobs.map(({ status }) => status))).toEqual(new Set(['SKIPPED']));
    expect(jobs[0]?.error).toMatch(/EmptyWindow/);
  });

  it('for every target is refused before anything is drained', async () => {
    await lab.run();
    const refused = lab.run({ ...until, tables: 'copy_jobs' });
    await expect(refused).rejects.toMatchObject({ exitCode: 64, message: expect.stringMatching(/until/) });
    expect((await lab.ledger('runs')).filter((name) => name.endsWith('.begin.json'))).toHaveLength(1);
  });

  it('does not fail a run for the targets that were read, and one that was not is read', async () => {
    await lab.run({ 'exclude-accounts': lab.member(0) });
    const run = await lab.run(until);
    expect(run.exit_code).toBe(0);
    const rows = await lab.table('export_coverage');
    const jobs = rows.filter((row) => row.run_id === run.run_id && row.table_name === 'copy_jobs');
    expect(jobs).toHaveLength(3 * 2);
    for (const row of jobs) {
      expect(row.status === 'SKIPPED').toBe(row.account_id !== lab.member(0));
    }
  });
});

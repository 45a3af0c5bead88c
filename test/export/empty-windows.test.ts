import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
beforeEach(async () => {
  lab = await openLab();
});
afterEach(() => lab.close());

const day = 86_400_000;

/** Changes every watermark of the lake by hand. */
async function edit(change: (mark: Record<string, unknown>) => void): Promise<void> {
  const file = join(lab.lake, '_ledger/watermarks/00000.json');
  const marks = JSON.parse(await readFile(file, 'utf8'));
  for (const mark of Object.values<Record<string, unknown>>(marks.targets)) change(mark);
  await writeFile(file, JSON.stringify(marks));
}

const marks = async (): Promise<Record<string, { covered_to: string; full_at: string }>> =>
  JSON.parse(await readFile(join(lab.lake, '_ledger/watermarks/00000.json'), 'utf8')).targets;

const iso = (epochMs: number) => new Date(epochMs).toISOString();

describe('a watermark that cannot be true', () => {
  it.each<[string, (now: number, mark: Record<string, unknown>) => void]>([
    [
      'covers what has not come yet',
      (now, mark) => {
        mark.covered_to = iso(now + 40 * day);
        mark.full_at = iso(now + 40 * day);
      },
    ],
    ['was full at a time that has not come yet', (now, mark) => (mark.full_at = iso(now + 3 * day))],
    [
      'has jobs open on a day that has not come yet',
      (now, mark) => (mark.open_days = [iso(now + 9 * day).slice(0, 10)]),
    ],
    ['begins after it ends', (now, mark) => (mark.covered_from = iso(now + day))],
  ])('because it %s is ignored, and the next run writes down what is true', async (_, damage) => {
    await lab.run();
    await edit((mark) => damage(lab.simulator.now(), mark));
    await lab.simulator.advance(2 * day);
    const run = await lab.run();
    expect(run.exit_code).toBe(0);
    expect(run.coverage.SKIPPED).toBeUndefined();
    expect(await lab.differencesFromNow()).toEqual([]);
    for (const { covered_to: coveredTo, full_at: fullAt } of Object.values(await marks())) {
      expect(Date.parse(coveredTo)).toBe(lab.simulator.now());
      expect(Date.parse(fullAt)).toBe(lab.simulator.now());
    }
    await lab.simulator.advance(day);
    await lab.run();
    expect(await lab.differencesFromNow()).toEqual([]);
  });
});

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
    for (const row of jobs) {
      expect(row.status === 'SKIPPED').toBe(row.account_id !== lab.member(0));
    }
  });
});

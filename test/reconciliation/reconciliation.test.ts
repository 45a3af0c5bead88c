import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

const dayMs = 24 * 3_600_000;
it('AWS’s own counts agree with a lake that holds everything, and show when a region was served empty by mistake', async () => {
  const lab = await openLab();
  try {
    const good = await lab.run({ 'fail-on-mismatch': '0%' });
    expect(good.exit_code).toBe(0);
    expect(good.reconciliation).toMatchObject({ differing: 0, difference: 0, not_comparable: 0 });
    expect(good.reconciliation?.aws_jobs).toBeGreaterThan(20);

    const [lake, region] = [`${lab.lake}-of-half-a-night`, lab.region(1)];
    const said = 'AWS’s own counts show jobs that the lake lacks: their days are read again';
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobs', region }]);
    const bad = await lab.run({ lake, 'fail-on-mismatch': '2%' });
    expect(bad.exit_code).toBe(76);
    const rows = (await lab.tableOf(lake, 'export_reconciliation')).filter((row) => row.scope === 'day');
    expect(rows.length).toBe(bad.reconciliation?.compared);
    for (const row of rows) {
      expect(row.missing_jobs).toBe(row.region === region ? row.aws_count : 0);
      expect(row.surplus_jobs).toBe(0);
    }
    expect(rows.some((row) => row.region === region)).toBe(true);
    expect(bad.reconciliation?.read_again).toBe(rows.filter((row) => Number(row.missing_jobs) > 0).length);

    lab.simulator.clearFaults();
    // The next run says so; the one after it has nothing to say.
    for (const isSaid of [true, false]) {
      const { code, stdout, stderr } = await lab.start({ lake }).ended;
      const { missing_jobs: missing, read_again: again } = JSON.parse(stdout).reconciliation;
      expect([code, missing, again]).toEqual([0, 0, 0]);
      expect(stderr.includes(said)).toBe(isSaid);
    }
  } finally {
    await lab.close();
  }
});

it('jobs that AWS’s counts show are read again: once in vain, and all of them once AWS lists some again', async () => {
  const lab = await openLab({ days: 8 });
  try {
    const [well, empty] = [lab.region(0), lab.region(1)];
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobs', region: empty }]);
    /** How long the windows were, in days, and how many jobs are missing afterwards. */
    const night = async () => {
      const run = await lab.run({ 'full-every': '3650d' });
      const asked = (await lab.tableOf(lab.lake, 'export_coverage')).filter(
        (row) => row.run_id === run.run_id && row.table_name === 'copy_jobs',
      );
      const daysOf = (region: string) =>
        asked
          .filter((row) => row.region === region)
          .map((row) =>
            row.window_from === null ? 30 : (Number(row.window_to) - Number(row.window_from)) / dayMs,
          );
      await lab.simulator.advance(dayMs);
      return {
        empty: Math.max(...daysOf(empty)),
        well: Math.max(...daysOf(well)),
        missing: run.reconciliation?.missing_jobs ?? 0,
        again: run.reconciliation?.read_again ?? 0,
      };
    };
    const first = await night();
    expect(first).toMatchObject({ empty: 30, well: 30 });
    expect(first.missing).toBeGreaterThan(50);
    const { targets } = JSON.parse(await readFile(join(lab.lake, '_ledger/watermarks/00000.json'), 'utf8'));
    for (const [name, mark] of Object.entries<object>(targets)) {
      expect('missing' in mark, name).toBe(name.startsWith('copy_jobs/') && name.endsWith(empty));
    }
    const inVain = await night();
    expect(inVain.empty).toBeGreaterThan(6);
    // Open jobs of the last two days are in it.
    expect(inVain.well).toBeLessThan(3.3);
    expect(inVain.missing).toBeGreaterThan(first.missing);
    // Of each target, only the day that this night has found.
    expect(first.again).toBeGreaterThan(inVain.again);
    expect(inVain.again).toBeGreaterThan(0);
    // Only yesterday's jobs, which no run has read again.
    const third = await night();
    expect(third.empty).toBeLessThan(3.3);
    expect(third.missing).toBeGreaterThan(inVain.missing);

    lab.simulator.clearFaults();
    const listed = await night();
    expect(listed.empty).toBeLessThan(3.3);
    expect(listed.missing).toBeGreaterThan(0);
    expect(listed.missing).toBeLessThan(third.missing);
    const healed = await night();
    expect(healed.empty).toBeGreaterThan(8);
    expect(healed.missing).toBe(0);
    expect((await night()).empty).toBeLessThan(3.3);
  } finally {
    await lab.close();
  }
});

it('jobs that could not be read again for days are there once AWS has responded for three nights, and nothing is asked for later', async () => {
  const lab = await openLab({ days: 8 });
  try {
    const region = lab.region(1);
    const said = 'AWS’s own counts show jobs that the lake lacks: their days are read again';
    const night = async (fault?: 'served-empty' | 'deny') => {
      lab.simulator.clearFaults();
      if (fault !== undefined) lab.simulator.addFaults([{ kind: fault, api: 'ListCopyJobs', region }]);
      const { stdout, stderr } = await lab.start({ lake: lab.lake, 'full-every': '3650d' }).ended;
      await lab.simulator.advance(dayMs);
      const { missing_jobs: missing, read_again: again } = JSON.parse(stdout).reconciliation;
      return { missing, again, isSaid: stderr.includes(said) };
    };
    await night();
    for (const fault of ['served-empty', 'served-empty'] as const) await night(fault);
    // The next run still has one of its two nights.
    expect((await night('deny')).again).toBeGreaterThan(0);
    for (const fault of ['deny', 'deny'] as const) await night(fault);
    const first = await night();
    expect(first.missing).toBeGreaterThan(0);
    expect(first.again).toBeGreaterThan(0);
    // It finds the day that was not read again, so the other, which was in vain, has its turn too.
    const second = await night();
    expect(second.missing).toBeLessThan(first.missing);
    expect(second.again).toBeGreaterThan(0);
    expect(await night()).toEqual({ missing: 0, again: 0, isSaid: true });
    // Two weeks later AWS counts none of these days.
    await lab.simulator.advance(13 * dayMs);
    expect(await night('served-empty')).toMatchObject({ isSaid: false });
    expect((await night()).isSaid).toBe(true);
    expect(await night()).toEqual({ missing: 0, again: 0, isSaid: false });
  } finally {
    await lab.close();
  }
});

it('the days that the next run reads again are also those of an account that this run could not read', async () => {
  const lab = await openLab();
  try {
    const [region, flags] = [lab.region(1), { buckets: '16' }];
    lab.simulator.addFaults([{ kind: 'served-empty', api: 'ListCopyJobs', region }]);
    await lab.run(flags);
    const rows = (await lab.tableOf(lab.lake, 'export_reconciliation')).filter(
      (row) => row.scope === 'day' && Number(row.missing_jobs) > 0,
    );
    const account = String(rows[0]?.account_id);
    lab.simulator.clearFaults();
    lab.simulator.addFaults([{ kind: 'deny', account }]);
    const { reconciliation } = await lab.run(flags);
    expect(reconciliation).toMatchObject({
      missing_jobs: 0,
      read_again: rows.filter((row) => row.account_id === account).length,
    });
  } finally {
    await lab.close();
  }
});

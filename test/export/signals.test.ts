import { afterEach, describe, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';
import { interruptedBy } from './interrupted.ts';
import { stuckRun } from './stuck-run.ts';

let lab: Lab;
afterEach(() => lab.close());

describe('a run that is told to stop', () => {
  it('publishes what it has read, says INTERRUPTED of the rest, and exits with 75', async () => {
    lab = await openLab({ accounts: 6, regions: 4, days: 1, latencyMs: 150 });
    await interruptedBy('SIGTERM', lab, 6 * 4);
  });

  it('ends at once at the second signal, and the lake is still whole', async () => {
    lab = await openLab({ accounts: 4, latencyMs: 100 });
    lab.simulator.addFaults([{ kind: 'hang', api: 'ListCopyJobs', region: lab.region(1) }]);
    const run = lab.start();
    await lab.until(async () => lab.simulator.faults().some(({ met }) => met > 0));
    run.child.kill('SIGTERM');
    run.child.kill('SIGINT');
    expect((await run.ended).code).toBe(75);
    lab.simulator.clearFaults();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  });

  it('ends at once at the second signal, also while the file system does not respond', async () => {
    lab = await openLab();
    const run = await stuckRun(lab);
    run.child.kill('SIGTERM');
    await run.said('"event":"stopping"');
    run.child.kill('SIGTERM');
    const { code, signal, stderr } = await run.ended;
    expect([code, signal]).toEqual([75, null]);
    expect(stderr).toContain('received SIGTERM again: exiting at once');
  });
});

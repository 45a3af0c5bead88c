import { globSync } from 'node:fs';
import { afterEach, describe, expect, it } from 'vitest';
import { endingSignals } from '../../src/command-line/signals.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { interruptedBy } from './interrupted.ts';
import { stuckRun } from './stuck-run.ts';

let lab: Lab;
afterEach(() => lab.close());

describe('a run that is told to stop', () => {
  it.each(endingSignals)(
    'publishes what it has read, says INTERRUPTED of the rest, and exits with 75 (%s)',
    async (signal) => {
      lab = await openLab({ accounts: 6, regions: 4, latencyMs: 150 });
      await interruptedBy(signal, lab, 6 * 4);
    },
  );

  it('ends within 20 s when it hangs before its first drain, and says what was being asked', async () => {
    lab = await openLab();
    lab.simulator.addFaults([{ kind: 'hang', api: 'ListAccounts' }]);
    const run = lab.start();
    await lab.until(async () => lab.simulator.requests().counts.some(({ api }) => api === 'ListAccounts'));
    // The lake is opened meanwhile. Then the run has a folder in scratch, and only waits.
    await lab.until(async () => globSync('scratch/backup-copy-export-*', { cwd: lab.folder }).length > 0);
    const asked = performance.now();
    run.child.kill('SIGTERM');
    const { code, stderr } = await run.ended;
    expect(code).toBe(75);
    expect(performance.now() - asked).toBeLessThan(20_000);
    expect(stderr).toContain('The accounts of the organization could not be listed: the run was interrupted');
  }, 60_000);
});

describe('a run whose file system does not respond', () => {
  it('is ended with 75 after the first signal', async () => {
    lab = await openLab();
    const run = await stuckRun(lab);
    run.child.kill('SIGTERM');
    const { code, signal, stderr } = await run.ended;
    expect([code, signal]).toEqual([75, null]);
    expect(stderr).toContain('some work did not finish in time; exiting now');
  }, 120_000);

  it('is ended with 75 some time after its deadline, and says so', async () => {
    lab = await openLab();
    const { ended } = await stuckRun(lab, { deadline: '5s' });
    const { code, signal, stderr } = await ended;
    expect([code, signal]).toEqual([75, null]);
    expect(stderr).toContain('The job did not end within its --deadline (5 s) and 1 min more');
    expect(stderr).toContain(`the lake (${lab.lake})`);
  }, 240_000);
});

/** A module that Node loads first: it sends the signal so long after the program began to listen for it. */
function sentAfter(signal: NodeJS.Signals, ms: number): string {
  const text = `
    const send = () => process.kill(process.pid, '${signal}');
    process.on('newListener', function begun(name) {
      if (name !== '${signal}') return;
      process.off('newListener', begun);
      ${ms === 0 ? 'queueMicrotask(send)' : `setTimeout(send, ${ms})`};
    });`;
  return `data:text/javascript,${encodeURIComponent(text)}`;
}

describe('a signal while the program starts', () => {
  const moments = [0, 20, 50, 100, 200, 400, 700];
  it.each(endingSignals)(
    'ends it with 75, however early it comes (%s)',
    async (signal) => {
      lab = await openLab({ latencyMs: 100 });
      const ends = [];
      for (const ms of moments) {
        const { ended } = lab.start({ lake: `${lab.lake}-${ms}` }, ['--import', sentAfter(signal, ms)]);
        const end = await ended;
        ends.push([ms, end.code, end.signal]);
        expect(end.stderr).toContain(signal);
      }
      expect(ends).toEqual(moments.map((ms) => [ms, 75, null]));
    },
    120_000,
  );
});

/** What can happen to a lake between two good nights, and what one good night then makes of it. */
import { expect } from 'vitest';
import { killPoints } from '../support/kill-points.ts';
import { killedBefore } from '../support/killed-before.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';

export type Event =
  | { readonly kind: 'run'; readonly flags: Readonly<Record<string, string>> }
  | { readonly kind: 'fault'; readonly fault: Parameters<Lab['simulator']['addFaults']>[0][number] }
  | { readonly kind: 'heal' }
  | { readonly kind: 'advance'; readonly hours: number }
  /** Every run writes its coverage, so a kill before it lands; whether a run writes two parts, its history decides. */
  | { readonly kind: 'kill'; readonly step: 'between two parts' | 'before its coverage' }
  | { readonly kind: 'overlap' };

async function happen(lab: Lab, event: Event): Promise<void> {
  switch (event.kind) {
    case 'run':
      await lab.run({ ...event.flags, 'target-timeout': '2s' });
      return;
    case 'fault':
      lab.simulator.addFaults([event.fault]);
      return;
    case 'heal':
      lab.simulator.clearFaults();
      return;
    case 'advance':
      await lab.simulator.advance(event.hours * 3_600_000);
      return;
    case 'kill': {
      const { path, nth } = killPoints[event.step];
      const { signal, code, stderr } = await lab.start({}, killedBefore(path, nth)).ended;
      if (event.step === 'before its coverage' || code === null) expect(signal, stderr).toBe('SIGKILL');
      return;
    }
    case 'overlap':
      await Promise.all([lab.run({ 'target-timeout': '2s' }), lab.run({ 'target-timeout': '2s' })]);
  }
}

/** After the history, one good run makes the lake equal to the truth of what it could see. */
export async function expectConvergence(
  history: readonly Event[],
  estate: { readonly days: number; readonly seed: number },
): Promise<void> {
  const lab = await openLab({ accounts: 2, regions: 2, jobsPerDay: 2, ...estate }, 'some may not');
  try {
    for (const event of history) await happen(lab, event);
    lab.simulator.clearFaults();
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differencesFromNow()).toEqual([]);
    expect(told(await verified(lab.lake))).toEqual([]);
  } finally {
    await lab.close();
  }
}

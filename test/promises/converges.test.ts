import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';
import { expectConvergence } from './history.ts';

it('after failures, a kill and two runs at once, one good run makes the lake equal to the truth of what it could see', () =>
  expectConvergence(
    [
      { kind: 'fault', fault: { kind: 'deny', api: 'ListCopyJobs', region: 'us-east-1' } },
      { kind: 'run', flags: { since: '4d' } },
      { kind: 'advance', hours: 30 },
      { kind: 'heal' },
      { kind: 'kill', step: 'before its coverage' },
      { kind: 'overlap' },
      { kind: 'fault', fault: { kind: 'server-error', count: 3 } },
      { kind: 'advance', hours: 5 },
    ],
    { days: 4, seed: 7 },
  ));

it.each([
  ['a job is listed in the destination too', { listInDestination: true }],
  ['children are listed only with their parent', { children: 'hidden' as const }],
])('the lake equals the truth when %s', async (_, options) => {
  const lab = await openLab({ accounts: 5, jobsPerDay: 20, ...options });
  try {
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
    const again = await lab.run({ since: 'all' });
    expect(again.tables.copy_jobs?.parts_written).toBe(0);
  } finally {
    await lab.close();
  }
});

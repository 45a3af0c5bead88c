import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

const hour = 3_600_000;
const clock = (epochMs: number) => new Date(epochMs).toISOString().slice(11, 16);

it('targets that wait with full batches until the publish window opens are read to their end, past --target-timeout', async () => {
  const lab = await openLab({ accounts: 6, regions: 1, jobsPerDay: 1_000 });
  try {
    const now = lab.simulator.now();
    const opening = Math.ceil((now + 15_000) / 60_000) * 60_000;
    await lab.simulator.advance(opening - 15_000 - now);
    const run = await lab.run({
      'publish-window': `${clock(opening)}-${clock(opening + hour)}`,
      // A batch is a quarter of it. Two are full long before all is read.
      'scratch-limit': '16MB',
      'target-timeout': '5s',
      concurrency: '4',
    });
    expect(Date.parse(run.as_of)).toBeLessThan(opening - 10_000);
    expect(run.exit_code).toBe(0);
    expect(run.coverage.TIMED_OUT).toBeUndefined();
    expect(await lab.differences()).toEqual([]);
  } finally {
    await lab.close();
  }
}, 120_000);

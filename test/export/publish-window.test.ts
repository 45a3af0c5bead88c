import { expect, it } from 'vitest';
import { openLab } from '../support/lab.ts';

const hour = 3_600_000;
const clock = (epochMs: number) => new Date(epochMs).toISOString().slice(11, 16);

it('a run within its publish window publishes, one that ends before it opens reads nothing, and none loses a row', async () => {
  const lab = await openLab();
  try {
    const now = lab.simulator.now();
    const closed = `${clock(now + 10 * hour)}-${clock(now + 11 * hour)}`;
    const open = `${clock(now - hour)}-${clock(now + hour)}`;
    await expect(lab.run({ 'publish-window': closed })).rejects.toMatchObject({ exitCode: 75 });
    expect(await lab.table('copy_jobs')).toEqual([]);
    expect((await lab.run({ 'publish-window': open })).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  } finally {
    await lab.close();
  }
});

it('a run that has read before its publish window opens publishes when it does', async () => {
  const lab = await openLab();
  try {
    const now = lab.simulator.now();
    const opening = Math.ceil((now + 3_000) / 60_000) * 60_000;
    await lab.simulator.advance(opening - 3_000 - now);
    const window = `${clock(opening)}-${clock(opening + hour)}`;
    const summary = await lab.run({ 'publish-window': window });
    expect(summary.exit_code).toBe(0);
    expect(Date.parse(summary.as_of)).toBeLessThan(opening);
    // The simulator's clock stands still; the run counts on from its answer.
    expect(summary.duration_ms).toBeGreaterThanOrEqual(opening - Date.parse(summary.as_of));
    expect(await lab.differences()).toEqual([]);
  } finally {
    await lab.close();
  }
});

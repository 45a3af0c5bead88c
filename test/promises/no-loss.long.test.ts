import { afterEach, expect, it } from 'vitest';
import { killPoints } from '../support/kill-points.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';
import { killedAt } from './killed-at.ts';

let lab: Lab;
afterEach(() => lab.close());

const { 'between two parts': _inTheShortCase, ...others } = killPoints;

it.each(Object.entries(others))(
  'a kill %s loses and doubles no row, and the next run ends at the truth',
  async (_, point) => {
    lab = await openLab({ accounts: 4 });
    await killedAt(lab, point);
  },
  180_000,
);

it('two runs at once, night after night, both end well, and the lake equals the truth', async () => {
  lab = await openLab({ accounts: 4 });
  for (let round = 0; round < Number(process.env.OVERLAPS ?? 4); round++) {
    const both = await Promise.all([lab.start().ended, lab.start().ended]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    expect(await lab.differences()).toEqual([]);
    expect(told(await verified(lab.lake))).toEqual([]);
    await lab.simulator.advance(20 * 3_600_000);
  }
}, 600_000);

import { createHash } from 'node:crypto';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { killPoints } from '../support/kill-points.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';
import { killedAt } from './killed-at.ts';

let lab: Lab;
afterEach(() => lab.close());

it('a target that fails keeps its rows', async () => {
  lab = await openLab();
  await lab.run();
  const before = await lab.rows();
  expect(before.copy_jobs.size).toBeGreaterThan(0);
  lab.simulator.addFaults([
    { kind: 'deny', api: 'ListCopyJobs' },
    { kind: 'deny', api: 'AssumeRole' },
  ]);
  await lab.simulator.advance(86_400_000);
  expect((await lab.run()).exit_code).not.toBe(0);
  const after = await lab.rows();
  for (const id of before.copy_jobs.keys()) expect(after.copy_jobs.has(id)).toBe(true);
});

it('a kill between two parts loses and doubles no row, and the next run ends at the truth', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  await killedAt(lab, killPoints['between two parts']);
});

it('two runs at once both end well, and the lake equals the truth', async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const both = await Promise.all([lab.start().ended, lab.start().ended]);
  for (const { code, stderr } of both) expect(code, stderr).toBe(0);
  expect(await lab.differences()).toEqual([]);
  expect(told(await verified(lab.lake))).toEqual([]);
});

it('an older program refuses a newer lake before it asks AWS for a single job', async () => {
  lab = await openLab();
  await lab.run();
  const file = join(lab.lake, '_ledger/lake.json');
  const record: unknown = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...Object(record), format: 99, format_version: 99 }));
  const asked = lab.simulator.requests().total;
  const hash = async () =>
    createHash('sha256')
      .update(JSON.stringify([...(await lab.parts())]))
      .digest('hex');
  const before = await hash();
  const run = await lab.start().ended;
  expect(run.code).toBe(74);
  expect(run.stderr).toContain('newer');
  expect(await hash()).toBe(before);
  expect(lab.simulator.requests().total - asked).toBeLessThan(4);
});

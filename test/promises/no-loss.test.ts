import { createHash } from 'node:crypto';
import { readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { killPoints, type Objects, writtenSince } from '../support/kill-points.ts';
import { killedBefore } from '../support/killed-before.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it('a target that fails keeps its rows', async () => {
  lab = await openLab();
  await lab.run();
  const before = await lab.rows();
  lab.simulator.addFaults([
    { kind: 'deny', api: 'ListCopyJobs' },
    { kind: 'deny', api: 'AssumeRole' },
  ]);
  await lab.simulator.advance(86_400_000);
  expect((await lab.run()).exit_code).not.toBe(0);
  const after = await lab.rows();
  for (const id of before.copy_jobs.keys()) expect(after.copy_jobs.has(id)).toBe(true);
});

/** What lies in a local lake right now. */
function objectsIn(lake: string): Objects {
  const names = readdirSync(lake, { recursive: true, encoding: 'utf8' });
  return new Map(
    names.flatMap((name) => {
      const found = statSync(join(lake, name), { throwIfNoEntry: false });
      return found?.isFile() ? [[name, found.mtimeMs + found.ino]] : [];
    }),
  );
}

it.each(Object.entries(killPoints))(
  'a kill %s loses and doubles no row, and the next run ends at the truth',
  async (_, { path, nth, written }) => {
    lab = await openLab({ accounts: 4 });
    await lab.run({ until: '2026-11-17' });
    const known = (await lab.rows()).copy_jobs;
    expect(known.size).toBeGreaterThan(0);
    await lab.simulator.advance(6 * 3_600_000);
    const before = objectsIn(lab.lake);
    const run = await lab.start({ since: 'all' }, killedBefore(path, nth)).ended;
    expect(run.signal, run.stderr).toBe('SIGKILL');
    expect(writtenSince(before, objectsIn(lab.lake))).toMatchObject(written);
    const now = (await lab.rows()).copy_jobs;
    for (const id of known.keys()) expect(now.has(id)).toBe(true);
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  },
  180_000,
);

it('two runs at once both end well, and the lake equals the truth', async () => {
  lab = await openLab({ accounts: 4 });
  for (let round = 0; round < Number(process.env.OVERLAPS ?? 4); round++) {
    const both = await Promise.all([lab.start().ended, lab.start().ended]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    expect(await lab.differences()).toEqual([]);
    await lab.simulator.advance(20 * 3_600_000);
  }
}, 600_000);

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

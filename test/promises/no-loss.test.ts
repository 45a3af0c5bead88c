import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { afterEach, expect, it } from 'vitest';
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

it('a kill at any instant leaves every part whole, loses and doubles no row, and the next run ends at the truth', async () => {
  lab = await openLab({ accounts: 4 });
  await lab.run({ until: '2026-11-17' });
  let known = (await lab.rows()).copy_jobs;
  const kills = Number(process.env.KILLS ?? 8);
  for (let kill = 0; kill < kills; kill++) {
    await lab.simulator.advance(6 * 3_600_000);
    const run = lab.start({ since: 'all', engine: kill % 2 === 0 ? 'duckdb' : 'parquetjs-lite' });
    setTimeout(() => run.child.kill('SIGKILL'), 600 + Math.random() * 1800);
    await run.ended;
    const now = (await lab.rows()).copy_jobs;
    for (const id of known.keys()) expect(now.has(id)).toBe(true);
    known = now;
  }
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
}, 600_000);

/** What lies in the lake right now: keys, each with what changes when it is written again. */
function written(lake: string): ReadonlyMap<string, number> {
  const found = new Map<string, number>();
  for (const folder of [
    'copy_jobs',
    'copy_job_summaries',
    'export_coverage',
    '_ledger/runs',
    '_ledger/watermarks',
  ]) {
    const below = join(lake, folder);
    if (!existsSync(below)) continue;
    for (const name of readdirSync(below, { recursive: true, encoding: 'utf8' })) {
      const made = statSync(join(below, name), { throwIfNoEntry: false });
      if (made?.isFile()) found.set(`${folder}/${name}`, made.mtimeMs + made.ino);
    }
  }
  return found;
}

/** What a run has written since; a manifest is told from a begin record. */
function news(before: ReadonlyMap<string, number>, lake: string) {
  const keys = [...written(lake)].filter(([key, made]) => before.get(key) !== made).map(([key]) => key);
  const manifest = (key: string) => key.startsWith('_ledger/runs') && !key.endsWith('.begin.json');
  return {
    parts: keys.some((key) => key.startsWith('copy_job')),
    coverage: keys.some((key) => key.startsWith('export_coverage')),
    manifest: keys.some(manifest),
    watermarks: keys.some((key) => key.startsWith('_ledger/watermarks')),
  };
}

it.each([
  ['between two parts', 'parts', 'coverage'],
  ['between its coverage and its manifest', 'coverage', 'manifest'],
  ['between its manifest and its watermarks', 'manifest', 'watermarks'],
] as const)(
  'a kill %s loses and doubles no row, and the next run ends at the truth',
  async (_, after, before) => {
    lab = await openLab({ accounts: 4 });
    await lab.run({ until: '2026-11-17' });
    let known = (await lab.rows()).copy_jobs;
    let hits = 0;
    for (let turn = 0; turn < 12 && hits === 0; turn++) {
      await lab.simulator.advance(6 * 3_600_000);
      const start = written(lab.lake);
      const run = lab.start({ since: 'all' });
      let over = false;
      const ended = run.ended.then(() => {
        over = true;
      });
      while (!over && !news(start, lab.lake)[after]) await sleep(1);
      run.child.kill('SIGKILL');
      await ended;
      if (news(start, lab.lake)[after] && !news(start, lab.lake)[before]) hits += 1;
      const now = (await lab.rows()).copy_jobs;
      for (const id of known.keys()) expect(now.has(id)).toBe(true);
      known = now;
    }
    expect(hits).toBe(1);
    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  },
  600_000,
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

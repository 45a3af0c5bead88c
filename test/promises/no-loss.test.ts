import { createHash } from 'node:crypto';
import { existsSync, readdirSync, statSync } from 'node:fs';
import { readFile, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
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

/** How much a run has written since; a manifest is told from a begin record. */
function news(before: ReadonlyMap<string, number>, lake: string) {
  const keys = [...written(lake)].filter(([key, made]) => before.get(key) !== made).map(([key]) => key);
  const count = (wanted: RegExp) => keys.filter((key) => wanted.test(key)).length;
  return {
    parts: count(/^copy_jobs\//),
    coverage: count(/^export_coverage\//),
    manifests: count(/^_ledger\/runs\/.*(?<!\.begin)\.json$/),
    watermarks: count(/^_ledger\/watermarks\//),
  };
}

it.each([
  ['between two parts', /\/copy_jobs\//, 2, { parts: 1, coverage: 0, manifests: 0, watermarks: 0 }],
  ['before its coverage', /\/export_coverage\//, 1, { coverage: 0, manifests: 0, watermarks: 0 }],
  [
    'between its coverage and its manifest',
    /\/_ledger\/runs\/.*(?<!\.begin)\.json$/,
    1,
    { coverage: 1, manifests: 0, watermarks: 0 },
  ],
  [
    'between its manifest and its watermarks',
    /\/_ledger\/watermarks\//,
    1,
    { coverage: 1, manifests: 1, watermarks: 0 },
  ],
])('a kill %s loses and doubles no row, and the next run ends at the truth', async (_, path, nth, left) => {
  lab = await openLab({ accounts: 4 });
  await lab.run({ until: '2026-11-17' });
  const known = (await lab.rows()).copy_jobs;
  expect(known.size).toBeGreaterThan(0);
  await lab.simulator.advance(6 * 3_600_000);
  const before = written(lab.lake);
  const run = lab.start({ since: 'all' }, killedBefore(path, nth));
  const { signal, stderr } = await run.ended;
  expect(signal, stderr).toBe('SIGKILL');
  expect(news(before, lab.lake)).toMatchObject(left);
  const now = (await lab.rows()).copy_jobs;
  for (const id of known.keys()) expect(now.has(id)).toBe(true);
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

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

/** rebucket is killed with -9 at random instants, 1 → 8 → 3 buckets, until it was killed fifty times. */
import { spawn } from 'node:child_process';
import { cp } from 'node:fs/promises';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { type Lab, openLab } from '../support/lab.ts';
import { type LakeRow, readTable } from '../support/lake-reader.ts';
import { told, verified } from '../verify/night-lake.ts';

const kills = 50;
const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ accounts: 9, regions: 2, days: 3, now: Date.now() });
  await lab.run();
});
afterAll(() => lab.close());

/** A generator of numbers from 0 to 1 that a seed makes again. */
function random(seed: number): () => number {
  let state = seed;
  return () => {
    state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0;
    return state / 2 ** 32;
  };
}

const sorted = (rows: readonly LakeRow[]) => rows.map((row) => JSON.stringify(row)).sort();

it('fifty kills lose no row and double none, and no instant hides a row from those who read the objects', async () => {
  const before = {
    copy_jobs: sorted(await readTable(lab.lake, 'copy_jobs')),
    copy_job_summaries: sorted(await readTable(lab.lake, 'copy_job_summaries')),
  };
  const next = random(Number(process.env.SEED ?? 7));
  let killed = 0;
  let longest = 4000;
  for (let round = 0; killed < kills; round += 1) {
    const lake = join(lab.folder, `round-${round}`);
    await cp(lab.lake, lake, { recursive: true });
    for (const buckets of ['8', '3']) {
      for (let ended = false; !ended; ) {
        const words = [
          'rebucket',
          '--lake',
          lake,
          '--buckets',
          buckets,
          '--scratch',
          join(lab.folder, 'scratch'),
        ];
        const child = spawn(process.execPath, [cli, ...words, '--log-level', 'silent'], {
          env: { ...process.env, ...lab.environment },
          stdio: 'ignore',
        });
        const began = performance.now();
        const end = new Promise<{ code: number | null; signal: string | null }>((resolve) => {
          child.once('close', (code, signal) => resolve({ code, signal }));
        });
        // Once enough were killed, the rest may end.
        if (killed < kills) {
          await Promise.race([end, sleep(next() * longest)]);
          child.kill('SIGKILL');
        }
        const { code, signal } = await end;
        if (signal === 'SIGKILL') killed += 1;
        else {
          expect(code).toBe(0);
          longest = performance.now() - began;
          ended = true;
        }
        const seen = new Set(sorted(await readTable(lake, 'copy_jobs')));
        for (const row of before.copy_jobs) expect(seen.has(row)).toBe(true);
      }
      for (const table of ['copy_jobs', 'copy_job_summaries'] as const) {
        expect(sorted(await readTable(lake, table))).toEqual(before[table]);
      }
    }
    expect(told(await verified(lake))).toEqual([]);
    expect((await lab.run({ lake })).exit_code).toBe(0);
    expect(sorted(await readTable(lake, 'copy_jobs'))).toEqual(before.copy_jobs);
  }
  expect(killed).toBeGreaterThanOrEqual(kills);
}, 1_800_000);

/** A run that is killed at a step of its own, over a lake that holds something already. */
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { expect } from 'vitest';
import { type KillPoint, type Objects, writtenSince } from '../support/kill-points.ts';
import { killedBefore } from '../support/killed-before.ts';
import type { Lab } from '../support/lab.ts';
import { told, verified } from '../verify/night-lake.ts';

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

/** The run dies where it is meant to; no row is lost or doubled, and the next run ends at the truth. */
export async function killedAt(lab: Lab, { path, nth, written }: KillPoint): Promise<void> {
  await lab.run({ until: '2026-11-18' });
  const known = (await lab.rows()).copy_jobs;
  expect(known.size).toBeGreaterThan(0);
  await lab.simulator.advance(6 * 3_600_000);
  const before = objectsIn(lab.lake);
  const run = await lab.start({ since: 'all' }, killedBefore(path, nth)).ended;
  expect(run.signal, run.stderr).toBe('SIGKILL');
  expect(writtenSince(before, objectsIn(lab.lake))).toMatchObject(written);
  const now = (await lab.rows()).copy_jobs;
  for (const id of known.keys()) expect(now.has(id)).toBe(true);
  // What a dead run leaves is no damage.
  expect(told(await verified(lab.lake))).toEqual([]);
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
  expect(told(await verified(lab.lake))).toEqual([]);
}

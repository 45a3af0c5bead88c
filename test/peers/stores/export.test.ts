/** The whole export, into an S3 server that nobody here wrote: what the promises say holds there too. */
import { mkdir, rm } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../../src/lake/stores/store.ts';
import { openDescribed } from '../../lake/stores/described-store.ts';
import { killPoints, type Objects, writtenSince } from '../../support/kill-points.ts';
import { type Flags, type Lab, openLab } from '../../support/lab.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';
import { holdPut } from './held-put.ts';

let lab: Lab;
let server: S3Server;
let store: Store;
let intoS3: Flags;

beforeEach(async () => {
  lab = await openLab({ accounts: 2, regions: 1 });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey });
  store = await openDescribed({ kind: 's3', prefix: 'deep/lake/', ...server });
  intoS3 = { lake: `s3://${server.bucket}/deep/lake`, 's3-endpoint-url': server.endpoint };
});
afterEach(async () => {
  await store?.close();
  await server?.stop();
  await lab?.close();
});

/** Copies the lake from S3 to where the lab looks for one. */
async function mirrored(): Promise<void> {
  await rm(lab.lake, { recursive: true, force: true });
  for await (const key of store.list('')) {
    const file = join(lab.lake, key);
    await mkdir(dirname(file), { recursive: true });
    await store.download(key, file);
  }
}

it('an export into S3 equals the truth, and a second one writes no part', async () => {
  const first = await lab.start(intoS3).ended;
  expect(first.code, first.stderr).toBe(0);
  await mirrored();
  expect(await lab.differences()).toEqual([]);
  const parts = await lab.parts();
  expect(parts.size).toBeGreaterThan(3);
  const second = await lab.start(intoS3).ended;
  expect(second.code, second.stderr).toBe(0);
  expect(JSON.parse(second.stdout).tables.copy_jobs.parts_written).toBe(0);
  const { reconciliation } = JSON.parse(second.stdout);
  expect(reconciliation).toMatchObject({ differing: 0, unreadable_days: [] });
  expect(reconciliation.compared).toBeGreaterThan(3);
  await mirrored();
  expect(await lab.parts()).toEqual(parts);
});

/** What lies in the lake right now, by its ETags. */
async function objects(): Promise<Objects> {
  const found = new Map<string, string>();
  for await (const key of store.list('')) found.set(key, (await store.read(key))?.etag ?? '');
  return found;
}

it.each(Object.entries(killPoints))(
  'a kill in S3 %s loses and doubles no row, and the next run ends at the truth',
  async (_, { path, nth, written }) => {
    const first = await lab.start({ ...intoS3, until: '2026-11-19' }).ended;
    expect(first.code, first.stderr).toBe(0);
    await mirrored();
    const known = (await lab.rows()).copy_jobs;
    expect(known.size).toBeGreaterThan(0);
    await lab.simulator.advance(6 * 3_600_000);
    const before = await objects();
    const gate = await holdPut(server.endpoint, path, nth);
    try {
      const run = lab.start({ ...intoS3, since: 'all', 's3-endpoint-url': gate.endpoint });
      await Promise.race([gate.held, run.ended]);
      run.child.kill('SIGKILL');
      const { signal, stderr } = await run.ended;
      expect(signal, stderr).toBe('SIGKILL');
    } finally {
      gate.close();
    }
    expect(writtenSince(before, await objects())).toMatchObject(written);
    await mirrored();
    const now = (await lab.rows()).copy_jobs;
    for (const id of known.keys()) expect(now.has(id)).toBe(true);
    const last = await lab.start(intoS3).ended;
    expect(last.code, last.stderr).toBe(0);
    await mirrored();
    expect(await lab.differences()).toEqual([]);
  },
);

it('two runs at once into S3 both end well, and the lake equals the truth', async () => {
  for (let round = 0; round < Number(process.env.OVERLAPS ?? 3); round += 1) {
    const both = await Promise.all([lab.start(intoS3).ended, lab.start(intoS3).ended]);
    for (const { code, stderr } of both) expect(code, stderr).toBe(0);
    await mirrored();
    expect(await lab.differences()).toEqual([]);
    await lab.simulator.advance(20 * 3_600_000);
  }
});

/** One night of eight processes into one lake on S3: one is killed with -9 and started again, one is started twice. */
import { readFileSync } from 'node:fs';
import { mkdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import pino from 'pino';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../../src/lake/stores/store.ts';
import { parseManifest } from '../../../src/ledger/read-runs.ts';
import { runRebucket } from '../../../src/rebucket/rebucket.ts';
import { parseRebucketSettings } from '../../../src/rebucket/rebucket-settings.ts';
import { openDescribed } from '../../lake/stores/described-store.ts';
import { type Flags, type Lab, openLab } from '../../support/lab.ts';
import { silentProgress } from '../../support/silent-progress.ts';
import { told, verified } from '../../verify/night-lake.ts';
import { type S3Server, startConditionalS3 } from '../s3-servers.ts';
import { holdPut } from './held-put.ts';

let lab: Lab;
let server: S3Server;
let store: Store;
let intoS3: Flags;

beforeEach(async () => {
  lab = await openLab({ accounts: 24, regions: 2, days: 2, listInDestination: true });
  const { AWS_ACCESS_KEY_ID: accessKeyId = '', AWS_SECRET_ACCESS_KEY: secretAccessKey = '' } =
    lab.environment as Record<string, string>;
  server = await startConditionalS3({ accessKeyId, secretAccessKey });
  store = await openDescribed({ kind: 's3', prefix: 'lake/', ...server });
  intoS3 = { lake: `s3://${server.bucket}/lake`, 's3-endpoint-url': server.endpoint };
});
afterEach(async () => {
  await store?.close();
  await server?.stop();
  await lab?.close();
});

async function mirrored(): Promise<void> {
  await rm(lab.lake, { recursive: true, force: true });
  for await (const key of store.list('')) {
    const file = join(lab.lake, key);
    await mkdir(dirname(file), { recursive: true });
    await store.download(key, file);
  }
}

async function writersOf(): Promise<ReadonlyMap<string, ReadonlySet<number>>> {
  const writers = new Map<string, Set<number>>();
  for (const name of await lab.ledger('runs')) {
    if (name.endsWith('.begin.json')) continue;
    const bytes = await readFile(join(lab.lake, '_ledger/runs', name));
    // Safe: a run of this test wrote it.
    const { shard } = JSON.parse(bytes.toString('utf8')) as { shard?: { index: number } };
    for (const { key } of parseManifest(bytes)?.parts ?? []) {
      writers.set(key, (writers.get(key) ?? new Set()).add(shard?.index ?? -1));
    }
  }
  return writers;
}

it('ends at the truth, and no part is written by two shards; rebucket does the same on S3', async () => {
  const shard = (index: number): Flags => ({ ...intoS3, shard: `${index}/8`, night: 'night-1' });
  const gate = await holdPut(server.endpoint, /\/copy_jobs\/.*\.parquet/, 2);
  try {
    const others = [0, 1, 2, 3, 4, 5, 6, 7, 5]
      .filter((index) => index !== 2)
      .map((index) => lab.start(shard(index)));
    const killed = lab.start({ ...shard(2), 's3-endpoint-url': gate.endpoint });
    await Promise.race([gate.held, killed.ended]);
    killed.child.kill('SIGKILL');
    expect((await killed.ended).signal).toBe('SIGKILL');
    const again = lab.start(shard(2));
    for (const { ended } of [...others, again]) {
      const { code, stderr } = await ended;
      expect(code, stderr).toBe(0);
    }
  } finally {
    gate.close();
  }
  await mirrored();
  expect(await lab.differences()).toEqual([]);
  const writers = await writersOf();
  expect(writers.size).toBeGreaterThan(16);
  for (const [key, shards] of writers) expect([key, shards.size]).toEqual([key, 1]);
  expect(told(await verified(lab.lake))).toEqual([]);
  const { verdict, totals } = await lab.status();
  expect({ verdict, accounts: totals.accounts }).toEqual({ verdict: 'proven', accounts: 24 });
  const coverage = await lab.table('export_coverage');
  expect(new Set(coverage.map(({ as_of: asOf }) => asOf)).size).toBe(1);

  const settings = parseRebucketSettings({
    // The killed run has no manifest, and is known to be dead.
    flags: {
      ...intoS3,
      buckets: '3',
      scratch: join(lab.folder, 'scratch'),
      'ignore-unfinished-runs': 'true',
    },
    env: {},
    cwd: lab.folder,
    temporaryFolder: tmpdir(),
    readFile: (path) => readFileSync(path, 'utf8'),
  });
  await runRebucket(settings, {
    log: pino({ level: 'silent' }),
    progress: silentProgress,
    stopping: new AbortController().signal,
    programVersion: '0.0.0-test',
    localNow: () => lab.simulator.now(),
  });
  await mirrored();
  expect(await lab.differences()).toEqual([]);
  expect(told(await verified(lab.lake))).toEqual([]);
}, 600_000);

/**
 * What a checkpoint and its signature cost a run of a lake with so many parts: seconds, and the share of the run.
 *
 *   npm run bench -- checkpoints [--small] [--parts 10000] [--rounds 5]
 *
 * The run is a real one: a night of 20 accounts in 4 regions against the simulator, into a lake in a folder. Before it, the
 * lake's state is given as many parts of earlier days as asked for. They have no files, because a checkpoint reads
 * only what the ledger says. Then the same checkpoint is written again, with a P-256 key in a file and without, and timed alone.
 */
import { generateKeyPairSync, hash } from 'node:crypto';
import { cp, mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { readSigningKey, type SigningKey } from '../src/checkpoints/keys.ts';
import { writeCheckpoint } from '../src/checkpoints/write-checkpoint.ts';
import { openLocalStore } from '../src/lake/stores/local.ts';
import type { WrittenPart } from '../src/ledger/runs.ts';
import { openLab } from '../test/support/lab.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    parts: { type: 'string' },
    rounds: { type: 'string' },
  },
});
const parts = Number(values.parts ?? (values.small ? 100 : 10_000));
const rounds = Number(values.rounds ?? (values.small ? 1 : 5));
const dayMs = 86_400_000;
const signal = new AbortController().signal;

/** Parts of the days before the simulator's, in 25 buckets. */
const earlier = Array.from({ length: parts }, (_, at): WrittenPart => {
  const day = new Date(Date.UTC(2026, 9, 1) - Math.floor(at / 25) * dayMs).toISOString().slice(0, 10);
  const key = `copy_jobs/creation_date=${day}/part-${String(at % 25).padStart(5, '0')}.parquet`;
  return {
    key,
    rows: 1_000,
    bytes: 100_000,
    sha256: hash('sha256', key),
    etag_before: null,
    etag_after: key,
  };
});

const folder = await mkdtemp(join(tmpdir(), 'bench-checkpoints-'));
const lab = await openLab(values.small ? {} : { accounts: 20, regions: 4, jobsPerDay: 50, days: 30 });
try {
  const key = await writeKey();
  await lab.run();
  await rm(join(lab.lake, '_ledger/checkpoints'), { recursive: true });
  await rm(join(lab.lake, '_ledger/lake-state'), { recursive: true });
  await checkpoint(lab.lake, 'first', earlier, key);
  const runs: number[] = [];
  const shares: { signed: number[]; unsigned: number[] } = { signed: [], unsigned: [] };
  let touched = 0;
  for (let round = 0; round < rounds; round += 1) {
    await lab.simulator.advance(dayMs);
    const before = join(folder, `before-${round}`);
    await cp(join(lab.lake, '_ledger'), join(before, '_ledger'), { recursive: true });
    const run = await lab.run({ 'signing-key': join(folder, 'key.pem') });
    if (run.exit_code !== 0 || run.checkpoint === null) throw new Error('the night went wrong');
    runs.push(run.duration_ms);
    // As many parts as the night wrote.
    touched = Object.values(run.tables).reduce((sum, table) => sum + table.parts_written, 0);
    const written = earlier
      .slice(0, touched)
      .map((part) => ({ ...part, sha256: hash('sha256', `${round} ${part.key}`) }));
    shares.signed.push(await timed(() => checkpoint(before, `signed-${round}`, written, key)));
    await cp(join(lab.lake, '_ledger'), join(`${before}-unsigned`, '_ledger'), { recursive: true });
    await rm(join(`${before}-unsigned`, '_ledger/checkpoints'), { recursive: true });
    await checkpoint(`${before}-unsigned`, 'first', earlier, null);
    shares.unsigned.push(
      await timed(() => checkpoint(`${before}-unsigned`, `unsigned-${round}`, written, null)),
    );
  }
  const run = median(runs);
  const rows = [
    ['a night', run],
    ['its checkpoint, signed', median(shares.signed)],
    ['its checkpoint, not signed', median(shares.unsigned)],
  ] as const;
  console.log(`${parts} parts, a night that writes ${touched}; medians of ${rounds}`);
  for (const [name, ms] of rows) {
    console.log(
      `${name.padEnd(28)} ${ms.toFixed(1).padStart(9)} ms ${((ms / run) * 100).toFixed(2).padStart(7)} %`,
    );
  }
} finally {
  await lab.close();
  await rm(folder, { recursive: true });
}

async function writeKey(): Promise<SigningKey> {
  const file = join(folder, 'key.pem');
  const { privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  await writeFile(file, privateKey.export({ type: 'pkcs8', format: 'pem' }));
  return readSigningKey(file);
}

async function checkpoint(
  lake: string,
  runId: string,
  written: readonly WrittenPart[],
  key: SigningKey | null,
): Promise<void> {
  const store = await openLocalStore({ folder: lake, create: true });
  try {
    const manifest = {
      key: `_ledger/runs/2026-11-20/${runId}.json`,
      sha256: hash('sha256', runId),
      bytes: 1,
      rows: null,
    };
    const made = await writeCheckpoint({
      store,
      run: { runId, asOf: Date.UTC(2026, 10, 20, 2), programVersion: 'bench' },
      manifest,
      records: [],
      written,
      unchanged: [],
      key,
      earlierKeys: [],
      contentNow: async () => null,
      signal,
    });
    if (made === null) throw new Error('no checkpoint was written');
  } finally {
    await store.close();
  }
}

async function timed(work: () => Promise<void>): Promise<number> {
  const begun = performance.now();
  await work();
  return performance.now() - begun;
}

function median(numbers: readonly number[]): number {
  return [...numbers].sort((a, b) => a - b)[Math.floor(numbers.length / 2)] ?? Number.NaN;
}

import { hash } from 'node:crypto';
import { cp, mkdir, mkdtemp, readdir, rename, rm, writeFile } from 'node:fs/promises';
import { dirname, join, relative } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { writeCheckpoint } from '../../src/checkpoints/write-checkpoint.ts';
import { beginKey, checkpointKey, checkpointsPrefix, manifestKey } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { newRunId } from '../../src/ledger/runs.ts';
import { renderStatusPage } from '../../src/status/status-page.ts';
import { renderStatus } from '../../src/status/status-text.ts';
import { utcDay } from '../../src/tables/table.ts';
import { renderRunSummary } from '../../src/telemetry/run-summary-text.ts';
import { verified } from '../verify/night-lake.ts';
import type { Copy, SignedLake } from './signed-lake.ts';
import { findingsIn, makeKey, readFileOf, removeCheckpoint, signedLake } from './signed-lake.ts';

let signed: SignedLake;
let trusted: string[];
beforeAll(async () => {
  signed = await signedLake(2);
  trusted = [signed.key.publicFile];
}, 120_000);
afterAll(() => signed?.close());

const flagsOf = (copy: Copy) => ({
  lake: copy.lake,
  witness: copy.witness,
  'signing-key': signed.key.privateFile,
});

async function findingsOfVerify({ lake, witness }: Copy): Promise<readonly string[]> {
  const { findings } = await verified(lake, { witness, 'public-key': signed.key.publicFile });
  return findings.map(({ kind, key }) => `${kind} ${key}`);
}

it('keeps one chain when two runs end at once, and counts both', async () => {
  const copy = await signed.copyOf(2);
  const runs = await Promise.all([signed.lab.run(flagsOf(copy)), signed.lab.run(flagsOf(copy))]);
  expect(runs.map(({ exit_code, checkpoint }) => [exit_code, checkpoint?.number]).sort()).toEqual([
    [0, 3],
    [0, 4],
  ]);
  expect(await findingsOfVerify(copy)).toEqual([]);
});

it('a part that a run at work had written is a doubt until the manifest of that run explains it', async () => {
  const copy = await signed.copyOf(2);
  const atWork = await signed.lab.run(flagsOf(copy));
  const manifest = join(copy.lake, manifestKey(utcDay(Date.parse(atWork.as_of)), atWork.run_id));
  const hidden = join(copy.folder, 'manifest.json');
  await rename(manifest, hidden);
  for (const folder of [copy.lake, copy.witness]) await removeCheckpoint(folder, 3);

  const reader = await signed.lab.run({ ...flagsOf(copy), since: 'all' });
  expect(reader.checkpoint?.number).toBe(3);
  const doubted = reader.checkpoint?.unexplained_parts ?? [];
  expect(doubted.length).toBeGreaterThan(0);
  const doubts = doubted.map((key) => `part-changed-outside-runs ${key}`);
  expect(await findingsOfVerify(copy)).toEqual(expect.arrayContaining(doubts));

  await rename(hidden, manifest);
  const next = await signed.lab.run(flagsOf(copy));
  expect(next.checkpoint).toMatchObject({ number: 4, adopted_runs: 1, unexplained_parts: [] });
  expect(await findingsOfVerify(copy)).toEqual([`run-adopted ${relative(copy.lake, manifest)}`]);
});

const part = 'copy_jobs/creation_date=2026-11-20/part-00000.parquet';
const contents = {
  p0: hash('sha256', 'p0'),
  p1: hash('sha256', 'p1'),
  p2: hash('sha256', 'p2'),
  p3: hash('sha256', 'p3'),
};
const night = Date.UTC(2026, 10, 20);
const written = (sha256: string, before: string | null) => [
  { key: part, rows: 1, bytes: 2, sha256, sha256_before: before, etag_before: before, etag_after: sha256 },
];
const read = (sha256: string) => [{ key: part, sha256, bytes: 2, rows: 1 }];

/** A lake of one part whose runs only end: `end` writes a checkpoint and returns what it finds unexplained. */
async function runsOfOnePart(there: keyof typeof contents) {
  const folder = await mkdtemp(join(signed.lab.folder, 'reads-'));
  const store = await openLocalStore({ folder, create: true });
  const end = async (runId: string, did: Partial<Parameters<typeof writeCheckpoint>[0]>) => {
    const made = await writeCheckpoint({
      store,
      run: { runId, asOf: night, programVersion: '0.0.0-test' },
      manifest: {
        key: `_ledger/runs/2026-11-20/${runId}.json`,
        sha256: hash('sha256', runId),
        bytes: 1,
        rows: null,
      },
      records: [],
      written: [],
      unchanged: [],
      key: null,
      earlierKeys: [],
      contentNow: async () => contents[there],
      signal: new AbortController().signal,
      ...did,
    });
    return made?.stored.checkpoint.unexplained.map(({ found }) => found);
  };
  return { store, end };
}

it.each([
  ['another run has replaced since', 'p1', []],
  ['the part still has, although another run had replaced it', 'p0', [contents.p0]],
] as const)('a part that a run read and left alone: what %s', async (_, there, doubts) => {
  const { store, end } = await runsOfOnePart(there);
  try {
    expect(await end('first', { written: written(contents.p0, null) })).toEqual([]);
    expect(await end('faster', { written: written(contents.p1, contents.p0) })).toEqual([]);
    expect(await end('slower', { unchanged: read(contents.p0) })).toEqual(doubts);
  } finally {
    await store.close();
  }
});

it('names what another run had written that has not ended, until the manifest of that run explains it', async () => {
  const { store, end } = await runsOfOnePart('p1');
  try {
    expect(await end('first', { written: written(contents.p0, null) })).toEqual([]);
    expect(await end('reader', { unchanged: read(contents.p1) })).toEqual([contents.p1]);
    expect(await end('in between', {})).toEqual([]);
    expect(await end('writer', { written: written(contents.p1, contents.p0) })).toEqual([]);
  } finally {
    await store.close();
  }
});

it('names what two runs wrote in turn once, and the one that ends later not again', async () => {
  const { store, end } = await runsOfOnePart('p2');
  try {
    expect(await end('first', { written: written(contents.p0, null) })).toEqual([]);
    expect(await end('second', { written: written(contents.p2, contents.p1) })).toEqual([contents.p1]);
    expect(await end('first to write', { written: written(contents.p1, contents.p0) })).toEqual([]);
    expect(await end('third', { written: written(contents.p3, contents.p0) })).toEqual([contents.p0]);
  } finally {
    await store.close();
  }
});

it('does not count again what a run wrote that another run had counted by its manifest', async () => {
  const { store, end } = await runsOfOnePart('p2');
  try {
    const first = written(contents.p0, null);
    expect(await end('first', { written: first })).toEqual([]);
    const runId = newRunId(night, night);
    const key = manifestKey('2026-11-20', runId);
    const slower = written(contents.p1, contents.p0);
    const coverage = {
      key: 'export_coverage/run_date=2026-11-20/part.parquet',
      rows: 1,
      sha256: contents.p3,
      bytes: 1,
    };
    const bytes = Buffer.from(
      JSON.stringify({ run_id: runId, previous: [], parts: slower, coverage, rejected: null }),
    );
    await store.put({
      key,
      body: { bytes },
      condition: { ifAbsent: true },
      writeId: 'slower',
      metadata: {},
      contentType: 'application/json',
    });
    expect(await end('faster', { written: written(contents.p2, contents.p1) })).toEqual([]);
    const manifest = { key, sha256: hash('sha256', bytes), bytes: bytes.length, rows: null };
    expect(await end(runId, { manifest, written: slower })).toEqual([]);
    expect(await end('next', { written: written(contents.p3, contents.p2) })).toEqual([]);
  } finally {
    await store.close();
  }
});

it('counts a run that died between its manifest and its checkpoint, and names it', async () => {
  const copy = await signed.copyOf(2);
  const { checkpoint: lost } = await readFileOf(copy.lake, 2);
  await removeCheckpoint(copy.lake, 2);
  await removeCheckpoint(copy.witness, 2);
  const run = await signed.lab.run(flagsOf(copy));
  expect(run).toMatchObject({
    exit_code: 0,
    checkpoint: { number: 2, adopted_runs: 1, unexplained_parts: [] },
  });
  expect(await findingsIn(copy, trusted)).toEqual([`run-adopted ${lost.manifest.key}`]);
});

it('without the key after signed ones says so in the summary, and status says it until a run with the key', async () => {
  const copy = await signed.copyOf(2);
  const { 'signing-key': _, ...unsigned } = flagsOf(copy);
  const run = await signed.lab.run(unsigned);
  expect(run).toMatchObject({ exit_code: 0, checkpoint: null, checkpoint_error: null });
  expect(run.checkpoint_skipped).toContain('it has no --signing-key');
  expect(renderRunSummary(run, 400)).toContain(String(run.checkpoint_skipped));
  const uncounted = [{ run_id: run.run_id, as_of: run.as_of }];
  const report = await signed.lab.status({ lake: copy.lake });
  expect(report.checkpoints).toEqual({
    newest: expect.objectContaining({ number: 2, is_signed: true }),
    uncounted_runs: uncounted,
  });
  for (const shown of [renderStatus(report, 400), renderStatusPage(report)]) {
    expect(shown).toContain('does not count 1 run, of ');
    expect(shown).toContain('give export its --signing-key');
  }
  const signedAgain = await signed.lab.run(flagsOf(copy));
  expect(signedAgain).toMatchObject({ checkpoint: { number: 3 }, checkpoint_skipped: null });
  const healed = await signed.lab.status({ lake: copy.lake });
  expect(healed.checkpoints).toMatchObject({ newest: { number: 3 }, uncounted_runs: [] });
  expect(renderStatus(healed, 400)).toContain('Checkpoint 3, signed, counts every run.');
});

it('status of the past counts the runs and checkpoints until then', async () => {
  const copy = await signed.copyOf(2);
  const [first, second] = [await readFileOf(copy.lake, 1), await readFileOf(copy.lake, 2)];
  const by = (asOf: number) => signed.lab.status({ lake: copy.lake, 'as-of': new Date(asOf).toISOString() });
  const [begun, again] = [Date.parse(first.checkpoint.as_of), Date.parse(second.checkpoint.as_of)];
  for (const [asOf, number] of [
    [begun, 1],
    [again - 1, 1],
    [again, 2],
  ] as const) {
    const report = await by(asOf);
    expect(report.checkpoints).toMatchObject({ newest: { number }, uncounted_runs: [] });
    expect(renderStatus(report, 400)).toContain(`Checkpoint ${number}, signed, counts every run.`);
  }
  const before = await by(begun - 60_000);
  expect([before.checkpoints, before.verdict]).toEqual([null, 'nothing_read']);
  const minute = new Date(begun - 60_000).toISOString().slice(0, 16).replace('T', ' ');
  const text = renderStatus(before, 400);
  expect(text).toContain(`No run had ended by ${minute}.`);
  expect(text).toContain(`No run had read anything into this lake by ${minute}.`);
  expect(text).not.toMatch(/Checkpoint|yet/);
  expect(renderStatusPage(before)).toContain(`No run had read anything into this lake by ${minute}.`);
});

it('status names a checkpoint that it cannot read', async () => {
  const copy = await signed.copyOf(2);
  await writeFile(join(copy.lake, checkpointKey(2)), '{');
  expect(await signed.lab.status({ lake: copy.lake })).toMatchObject({
    exit_code: 74,
    checkpoints: null,
    unread_objects: [{ key: checkpointKey(2) }],
  });
});

it('counts the begin record of a run that died, so that nobody edits or removes it unnoticed', async () => {
  const copy = await signed.copyOf(2);
  const asOf = signed.lab.simulator.now() - 3_600_000;
  const key = beginKey(utcDay(asOf), newRunId(asOf, asOf));
  await mkdir(dirname(join(copy.lake, key)), { recursive: true });
  await writeFile(join(copy.lake, key), '{"the plan of": "a run that died"}');
  await signed.lab.run(flagsOf(copy));
  expect(await findingsIn(copy, trusted)).toEqual([]);
  await writeFile(join(copy.lake, key), '{"the plan of": "another run"}');
  expect(await findingsIn(copy, trusted)).toEqual([`object-unproven ${key}`]);
  await rm(join(copy.lake, key));
  expect(await findingsIn(copy, trusted)).toEqual([`object-unproven ${key}`]);
});

it('a chain that begins on a lake with earlier runs says so, and verify does not call them proven', async () => {
  const copy = await signed.copyOf(2);
  await rm(join(copy.lake, checkpointsPrefix), { recursive: true });
  const without = await verified(copy.lake);
  expect(without.not_proven.join(' ')).toContain('this lake has no checkpoint. If it had any');

  const run = await signed.lab.run({ lake: copy.lake, 'signing-key': signed.key.privateFile });
  expect(run.checkpoint).toMatchObject({ number: 1, adopted_runs: 2 });
  expect(renderRunSummary(run, 120)).toContain('The chain of checkpoints begins here.');
  const report = await verified(copy.lake, { 'public-key': signed.key.publicFile });
  expect(report.findings).toEqual([]);
  expect(report.not_proven.join(' ')).toContain('2 runs had ended by then');
});

it('names a part that was replaced behind its back, instead of signing it in silence', async () => {
  const copy = await signed.copyOf(2);
  const earlier = await signed.copyOf(1);
  const keys = (await readdir(join(earlier.lake, 'copy_jobs'), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  const key = `copy_jobs/${keys.sort().at(-1)}`;
  await cp(join(earlier.lake, key), join(copy.lake, key));
  const run = await signed.lab.run(flagsOf(copy));
  expect(run.checkpoint?.unexplained_parts).toEqual([key]);
  expect(await findingsIn(copy, trusted)).toEqual([`part-changed-outside-runs ${key}`]);
});

it.each(['P-384', 'RSA'] as const)('signs with a key for %s', async (kind) => {
  const key = await makeKey(signed.lab.folder, kind, kind);
  const bytes = Buffer.from('what is signed');
  const { signerOf } = await import('../../src/checkpoints/keys.ts');
  const signature = await key.signing.sign(bytes);
  expect(signerOf(bytes, signature, [signed.key.signing.trusted, key.signing.trusted])).toBe(
    key.signing.trusted,
  );
  expect(signerOf(Buffer.from('else'), signature, [key.signing.trusted])).toBeNull();
});

import { readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { checkpointKey } from '../../src/lake/layout.ts';
import type { Copy, SignedLake } from './signed-lake.ts';
import { findingsIn, readFileOf, signedLake } from './signed-lake.ts';

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

it('keeps the signed state of a part that was replaced and that no run touches, so that it is found', async () => {
  const copy = await signed.copyOf(2);
  const key = 'export_coverage';
  const [first] = (await readdir(join(copy.lake, key), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  const part = `${key}/${first}`;
  await writeFile(join(copy.lake, part), 'not what it was');
  expect((await signed.lab.run(flagsOf(copy))).checkpoint?.number).toBe(3);
  expect(await findingsIn(copy, trusted)).toEqual([`object-unproven ${part}`]);
});

it('begins with all manifests in a lake that earlier programs wrote', async () => {
  const copy = await signed.copyOf(2);
  await rm(join(copy.lake, '_ledger/checkpoints'), { recursive: true });
  await rm(join(copy.lake, '_ledger/lake-state'), { recursive: true });
  await rm(copy.witness, { recursive: true });
  const runs = join(copy.lake, '_ledger/runs');
  for (const name of await readdir(runs, { recursive: true })) {
    if (!name.endsWith('.json') || name.endsWith('.begin.json')) continue;
    const manifest = JSON.parse(await readFile(join(runs, name), 'utf8'));
    delete manifest.coverage.bytes;
    delete manifest.begin;
    for (const part of manifest.parts) delete part.sha256_before;
    await writeFile(join(runs, name), JSON.stringify(manifest));
  }
  const run = await signed.lab.run(flagsOf(copy));
  expect(run.checkpoint).toMatchObject({ number: 1, adopted_runs: 2, unexplained_parts: [] });
  const { checkpoint } = await readFileOf(copy.lake, 1);
  expect(checkpoint.pages.find(({ name }) => name.startsWith('_ledger/runs'))?.objects).toBe(4);
  expect(await findingsIn(copy, trusted)).toEqual([]);
});

it('writes no checkpoint without the key after signed ones; the next run with the key counts that run', async () => {
  const copy = await signed.copyOf(2);
  const { 'signing-key': _, ...unsigned } = flagsOf(copy);
  const run = await signed.lab.run(unsigned);
  expect(run).toMatchObject({ exit_code: 0, checkpoint: null, checkpoint_error: null });
  expect(await findingsIn(copy, trusted)).toContainEqual(expect.stringMatching(/^run-unproven/));
  expect((await signed.lab.run(flagsOf(copy))).checkpoint).toMatchObject({ number: 3, adopted_runs: 1 });
  expect(await findingsIn(copy, trusted)).toEqual([expect.stringMatching(/^run-adopted/)]);
});

it('signs nothing after a checkpoint whose signature was removed, or that another key signed', async () => {
  const copy = await signed.copyOf(2);
  const file = join(copy.lake, checkpointKey(2));
  const envelope = JSON.parse(await readFile(file, 'utf8'));
  await writeFile(file, JSON.stringify({ ...envelope, signatures: [] }));
  const stripped = await signed.lab.run(flagsOf(copy));
  expect(stripped).toMatchObject({ exit_code: 74, checkpoint: null });
  expect(stripped.checkpoint_error).toContain('is not signed, although');
});

it('goes on when the witness cannot be written, with 74, and copies later what is missing there', async () => {
  const copy = await signed.copyOf(2);
  const blocked = join(copy.folder, 'blocked');
  await writeFile(blocked, 'a file');
  const failed = await signed.lab.run({ ...flagsOf(copy), witness: join(blocked, 'witness') });
  expect(failed).toMatchObject({ exit_code: 74, checkpoint: { number: 3 } });
  expect(failed.witness_error).toContain('The checkpoint is in the lake, but the witness did not get it');
  expect(await findingsIn(copy, trusted)).toEqual([`witness-missing ${checkpointKey(3)}`]);
  expect(await signed.lab.run(flagsOf(copy))).toMatchObject({ exit_code: 0, checkpoint: { number: 4 } });
  expect(await findingsIn(copy, trusted)).toEqual([]);
});

it('tells at once that the lake was rolled back, because the witness has the number already', async () => {
  const copy = await signed.copyOf(2);
  const earlier = await signed.copyOf(1);
  const run = await signed.lab.run({ ...flagsOf(copy), lake: earlier.lake });
  expect(run).toMatchObject({ exit_code: 74, checkpoint: { number: 2 } });
  expect(run.witness_error).toContain('already has a checkpoint 2');
  const both = { ...copy, lake: earlier.lake };
  expect(await findingsIn(both, trusted)).toEqual([`checkpoint-forked ${checkpointKey(2)}`]);
});

it('chains unsigned checkpoints too, and begins to sign when a key comes', async () => {
  const copy = await signed.copyOf(2);
  await rm(join(copy.lake, '_ledger/checkpoints'), { recursive: true });
  await rm(copy.witness, { recursive: true });
  const { 'signing-key': _, ...unsigned } = flagsOf(copy);
  expect((await signed.lab.run(unsigned)).checkpoint).toMatchObject({ number: 1, signed_by: null });
  expect(await findingsIn(copy, [])).toEqual([]);
  expect(await findingsIn(copy, trusted)).toEqual([`checkpoint-unsigned ${checkpointKey(1)}`]);
  expect((await signed.lab.run(flagsOf(copy))).checkpoint).toMatchObject({ number: 2, signing_begins: true });
  expect(await findingsIn(copy, trusted)).toEqual([]);
});

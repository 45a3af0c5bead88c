import { hash } from 'node:crypto';
import { appendFile, cp, readdir, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { rootOf } from '../../src/checkpoints/checkpoint.ts';
import { LakeState } from '../../src/checkpoints/lake-state.ts';
import { checkpointKey, checkpointsPrefix } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import {
  type Copy,
  fileOf,
  findingsIn,
  forge,
  forgeFrom,
  type KeyFiles,
  makeKey,
  readFileOf,
  removeCheckpoint,
  type SignedLake,
  signedLake,
} from './signed-lake.ts';

const nights = 3;
let signed: SignedLake;
let other: KeyFiles;
let trusted: string[];

beforeAll(async () => {
  signed = await signedLake(nights);
  other = await makeKey(signed.lab.folder, 'other');
  trusted = [signed.key.publicFile];
}, 120_000);
afterAll(() => signed?.close());

/** The parts of the newest day of copy jobs. */
async function aPart(copy: Copy): Promise<string> {
  const keys = (await readdir(join(copy.lake, 'copy_jobs'), { recursive: true })).filter((name) =>
    name.endsWith('.parquet'),
  );
  return `copy_jobs/${keys.sort().at(-1)}`;
}

/** Removes a run with all that it left, as if it had never been. */
async function rollBackTo(copy: Copy, night: number): Promise<void> {
  const earlier = await signed.copyOf(night);
  await rm(copy.lake, { recursive: true });
  await cp(earlier.lake, copy.lake, { recursive: true });
}

it('finds nothing in a lake that nobody touched', async () => {
  expect(await findingsIn(await signed.copyOf(nights), trusted)).toEqual([]);
});

it('finds that the newest run was removed, and the two newest, by the witness alone', async () => {
  for (const removed of [1, 2]) {
    const copy = await signed.copyOf(nights);
    await rollBackTo(copy, nights - removed);
    const expected = [...Array(removed).keys()].map(
      (n) => `checkpoint-rolled-back ${checkpointKey(nights - n)}`,
    );
    expect(await findingsIn(copy, trusted)).toEqual(expected.sort());
    // This is why a witness is needed.
    expect(await findingsIn(copy, trusted, false)).toEqual([]);
  }
});

it('finds that the whole lake was put back to its first night', async () => {
  const copy = await signed.copyOf(nights);
  await rollBackTo(copy, 1);
  expect(await findingsIn(copy, trusted)).toHaveLength(nights - 1);
});

it('finds that the whole ledger of checkpoints is gone', async () => {
  const copy = await signed.copyOf(nights);
  await rm(join(copy.lake, '_ledger/checkpoints'), { recursive: true });
  expect(await findingsIn(copy, trusted)).toHaveLength(nights);
});

it('finds a newest checkpoint that was removed although its run was left', async () => {
  const copy = await signed.copyOf(nights);
  await removeCheckpoint(copy.lake, nights);
  const without = await findingsIn(copy, trusted, false);
  expect(without).toContainEqual(expect.stringMatching(/^run-unproven _ledger\/runs\//));
  expect(await findingsIn(copy, trusted)).toContain(`checkpoint-rolled-back ${checkpointKey(nights)}`);
});

it('finds a checkpoint that was removed from the middle', async () => {
  const copy = await signed.copyOf(nights);
  await removeCheckpoint(copy.lake, 2);
  expect(await findingsIn(copy, trusted, false)).toEqual([`checkpoint-missing ${checkpointKey(2)}`]);
});

it.each([1, 2, nights])('finds a chain that was forged with another key from number %i on', async (first) => {
  const copy = await signed.copyOf(nights);
  await forgeFrom(copy.lake, first, nights, other.signing);
  const forged = Array.from(
    { length: nights - first + 1 },
    (_, n) => `checkpoint-forged ${checkpointKey(first + n)}`,
  );
  expect(await findingsIn(copy, trusted, false)).toEqual(forged);
  expect(await findingsIn(copy, trusted)).toEqual(expect.arrayContaining(forged));
});

it('finds a chain without signatures, whole or from the middle on', async () => {
  const whole = await signed.copyOf(nights);
  await forgeFrom(whole.lake, 1, nights, null);
  expect(await findingsIn(whole, trusted, false)).toEqual([`checkpoint-unsigned ${checkpointKey(nights)}`]);
  const half = await signed.copyOf(nights);
  await forgeFrom(half.lake, 2, nights, null);
  expect(await findingsIn(half, trusted, false)).toEqual(
    [2, 3].map((number) => `checkpoint-unsigned ${checkpointKey(number)}`),
  );
});

it('finds an edited checkpoint, by its signature and by the next one', async () => {
  const copy = await signed.copyOf(nights);
  const { checkpoint, envelope } = await readFileOf(copy.lake, 2);
  const edited = { ...checkpoint, rows: checkpoint.rows + 1 };
  const payload = Buffer.from(JSON.stringify(edited)).toString('base64');
  const file = JSON.parse(await readFile(fileOf(copy.lake, 2), 'utf8'));
  expect(envelope.signature).not.toBeNull();
  await writeFile(fileOf(copy.lake, 2), JSON.stringify({ ...file, payload }));
  expect(await findingsIn(copy, trusted, false)).toEqual([
    `checkpoint-changed ${checkpointKey(2)}`,
    `checkpoint-forged ${checkpointKey(2)}`,
  ]);
});

it('finds a signature that was removed from the newest checkpoint', async () => {
  const copy = await signed.copyOf(nights);
  await forge(copy.lake, (await readFileOf(copy.lake, nights)).checkpoint, null);
  expect(await findingsIn(copy, trusted, false)).toEqual([`checkpoint-unsigned ${checkpointKey(nights)}`]);
});

it('finds a copy of the witness that was edited, or removed', async () => {
  const edited = await signed.copyOf(nights);
  await forge(
    edited.witness,
    { ...(await readFileOf(edited.witness, 2)).checkpoint, rows: 0 },
    other.signing,
  );
  expect(await findingsIn(edited, trusted)).toEqual([`checkpoint-forked ${checkpointKey(2)}`]);
  const removed = await signed.copyOf(nights);
  await removeCheckpoint(removed.witness, 2);
  expect(await findingsIn(removed, trusted)).toEqual([`witness-missing ${checkpointKey(2)}`]);
});

it('finds that the witness was emptied, or is another place', async () => {
  const emptied = await signed.copyOf(nights);
  for (let number = 1; number <= nights; number += 1) await removeCheckpoint(emptied.witness, number);
  expect(await findingsIn(emptied, trusted)).toEqual([`witness-empty ${checkpointsPrefix}`]);
});

it('finds a manifest that was replaced together with its checkpoint', async () => {
  const copy = await signed.copyOf(nights);
  const { checkpoint } = await readFileOf(copy.lake, nights);
  const manifest = join(copy.lake, checkpoint.manifest.key);
  const bytes = Buffer.from((await readFile(manifest, 'utf8')).replace('"exit_code": 0', '"exit_code": 65'));
  await writeFile(manifest, bytes);
  const sha256 = hash('sha256', bytes);
  const store = await openLocalStore({ folder: copy.lake, create: true });
  const state = new LakeState(store, checkpoint.pages, new AbortController().signal);
  await state.set({ key: checkpoint.manifest.key, sha256, bytes: bytes.length, rows: null });
  const pages = await state.write('forger');
  await store.close();
  const changed = { ...checkpoint, manifest: { ...checkpoint.manifest, sha256 }, pages, root: rootOf(pages) };
  await forge(copy.lake, changed, other.signing);
  expect(await findingsIn(copy, trusted)).toEqual([
    `checkpoint-forged ${checkpointKey(nights)}`,
    `checkpoint-forked ${checkpointKey(nights)}`,
  ]);
});

it('finds a part that was changed, removed or added, and a page of the state that was changed or removed', async () => {
  const changed = await signed.copyOf(nights);
  const part = await aPart(changed);
  await appendFile(join(changed.lake, part), 'x');
  expect(await findingsIn(changed, trusted)).toEqual([`object-unproven ${part}`]);

  const removed = await signed.copyOf(nights);
  await rm(join(removed.lake, part));
  expect(await findingsIn(removed, trusted)).toEqual([`object-unproven ${part}`]);

  const added = await signed.copyOf(nights);
  const surplus = part.replace('part-00000', 'part-00001');
  await cp(join(added.lake, part), join(added.lake, surplus));
  expect(await findingsIn(added, trusted)).toEqual([`object-unproven ${surplus}`]);

  for (const damage of [(file: string) => appendFile(file, 'x\n'), (file: string) => rm(file)]) {
    const copy = await signed.copyOf(nights);
    const page = (await readFileOf(copy.lake, nights)).checkpoint.pages.find(({ name }) =>
      name.startsWith('copy_jobs'),
    );
    const key = `_ledger/lake-state/${page?.root}.tsv`;
    await damage(join(copy.lake, key));
    expect(await findingsIn(copy, trusted)).toEqual([`state-page-damaged ${key}`]);
  }
});

it('accepts a replaced key if both public keys are given, and not if one is', async () => {
  const copy = await signed.copyOf(nights);
  const flags = { lake: copy.lake, witness: copy.witness, 'signing-key': other.privateFile };
  const refused = await signed.lab.run(flags);
  expect(refused).toMatchObject({ exit_code: 74, checkpoint: null });
  expect(refused.checkpoint_error).toContain('signed by none of the known keys');
  const run = await signed.lab.run({ ...flags, 'public-key': signed.key.publicFile });
  expect(run).toMatchObject({ exit_code: 0, checkpoint: { number: nights + 1, adopted_runs: 1 } });
  const both = [...trusted, other.publicFile];
  // The run that was refused is counted by the next one, which says so.
  expect(await findingsIn(copy, both)).toEqual([expect.stringMatching(/^run-adopted _ledger\/runs\//)]);
  expect(await findingsIn(copy, trusted)).toContain(`checkpoint-forged ${checkpointKey(nights + 1)}`);
});

/** A run that is killed while it makes its checkpoint: the next one counts it, and the witness gets what it lacks. */
import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { killedBefore } from '../support/killed-before.ts';
import { findingsIn, type SignedLake, signedLake } from './signed-lake.ts';

let signed: SignedLake;
beforeAll(async () => {
  signed = await signedLake(1);
}, 120_000);
afterAll(() => signed?.close());

const numbersIn = async (folder: string): Promise<number> =>
  (await readdir(join(folder, '_ledger/checkpoints/00000')).catch(() => [])).length;

it.each([
  // What it leaves: checkpoints in the lake, and copies at the witness.
  ['between its watermarks and its checkpoint', /\/lake\/_ledger\/checkpoints\//, [1, 1], 1],
  ['between its checkpoint and the copy for the witness', /\/witness\/_ledger\/checkpoints\//, [2, 1], 0],
] as const)('%s', async (_, path, left, adopted) => {
  const copy = await signed.copyOf(1);
  const flags = { lake: copy.lake, witness: copy.witness, 'signing-key': signed.key.privateFile };
  const { signal } = await signed.lab.start(flags, killedBefore(path, 1)).ended;
  expect(signal).toBe('SIGKILL');
  expect([await numbersIn(copy.lake), await numbersIn(copy.witness)]).toEqual(left);

  const run = await signed.lab.run(flags);
  const number = left[0] + 1;
  expect(run).toMatchObject({
    exit_code: 0,
    witness_error: null,
    checkpoint: { number, adopted_runs: adopted },
  });
  expect([await numbersIn(copy.lake), await numbersIn(copy.witness)]).toEqual([number, number]);
  // An adopted run is named, and nothing else.
  expect(await findingsIn(copy, [signed.key.publicFile])).toEqual(
    Array.from({ length: adopted }, () => expect.stringMatching(/^run-adopted /)),
  );
});

/** A lake of some nights with signed checkpoints and a witness, and the means to attack copies of it. */
import { generateKeyPairSync, type KeyObject } from 'node:crypto';
import { cp, mkdtemp, readFile, rm, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { checkCheckpoints } from '../../src/checkpoints/check-checkpoints.ts';
import { type Checkpoint, parseCheckpoint, serializeCheckpoint } from '../../src/checkpoints/checkpoint.ts';
import { parseEnvelope, serializeEnvelope, signedBytes } from '../../src/checkpoints/envelope.ts';
import { readPublicKey, readSigningKey, type SigningKey } from '../../src/checkpoints/keys.ts';
import { checkpointKey } from '../../src/lake/layout.ts';
import { openLocalStore } from '../../src/lake/stores/local.ts';
import { type Lab, openLab } from '../support/lab.ts';

export interface KeyFiles {
  readonly privateFile: string;
  readonly publicFile: string;
  readonly signing: SigningKey;
}

/** A new key pair in PEM files. */
export async function makeKey(
  folder: string,
  name: string,
  kind: 'P-256' | 'P-384' | 'RSA' = 'P-256',
): Promise<KeyFiles> {
  const pair: { readonly privateKey: KeyObject; readonly publicKey: KeyObject } =
    kind === 'RSA'
      ? generateKeyPairSync('rsa', { modulusLength: 2048 })
      : generateKeyPairSync('ec', { namedCurve: kind });
  const privateFile = join(folder, `${name}.pem`);
  const publicFile = join(folder, `${name}.public.pem`);
  await writeFile(privateFile, pair.privateKey.export({ type: 'pkcs8', format: 'pem' }));
  await writeFile(publicFile, pair.publicKey.export({ type: 'spki', format: 'pem' }));
  return { privateFile, publicFile, signing: readSigningKey(privateFile) };
}

/** A lake in a folder, and the folder of its witness. */
export interface Copy {
  readonly lake: string;
  readonly witness: string;
  /** The folder that holds both. */
  readonly folder: string;
}

export interface SignedLake {
  readonly lab: Lab;
  readonly key: KeyFiles;
  /** The flags with which its runs were started. */
  readonly flags: { readonly 'signing-key': string; readonly witness: string };
  /** The lake as it was after a night, from 1 on. */
  copyOf(night: number): Promise<Copy>;
  close(): Promise<void>;
}

export async function signedLake(nights: number): Promise<SignedLake> {
  const lab = await openLab({ accounts: 2, regions: 1 });
  const key = await makeKey(lab.folder, 'key');
  const witness = join(lab.folder, 'witness');
  const flags = { 'signing-key': key.privateFile, witness };
  for (let night = 1; night <= nights; night += 1) {
    const run = await lab.run(flags);
    if (run.checkpoint?.number !== night) throw new Error(`night ${night}: ${run.checkpoint_error}`);
    lab.simulator.advance(86_400_000);
    const kept = join(lab.folder, `night-${night}`);
    await cp(lab.lake, join(kept, 'lake'), { recursive: true });
    await cp(witness, join(kept, 'witness'), { recursive: true });
  }
  return {
    lab,
    key,
    flags,
    async copyOf(night) {
      const folder = await mkdtemp(join(lab.folder, 'copy-'));
      await cp(join(lab.folder, `night-${night}`), folder, { recursive: true });
      return { folder, lake: join(folder, 'lake'), witness: join(folder, 'witness') };
    },
    close: () => lab.close(),
  };
}

/** The kinds of findings in a copy, with their keys, sorted. */
export async function findingsIn(
  copy: Copy,
  publicFiles: readonly string[],
  withWitness = true,
): Promise<string[]> {
  const store = await openLocalStore({ folder: copy.lake, create: false });
  const witness = withWitness ? await openLocalStore({ folder: copy.witness, create: false }) : null;
  const { findings } = await checkCheckpoints({ store, witness, keys: publicFiles.map(readPublicKey) });
  return findings.map(({ kind, key }) => `${kind} ${key}`).sort();
}

export const fileOf = (lake: string, number: number): string => join(lake, checkpointKey(number));

export async function readFileOf(lake: string, number: number) {
  return parseCheckpoint(number, await readFile(fileOf(lake, number)));
}

/** The same payload, signed with another key. */
export async function forgedEnvelope(bytes: Uint8Array, key: SigningKey): Promise<Uint8Array> {
  const { payload } = parseEnvelope(bytes);
  const signature = { keyId: key.trusted.keyId, bytes: await key.sign(signedBytes(payload)) };
  return serializeEnvelope({ payload, signature });
}

/** Writes the checkpoint, signed with this key; null: unsigned. @returns the SHA-256 of its file */
export async function forge(lake: string, checkpoint: Checkpoint, key: SigningKey | null): Promise<string> {
  const payload = serializeCheckpoint(checkpoint);
  const signature =
    key === null ? null : { keyId: key.trusted.keyId, bytes: await key.sign(signedBytes(payload)) };
  const bytes = serializeEnvelope({ payload, signature });
  await writeFile(fileOf(lake, checkpoint.number), bytes);
  return parseCheckpoint(checkpoint.number, bytes).sha256;
}

/** Forges every checkpoint from this number on, so that all hashes agree. */
export async function forgeFrom(
  lake: string,
  first: number,
  newest: number,
  key: SigningKey | null,
  change: (checkpoint: Checkpoint) => Checkpoint = (checkpoint) => checkpoint,
): Promise<void> {
  let sha256: string | null = null;
  for (let number = first; number <= newest; number += 1) {
    const { checkpoint } = await readFileOf(lake, number);
    const { previous } = checkpoint;
    const linked =
      sha256 === null || previous === null
        ? checkpoint
        : { ...checkpoint, previous: { ...previous, sha256 } };
    sha256 = await forge(lake, number === first ? change(linked) : linked, key);
  }
}

export async function removeCheckpoint(lake: string, number: number): Promise<void> {
  await rm(fileOf(lake, number));
}

/**
 * Follows the chain of checkpoints from the first to the newest, and compares it with the witness. Needs the files and public
 * keys, and no AWS: a copy of the lake can be checked anywhere.
 */
import { hash } from 'node:crypto';
import { checkpointKey, checkpointsPrefix, parseCheckpointKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { largest } from '../shared/extremes.ts';
import { type Checkpoint, parseCheckpoint, type StoredCheckpoint } from './checkpoint.ts';
import { type CheckpointFinding, found } from './checkpoint-findings.ts';
import { signedBytes } from './envelope.ts';
import { signerOf, type TrustedKey } from './keys.ts';

export interface ChainCheck {
  readonly store: Pick<Store, 'read' | 'list' | 'url'>;
  /** Null: there is none. Without it, nobody notices that the newest checkpoints are gone. */
  readonly witness: Pick<Store, 'read' | 'list' | 'url'> | null;
  /** Empty: signatures are not checked. */
  readonly keys: readonly TrustedKey[];
  readonly onCheckpoint?: (number: number, newest: number) => void;
  readonly signal?: AbortSignal;
}

export interface CheckedChain {
  /** The newest checkpoint that is good by itself; null: there is none. */
  readonly newest: StoredCheckpoint | null;
  readonly checkpoints: number;
  /** How many of them one of the keys signed. */
  readonly signed: number;
  /** The number from which on all are signed; null: none is. */
  readonly signedFrom: number | null;
  /** How many the witness has. */
  readonly witnessed: number;
  /** The runs that have a checkpoint of their own. */
  readonly runs: ReadonlySet<string>;
  /** As-of of the first checkpoint's run, in milliseconds since the epoch; null: there is none that can be read. */
  readonly begins: number | null;
  readonly findings: readonly CheckpointFinding[];
}

/** @throws LakeError when the store or the witness cannot be read; the signal's reason */
export async function checkChain(check: ChainCheck): Promise<CheckedChain> {
  const { store, witness, keys, signal } = check;
  const inLake = await numbersIn(store, signal);
  const atWitness = witness === null ? new Map<number, string[]>() : await copiesAt(witness, signal);
  const newest = largest(inLake, 0);
  const findings: CheckpointFinding[] = [];
  const walk = new Walk(keys);
  for (let number = 1; number <= newest; number += 1) {
    signal?.throwIfAborted();
    check.onCheckpoint?.(number, newest);
    const key = checkpointKey(number);
    const object = inLake.has(number) ? await store.read(key, signal) : null;
    findings.push(...walk.step(number, object?.bytes ?? null));
    if (atWitness.size > 0)
      findings.push(...(await compared(number, object?.bytes ?? null, atWitness, check)));
  }
  if (witness !== null && atWitness.size === 0 && newest > 0) {
    const what = `The witness ${witness.url} has no checkpoint, and the lake has ${inLake.size}`;
    findings.push(found('witness-empty', checkpointsPrefix, what));
  }
  return {
    newest: walk.newest,
    checkpoints: inLake.size,
    signed: walk.signed,
    signedFrom: walk.signedFrom,
    witnessed: atWitness.size,
    runs: walk.runs,
    begins: walk.begins,
    findings: [...findings, ...rolledBack(newest, atWitness, check), ...walk.end(newest)],
  };
}

async function numbersIn(store: ChainCheck['store'], signal?: AbortSignal): Promise<ReadonlySet<number>> {
  const numbers = new Set<number>();
  for await (const key of store.list(checkpointsPrefix, {}, signal)) {
    const number = parseCheckpointKey(key);
    if (number !== null) numbers.add(number);
  }
  return numbers;
}

/** By number: a run whose copy found its place taken puts it beside, with its own hash in the name. */
async function copiesAt(witness: ChainCheck['store'], signal?: AbortSignal): Promise<Map<number, string[]>> {
  const copies = new Map<number, string[]>();
  for await (const key of witness.list(checkpointsPrefix, {}, signal)) {
    const number = parseCheckpointKey(key.replace(/\.[0-9a-f]{64}\.json$/, '.json'));
    if (number !== null) copies.set(number, [...(copies.get(number) ?? []), key]);
  }
  return copies;
}

async function compared(
  number: number,
  bytes: Uint8Array | null,
  copies: ReadonlyMap<number, readonly string[]>,
  { witness, signal }: ChainCheck,
): Promise<CheckpointFinding[]> {
  const key = checkpointKey(number);
  const there = copies.get(number) ?? [];
  if (there.length === 0) {
    return [found('witness-missing', key, `The witness ${witness?.url} has no copy of checkpoint ${number}`)];
  }
  const findings: CheckpointFinding[] = [];
  for (const copy of there) {
    const other = (await witness?.read(copy, signal))?.bytes ?? null;
    if (other === null || bytes === null || Buffer.compare(other, bytes) === 0) continue;
    const what = `The witness ${witness?.url} has another checkpoint ${number} (${copy}, SHA-256 ${hash('sha256', other)}) than the lake (SHA-256 ${hash('sha256', bytes)})`;
    findings.push(found('checkpoint-forked', key, what));
  }
  return findings;
}

function rolledBack(
  newest: number,
  copies: ReadonlyMap<number, readonly string[]>,
  { witness }: ChainCheck,
): CheckpointFinding[] {
  const newer = [...copies.keys()].filter((number) => number > newest).sort((a, b) => a - b);
  return newer.map((number) =>
    found(
      'checkpoint-rolled-back',
      checkpointKey(number),
      `The witness ${witness?.url} has checkpoint ${number}, but the newest of the lake is ${newest === 0 ? 'missing' : newest}`,
    ),
  );
}

/** Knows what the chain has said so far. */
class Walk {
  newest: StoredCheckpoint | null = null;
  signed = 0;
  signedFrom: number | null = null;
  readonly runs = new Set<string>();
  begins: number | null = null;
  readonly #keys: readonly TrustedKey[];
  #previous: { readonly number: number; readonly sha256: string | null } | null = null;
  /** Manifests that were counted before their runs wrote a checkpoint: by key, with the checkpoint that counted them. */
  readonly #adopted = new Map<string, { readonly sha256: string; readonly by: Checkpoint }>();
  readonly #unexplained: CheckpointFinding[] = [];
  /** The checkpoint of the first signature, whoever made it. */
  #firstSignature: number | null = null;

  constructor(keys: readonly TrustedKey[]) {
    this.#keys = keys;
  }

  step(number: number, bytes: Uint8Array | null): CheckpointFinding[] {
    const key = checkpointKey(number);
    if (bytes === null) {
      this.#previous = { number, sha256: null };
      return [found('checkpoint-missing', key, `Checkpoint ${number} is gone, but later ones are there`)];
    }
    const sha256 = hash('sha256', bytes);
    const before = this.#previous;
    this.#previous = { number, sha256 };
    let stored: StoredCheckpoint;
    try {
      stored = parseCheckpoint(number, bytes);
    } catch (error) {
      const why = error instanceof Error ? error.message : String(error);
      return [found('checkpoint-changed', key, `Checkpoint ${number} is damaged: ${why}`)];
    }
    this.newest = stored;
    this.#note(stored.checkpoint);
    return [...this.#linkOf(stored, before), ...this.#signatureOf(stored)];
  }

  end(newest: number): CheckpointFinding[] {
    const adopted = [...this.#adopted].map(([key, { by }]) =>
      found(
        'run-adopted',
        key,
        `Checkpoint ${by.number} counts this run, which has no checkpoint of its own`,
      ),
    );
    const unsigned =
      newest > 0 && this.#keys.length > 0 && this.#firstSignature === null
        ? [found('checkpoint-unsigned', checkpointKey(newest), 'None of the checkpoints is signed')]
        : [];
    return [...unsigned, ...adopted, ...this.#unexplained];
  }

  #linkOf(
    { key, checkpoint: { number, previous } }: StoredCheckpoint,
    before: { readonly number: number; readonly sha256: string | null } | null,
  ): CheckpointFinding[] {
    if (before === null || before.sha256 === null || previous?.sha256 === before.sha256) return [];
    return [
      found(
        'checkpoint-changed',
        checkpointKey(before.number),
        `Checkpoint ${before.number} has the SHA-256 ${before.sha256}, but checkpoint ${number} (${key}) names ${previous?.sha256}`,
      ),
    ];
  }

  #signatureOf({ key, checkpoint: { number, run_id }, envelope }: StoredCheckpoint): CheckpointFinding[] {
    if (envelope.signature === null) {
      if (this.#firstSignature === null) return [];
      const what = `Checkpoint ${number} is not signed, although checkpoint ${this.#firstSignature} is`;
      return [found('checkpoint-unsigned', key, what, { run_id })];
    }
    this.#firstSignature ??= number;
    if (this.#keys.length === 0) return [];
    if (signerOf(signedBytes(envelope.payload), envelope.signature.bytes, this.#keys) === null) {
      const what = `The signature of checkpoint ${number} was made by none of the given keys (it names the key ${envelope.signature.keyId})`;
      return [found('checkpoint-forged', key, what, { run_id })];
    }
    this.signed += 1;
    this.signedFrom ??= number;
    return [];
  }

  #note(checkpoint: Checkpoint): void {
    this.runs.add(checkpoint.run_id);
    this.begins ??= Date.parse(checkpoint.as_of);
    for (const { key, sha256 } of checkpoint.adopted) this.#adopted.set(key, { sha256, by: checkpoint });
    // The run has ended after all, and says what it wrote.
    if (this.#adopted.get(checkpoint.manifest.key)?.sha256 === checkpoint.manifest.sha256) {
      this.#adopted.delete(checkpoint.manifest.key);
    }
    for (const { key, expected, found: there } of checkpoint.unexplained) {
      const what = `The run of checkpoint ${checkpoint.number} found ${there === null ? 'nothing' : `SHA-256 ${there}`} in place of ${expected === null ? 'nothing' : `SHA-256 ${expected}`}`;
      this.#unexplained.push(
        found('part-changed-outside-runs', key, what, {
          run_id: checkpoint.run_id,
          expected: expected === null ? null : { sha256: expected, bytes: null },
          there,
        }),
      );
    }
  }
}

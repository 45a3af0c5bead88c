/**
 * Writes the checkpoint of a run: the state that the newest checkpoint has, plus what this run wrote itself, plus what other
 * runs wrote that no checkpoint includes yet. A conditional write of the next number decides between runs that end at once: the
 * slower one begins again, on top of the other's checkpoint. So the chain cannot fork.
 */
import { hash, randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { checkpointKey } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import type { WrittenPart } from '../ledger/runs.ts';
import { uncountedRuns } from './adopted-manifests.ts';
import { newestNumber, readCheckpoint } from './chain.ts';
import {
  type Checkpoint,
  type PageSummary,
  rootOf,
  type StoredCheckpoint,
  serializeCheckpoint,
  type UnexplainedPart,
} from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { type Envelope, serializeEnvelope, signedBytes } from './envelope.ts';
import type { SigningKey, TrustedKey } from './keys.ts';
import { signerOf } from './keys.ts';
import { LakeState, type StateEntry } from './lake-state.ts';
import { type PartStep, type Settled, settle, stepsOf } from './state-changes.ts';

export interface CheckpointRequest {
  readonly store: Store;
  readonly run: {
    readonly runId: string;
    /** Milliseconds since the epoch. */
    readonly asOf: number;
    readonly programVersion: string;
  };
  readonly manifest: StateEntry;
  /** The run's begin record and coverage, and its comparison with AWS's counts and rejected records if it has any. */
  readonly records: readonly StateEntry[];
  /** Every write of the run. */
  readonly written: readonly WrittenPart[];
  /** Parts that the run read and left as they are. */
  readonly unchanged: readonly StateEntry[];
  /** Null: the checkpoint is not signed. */
  readonly key: SigningKey | null;
  /** Keys whose signatures count, besides the run's own: those that signed before. */
  readonly earlierKeys: readonly TrustedKey[];
  /** The SHA-256 of what the store has under this key now; null: nothing. */
  readonly contentNow: (key: string) => Promise<string | null>;
  /** How many runs may end at once; default: 1. */
  readonly writers?: number;
  readonly signal: AbortSignal;
}

export interface MadeCheckpoint {
  readonly stored: StoredCheckpoint;
  /** It is signed, and none before it is. */
  readonly signingBegins: boolean;
  /** Other runs that it counts, and that had no checkpoint of their own. */
  readonly adoptedRuns: number;
}

/** Null: the lake's checkpoints are signed and this run has no key, so it must not add to them. */
export type CheckpointOutcome = MadeCheckpoint | null;

/** How many other runs may end in between before this one gives up. */
const fewestAttempts = 20;
/** All shards of a night may end at once, and each may be slower than all others a few times. */
const attemptsForEach = 4;
const longestWaitMs = 2_000;
const isOfTable = (page: PageSummary) => !page.name.startsWith('_ledger/');

/**
 * @throws CheckpointError when the newest checkpoint is not to be trusted, or cannot be continued; LakeError when the store
 *   fails; the signal's reason
 */
export async function writeCheckpoint(request: CheckpointRequest): Promise<CheckpointOutcome> {
  const { store, signal, writers = 1 } = request;
  const attempts = fewestAttempts + attemptsForEach * (writers - 1);
  for (let attempt = 1; attempt <= attempts; attempt += 1) {
    const number = await newestNumber(store, signal);
    const newest = number === 0 ? null : await readCheckpoint(store, number, signal);
    if (newest !== null && request.key === null && newest.envelope.signature !== null) return null;
    if (newest !== null) await refuseUntrusted(newest, request);
    const made = await writeAfter(newest, request);
    const signingBegins = request.key !== null && (newest?.envelope.signature ?? null) === null;
    if (made !== null) return { ...made, signingBegins };
    await sleep(Math.random() * Math.min(100 * attempt, longestWaitMs), undefined, { signal });
  }
  throw new CheckpointError(
    `No checkpoint could be written to ${store.url}: other runs wrote the next one ${attempts} times`,
    'Nothing is lost: the next run counts this one too. Start fewer runs at the same time.',
  );
}

/** Null if another run was faster. */
async function writeAfter(
  newest: StoredCheckpoint | null,
  request: CheckpointRequest,
): Promise<Pick<MadeCheckpoint, 'stored' | 'adoptedRuns'> | null> {
  const { store, run, key, signal } = request;
  const state = new LakeState(store, newest?.checkpoint.pages ?? [], signal);
  const { adopted, unexplained } = await bringUpToDate(state, newest, request);
  const pages = await state.write(run.runId);
  const sum = (of: (page: PageSummary) => number) =>
    pages.filter(isOfTable).reduce((total, page) => total + of(page), 0);
  const number = (newest?.checkpoint.number ?? 0) + 1;
  const checkpoint: Checkpoint = {
    format: 1,
    number,
    lake: store.url,
    run_id: run.runId,
    as_of: new Date(run.asOf).toISOString(),
    program_version: run.programVersion,
    manifest: { key: request.manifest.key, sha256: request.manifest.sha256 },
    previous:
      newest === null ? null : { number: newest.checkpoint.number, key: newest.key, sha256: newest.sha256 },
    adopted: newest === null ? [] : adopted,
    unexplained,
    root: rootOf(pages),
    parts: sum(({ objects }) => objects),
    rows: sum(({ rows }) => rows),
    bytes: sum(({ bytes }) => bytes),
    pages,
  };
  const envelope = await signed(serializeCheckpoint(checkpoint), key);
  const bytes = serializeEnvelope(envelope);
  const put = await store.put(
    {
      key: checkpointKey(number),
      body: { bytes },
      condition: { ifAbsent: true },
      writeId: randomUUID(),
      metadata: { 'run-id': run.runId },
      contentType: 'application/json',
    },
    signal,
  );
  if (!put.written) return null;
  const stored = { key: checkpointKey(number), sha256: hash('sha256', bytes), bytes, checkpoint, envelope };
  return { stored, adoptedRuns: adopted.length };
}

async function signed(payload: Uint8Array, key: SigningKey | null): Promise<Envelope> {
  if (key === null) return { payload, signature: null };
  const toSign = signedBytes(payload);
  const bytes = await key.sign(toSign);
  if (signerOf(toSign, bytes, [key.trusted]) === null) {
    throw new CheckpointError(
      'The signature that the key made does not match its public key',
      'Check --signing-key. The checkpoint was not written; the next run counts this one too.',
    );
  }
  return { payload, signature: { keyId: key.trusted.keyId, bytes } };
}

/**
 * Whoever can write to the lake could put a state of his own there, and let the run sign it. So a run with a key continues only
 * what this key, or one that it is told to trust, has signed. Without a key there is nothing to tell by.
 */
async function refuseUntrusted(newest: StoredCheckpoint, request: CheckpointRequest): Promise<void> {
  const { key, earlierKeys, store, signal } = request;
  if (key === null) return;
  const keys = [key.trusted, ...earlierKeys];
  const { envelope, checkpoint } = newest;
  if (envelope.signature !== null) {
    if (signerOf(signedBytes(envelope.payload), envelope.signature.bytes, keys) !== null) return;
    throw new CheckpointError(
      `The newest checkpoint, ${newest.key} in ${store.url}, is signed by none of the known keys, so this run signs nothing after it`,
      'If the signing key was replaced, name the earlier public key with --public-key. If not, somebody forged the checkpoint: run verify with --public-key and --witness.',
    );
  }
  // Signing begins with this run, unless a signature was removed.
  for (let number = checkpoint.number - 1; number >= 1; number -= 1) {
    const earlier = await readCheckpoint(store, number, signal);
    if (earlier.envelope.signature === null) continue;
    throw new CheckpointError(
      `The newest checkpoint, ${newest.key} in ${store.url}, is not signed, although ${earlier.key} is, so this run signs nothing after it`,
      'Somebody removed its signature, or wrote it without the key: run verify with --public-key and --witness.',
    );
  }
}

async function bringUpToDate(
  state: LakeState,
  newest: StoredCheckpoint | null,
  request: CheckpointRequest,
): Promise<Pick<Checkpoint, 'adopted' | 'unexplained'>> {
  const { store, run, manifest, signal } = request;
  const since = newest === null ? null : Date.parse(newest.checkpoint.as_of);
  const { ended: others, begun } = await uncountedRuns(store, state, {
    since,
    asOf: run.asOf,
    own: manifest.key,
    signal,
  });
  // Another run may have ended first, and counted this one by its manifest. What replaced its writes is counted too then.
  const isCounted = (await state.get(manifest.key))?.sha256 === manifest.sha256;
  const written = isCounted ? [] : request.written;
  for (const entry of [
    ...begun,
    ...others.flatMap((one) => [one.manifest, ...one.records]),
    manifest,
    ...request.records,
  ]) {
    await state.set(entry);
  }
  const read = request.unchanged.map((entry): PartStep => ({ ...entry, before: entry.sha256 }));
  const steps = [...stepsOf([...others.map(({ parts }) => parts), written]), ...read];
  const removed = new Set(others.flatMap((one) => one.removed));
  const unexplained: UnexplainedPart[] = [];
  let doubts: Promise<readonly UnexplainedPart[]> | undefined;
  for (const [key, ofPart] of Map.groupBy(steps, (step) => step.key)) {
    const known = await state.get(key);
    const settled = await settledNow(known, ofPart, () => request.contentNow(key));
    for (const found of settled.unexplained) {
      if (found === null && removed.has(key)) continue;
      doubts ??= earlierDoubts(newest, request);
      if (isExplainedNow(await doubts, found, ofPart)) continue;
      // The first checkpoint has nothing to compare with but manifests, and a run may have died before it wrote one.
      unexplained.push({ key, expected: known?.sha256 ?? null, found });
    }
    const current = await currentOf(settled.candidates, () => request.contentNow(key));
    if (current !== null && current.sha256 !== known?.sha256) await state.set(current);
  }
  for (const key of removed) {
    if ((await request.contentNow(key)) === null) await state.remove(key);
  }
  return { adopted: others.map(({ manifest: { key, sha256 } }) => ({ key, sha256 })), unexplained };
}

/** How many checkpoints can lie between one that was made while a run was at work, and that run's own. */
const checkpointsInBetween = 8;

/** What the last checkpoints found in parts, without a run that had written it. */
async function earlierDoubts(
  newest: StoredCheckpoint | null,
  { store, signal }: CheckpointRequest,
): Promise<readonly UnexplainedPart[]> {
  const doubts = [...(newest?.checkpoint.unexplained ?? [])];
  const last = newest?.checkpoint.number ?? 0;
  for (let number = last - 1; number >= 1 && number > last - checkpointsInBetween; number -= 1) {
    try {
      const { checkpoint } = await readCheckpoint(store, number, signal);
      for (const doubt of checkpoint.unexplained) doubts.push(doubt);
    } catch (error) {
      if (error instanceof CheckpointError) break;
      throw error;
    }
  }
  return doubts;
}

/**
 * A checkpoint that was made while this run was at work found what this run had written, and named it. So the state went on
 * from there, and no longer has the content that this run replaced.
 */
function isExplainedNow(
  doubts: readonly UnexplainedPart[],
  found: string | null,
  steps: readonly PartStep[],
): boolean {
  return steps
    .filter(({ before }) => before === found)
    .every(({ key, before, sha256 }) =>
      doubts.some((doubt) => doubt.key === key && doubt.expected === before && doubt.found === sha256),
    );
}

/**
 * What the run read and left alone, a run that is counted already may have replaced since. Then the part itself is what the
 * writes explain, and the earlier read is no reason for doubt.
 */
async function settledNow(
  known: StateEntry | null,
  steps: readonly PartStep[],
  contentNow: () => Promise<string | null>,
): Promise<Settled> {
  const settled = settle(known, steps);
  const writes = steps.filter(({ before, sha256 }) => before !== sha256);
  if (settled.unexplained.length === 0 || writes.length === steps.length) return settled;
  const explained = settle(known, writes);
  const now = await contentNow();
  return explained.candidates.some(({ sha256 }) => sha256 === now) ? explained : settled;
}

/** Of several contents, the one that is there; if none is, a run that ends later has written another, and will say so. */
async function currentOf(
  candidates: readonly StateEntry[],
  contentNow: () => Promise<string | null>,
): Promise<StateEntry | null> {
  if (candidates.length <= 1) return candidates[0] ?? null;
  const now = await contentNow();
  return candidates.find(({ sha256 }) => sha256 === now) ?? candidates.at(-1) ?? null;
}

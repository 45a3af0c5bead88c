/** Which content a damaged object should have. */
import { hash } from 'node:crypto';
import { parseCheckpoint, type StoredCheckpoint } from '../checkpoints/checkpoint.ts';
import { signedBytes } from '../checkpoints/envelope.ts';
import { signerOf, type TrustedKey } from '../checkpoints/keys.ts';
import { isPage } from '../checkpoints/lake-state.ts';
import { parseRecord } from '../lake/lake-record.ts';
import {
  checkpointKey,
  isStatePageKey,
  lakeKey,
  parseCheckpointKey,
  runsPrefix,
  statePagesPrefix,
} from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { ReportedError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { Finding } from '../verify/finding.ts';
import type { Wanted } from './sources.ts';

export interface WantedOptions {
  readonly store: Pick<Store, 'read'>;
  readonly keys: readonly TrustedKey[];
  /** Every key that something was found about. */
  readonly damaged: ReadonlySet<string>;
  readonly signal: AbortSignal;
}

/** Null: nothing says what the object should be. */
export async function wantedOf(
  key: string,
  findings: readonly Finding[],
  options: WantedOptions,
): Promise<Wanted | null> {
  const number = parseCheckpointKey(key);
  if (number !== null) return await wantedCheckpoint(key, number, options);
  if (isStatePageKey(key)) {
    const root = key.slice(statePagesPrefix.length, -'.tsv'.length);
    return { key, sha256: null, accepts: (bytes) => isPage(bytes, root), oldestFirst: true };
  }
  // What a checkpoint names may be signed; what a manifest names is not.
  const named = [...findings].sort((a, b) => rank(b) - rank(a)).find(({ expected }) => expected !== null);
  if (named?.expected != null) return withHash(key, named.expected.sha256);
  if (key === lakeKey) return { key, sha256: null, accepts: isLakeRecord, oldestFirst: false };
  if (key.startsWith(runsPrefix)) {
    return { key, sha256: null, accepts: (bytes) => isOfRun(bytes, runIdIn(key)), oldestFirst: true };
  }
  return null;
}

function rank({ kind }: Finding): number {
  return kind === 'object-unproven' ? 1 : 0;
}

function withHash(key: string, sha256: string): Wanted {
  return { key, sha256, accepts: (bytes) => hash('sha256', bytes) === sha256, oldestFirst: false };
}

async function wantedCheckpoint(
  key: string,
  number: number,
  { store, keys, damaged, signal }: WantedOptions,
): Promise<Wanted> {
  const next = checkpointKey(number + 1);
  const follower = damaged.has(next) ? null : await store.read(next, signal);
  const previous = follower === null ? null : parsed(number + 1, follower.bytes)?.checkpoint.previous;
  if (previous != null) return withHash(key, previous.sha256);
  const accepts = (bytes: Uint8Array) => {
    const stored = parsed(number, bytes);
    return stored !== null && (keys.length === 0 || isSigned(stored, keys));
  };
  return { key, sha256: null, accepts, oldestFirst: true };
}

function isSigned(
  { envelope: { payload, signature } }: StoredCheckpoint,
  keys: readonly TrustedKey[],
): boolean {
  return signature !== null && signerOf(signedBytes(payload), signature.bytes, keys) !== null;
}

function parsed(number: number, bytes: Uint8Array): StoredCheckpoint | null {
  try {
    return parseCheckpoint(number, bytes);
  } catch {
    return null;
  }
}

function isLakeRecord(bytes: Uint8Array): boolean {
  try {
    return parseRecord(bytes, '', lakeTables).sealed;
  } catch (error) {
    if (error instanceof ReportedError) return false;
    throw error;
  }
}

function runIdIn(key: string): string {
  return key.slice(key.lastIndexOf('/') + 1).replace(/(\.begin)?\.json$/, '');
}

function isOfRun(bytes: Uint8Array, runId: string): boolean {
  try {
    const record: unknown = JSON.parse(Buffer.from(bytes).toString('utf8'));
    return typeof record === 'object' && record !== null && 'run_id' in record && record.run_id === runId;
  } catch {
    return false;
  }
}

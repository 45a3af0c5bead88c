/** What the newest checkpoint says of manifests, so that an edited one is told as such, and what it says does not count. */
import { newestNumber, readCheckpoint } from '../checkpoints/chain.ts';
import { CheckpointError } from '../checkpoints/checkpoint-error.ts';
import { signedBytes } from '../checkpoints/envelope.ts';
import { signerOf, type TrustedKey } from '../checkpoints/keys.ts';
import { readPage } from '../checkpoints/lake-state.ts';
import { parseRunKey, runsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { AlteredObjectError, LinkError } from '../shared/errors.ts';

export type WitnessedManifests = ReadonlyMap<
  string,
  { readonly sha256: string; readonly checkpoint: number }
>;

/**
 * By key. Empty if there is no checkpoint that can be believed: what is wrong with it is found when the checkpoints are checked.
 * @param keys if there are any, one of them must have signed it
 */
export async function manifestsInCheckpoint(
  store: Pick<Store, 'read' | 'list' | 'url'>,
  keys: readonly TrustedKey[],
  signal: AbortSignal,
): Promise<WitnessedManifests> {
  const manifests = new Map<string, { readonly sha256: string; readonly checkpoint: number }>();
  try {
    const number = await newestNumber(store, signal);
    if (number === 0) return manifests;
    const { envelope, checkpoint } = await readCheckpoint(store, number, signal);
    const { payload, signature } = envelope;
    const isSigned = signature !== null && signerOf(signedBytes(payload), signature.bytes, keys) !== null;
    if (keys.length > 0 && !isSigned) return manifests;
    for (const page of checkpoint.pages.filter(({ name }) => name.startsWith(runsPrefix))) {
      for (const { key, sha256 } of await readPage(store, page, signal)) {
        if (parseRunKey(key)?.record === 'manifest') manifests.set(key, { sha256, checkpoint: number });
      }
    }
    return manifests;
  } catch (error) {
    const isDamage = [CheckpointError, LinkError, AlteredObjectError].some((kind) => error instanceof kind);
    if (!isDamage) throw error;
    return new Map();
  }
}

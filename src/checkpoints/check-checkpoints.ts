/** All that the checkpoints of a lake prove: the chain, the witness, and the objects as they are now. */
import { hash } from 'node:crypto';
import { type ChainCheck, type CheckedChain, checkChain } from './check-chain.ts';
import { checkState, type StateCheck } from './check-state.ts';
import type { CheckpointFinding } from './checkpoint-findings.ts';

export interface CheckpointsCheck extends ChainCheck {
  /** The SHA-256 of an object's bytes now, if it is known already; undefined: it is read. */
  readonly known?: (key: string) => string | null | undefined;
  readonly onObject?: NonNullable<StateCheck['onObject']>;
  readonly isRefused?: NonNullable<StateCheck['isRefused']>;
}

export interface CheckedCheckpoints extends CheckedChain {
  /** How many objects were compared with the newest checkpoint. */
  readonly objects: number;
}

/** @throws LakeError when the store or the witness cannot be read; the signal's reason */
export async function checkCheckpoints(check: CheckpointsCheck): Promise<CheckedCheckpoints> {
  const chain = await checkChain(check);
  const findings: CheckpointFinding[] = [...chain.findings];
  let objects = 0;
  if (chain.newest !== null) {
    const { store, known, isRefused, signal } = check;
    const contentOf = async (key: string): Promise<string | null> => {
      const before = known?.(key);
      if (before !== undefined) return before;
      const found = await store.read(key, signal);
      return found === null ? null : hash('sha256', found.bytes);
    };
    const onObject = (key: string) => {
      objects += 1;
      check.onObject?.(key);
    };
    const state = {
      ...{ store, newest: chain.newest, contentOf, onObject },
      ...(isRefused && { isRefused }),
      ...(signal && { signal }),
    };
    for await (const finding of checkState(state)) findings.push(finding);
  }
  return { ...chain, findings, objects };
}

/** Compares the lake with its checkpoints, on top of what was found without them. */
import { type CheckedCheckpoints, checkCheckpoints } from '../checkpoints/check-checkpoints.ts';
import type { CheckpointFinding } from '../checkpoints/checkpoint-findings.ts';
import type { TrustedKey } from '../checkpoints/keys.ts';
import { checkpointsPrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { LinkError } from '../shared/errors.ts';
import { finding } from './finding.ts';
import type { Ledger } from './ledger.ts';
import type { Look } from './look.ts';
import { linkText } from './read-object.ts';

export interface SignedState {
  readonly checkpoints: number;
  /** How many of them one of the keys signed. */
  readonly signed: number;
  /** Null: no key was given. */
  readonly keys: number | null;
  /** Copies at the witness; null: none was named. */
  readonly witnessed: number | null;
  /** Objects that were compared with the newest checkpoint. */
  readonly objects: number;
  /** Runs that had ended before the first checkpoint, which counted them as their manifests said. */
  readonly runsBefore: number;
}

export interface SignedStateOptions {
  readonly store: Pick<Store, 'read' | 'list' | 'url'>;
  readonly witness: Store | null;
  /** Empty: signatures are not checked. */
  readonly keys: readonly TrustedKey[];
  readonly ledger: Ledger;
  /** The ledger, with all writes of these keys. */
  readonly ledgerOf: (keys: ReadonlySet<string>) => Promise<Ledger>;
  readonly look: Look;
  readonly signal: AbortSignal;
}

/**
 * Objects that were read are compared by the SHA-256 that was read, the others by the one that the ledger names. If
 * something differs, a run may have ended in between: then those objects are read again, with the newest checkpoint.
 */
export async function checkSignedState(options: SignedStateOptions): Promise<SignedState> {
  const { keys, look } = options;
  try {
    const state = await compare(options);
    if (keys.length > 0 && state.checkpoints === 0) {
      look.note(
        'checkpoint-unsigned',
        checkpointsPrefix,
        'the lake has no checkpoint, although a public key was given',
      );
    }
    return state;
  } catch (error) {
    if (!(error instanceof LinkError)) throw error;
    // Nobody can list what is behind a link. The objects of the tables have shown it already.
    if (!look.findings.some(({ kind }) => kind === 'symbolic-link')) {
      look.note('symbolic-link', checkpointsPrefix, linkText(error));
    }
    return {
      checkpoints: 0,
      signed: 0,
      keys: keys.length || null,
      witnessed: null,
      objects: 0,
      runsBefore: 0,
    };
  }
}

async function compare(options: SignedStateOptions): Promise<SignedState> {
  const { store, witness, keys, look, signal } = options;
  const check = (known: (key: string) => string | null | undefined) =>
    checkCheckpoints({ store, witness, keys, known, isRefused: (key) => look.refused.has(key), signal });
  let checked = await check((key) => knownContent(key, options));
  const differing = new Set(
    checked.findings.filter(({ kind }) => kind === 'object-unproven').map(({ key }) => key),
  );
  if (differing.size > 0) {
    // What differed from the ledger has been read a second time already.
    const isToRead = (key: string) => differing.has(key) && !look.contents.has(key);
    checked = await check((key) => (isToRead(key) ? undefined : knownContent(key, options)));
  }
  const explained = await explainedSince(checked, options);
  for (const one of relevant(checked, options)) {
    const { kind, key, what, run_id, expected } = one;
    if (!explained.has(one)) look.add(finding(kind, key, what, { run_id, expected }));
  }
  return {
    checkpoints: checked.checkpoints,
    signed: checked.signed,
    keys: keys.length === 0 ? null : keys.length,
    witnessed: witness === null ? null : checked.witnessed,
    objects: checked.objects,
    runsBefore: runsBefore(checked, options.ledger),
  };
}

function runsBefore({ begins, runs: counted }: CheckedCheckpoints, { runs, manifestKeys }: Ledger): number {
  if (begins === null) return 0;
  const earlier = [...manifestKeys.keys()].filter(
    (runId) => !counted.has(runId) && (runs.get(runId)?.asOf ?? begins) < begins,
  );
  return earlier.length;
}

/**
 * A run found in a part what another had written that had not ended, and named it in its checkpoint. The other one's
 * manifest says so by now.
 */
async function explainedSince(
  { findings }: CheckedCheckpoints,
  { ledgerOf }: SignedStateOptions,
): Promise<ReadonlySet<CheckpointFinding>> {
  const doubts = findings.filter(({ kind }) => kind === 'part-changed-outside-runs');
  if (doubts.length === 0) return new Set();
  const { expected } = await ledgerOf(new Set(doubts.map(({ key }) => key)));
  const isExplained = ({ key, there, expected: before }: CheckpointFinding) =>
    expected
      .history(key)
      .some((write) => write.sha256 === there && write.before === (before?.sha256 ?? null));
  return new Set(doubts.filter(isExplained));
}

/** Undefined: it has to be read. */
function knownContent(key: string, { ledger, look }: SignedStateOptions): string | null | undefined {
  const seen = look.contents.get(key);
  if (seen !== undefined) return seen;
  return ledger.manifestHashes.get(key) ?? ledger.expected.get(key)?.writes.at(-1)?.sha256;
}

/** Left by runs that died. The ledger itself explains them; only a signature asks for more. */
const onlyOfSigned: ReadonlySet<string> = new Set([
  'run-unproven',
  'run-adopted',
  'part-changed-outside-runs',
]);

/**
 * What the ledger itself has shown is told once. Without a key, a checkpoint proves no more than the ledger does: what a run
 * left that died, or that has not written its checkpoint yet, is no damage then.
 */
function relevant(
  { findings }: CheckedCheckpoints,
  { look, ledger, keys }: SignedStateOptions,
): CheckedCheckpoints['findings'] {
  const known = new Set(look.findings.map(({ key }) => key));
  const uncounted = new Set(findings.filter(({ kind }) => kind === 'run-unproven').map(({ key }) => key));
  const isOfUncountedRun = (key: string): boolean =>
    look.unproven.has(key) ||
    uncounted.has(ledger.manifestKeys.get(ledger.expected.removedBy(key) ?? '') ?? '') ||
    (ledger.expected.get(key)?.writes ?? []).some(({ runId }) =>
      uncounted.has(ledger.manifestKeys.get(runId) ?? ''),
    );
  return findings.filter(({ kind, key }) => {
    if (kind === 'object-unproven' && known.has(key)) return false;
    if (keys.length > 0) return true;
    return !onlyOfSigned.has(kind) && !(kind === 'object-unproven' && isOfUncountedRun(key));
  });
}

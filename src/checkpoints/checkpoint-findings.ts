/** What can be wrong with checkpoints: a closed list of kinds, in the form of the list of src/verify/finding.ts. */

const findOut =
  'Find out who had access to the lake, and restore the object’s earlier version (docs/recovery.md).';

/** In the order in which the verdict lists them. */
export const checkpointFindingKinds = {
  'checkpoint-rolled-back': {
    severity: 'damage',
    meaning:
      'The witness has newer checkpoints than the lake: somebody removed the newest runs, or rolled back the whole lake.',
    remedy: 'Restore the lake’s newest versions (docs/recovery.md). Until then, do not run export.',
  },
  'checkpoint-forked': {
    severity: 'damage',
    meaning: 'The lake and its witness have different checkpoints of one number.',
    remedy: findOut,
  },
  'checkpoint-missing': {
    severity: 'damage',
    meaning: 'A checkpoint is gone, although a later one names it.',
    remedy: 'Copy it from the witness, or restore its earlier version (docs/recovery.md).',
  },
  'checkpoint-changed': {
    severity: 'damage',
    meaning: 'A checkpoint is unreadable, or its SHA-256 is not the one that the next one names.',
    remedy: findOut,
  },
  'checkpoint-forged': {
    severity: 'damage',
    meaning: 'A checkpoint has a signature, but none of the given keys made it.',
    remedy:
      'If the signing key was replaced, give both public keys. If not, find out who wrote the checkpoint.',
  },
  'checkpoint-unsigned': {
    severity: 'damage',
    meaning:
      'A checkpoint has no signature, although an earlier one has, or although a public key was given.',
    remedy: findOut,
  },
  'state-page-damaged': {
    severity: 'damage',
    meaning: 'A page of the state that the newest checkpoint names is gone, or its Merkle root is another.',
    remedy: findOut,
  },
  'run-unproven': {
    severity: 'damage',
    meaning: 'A run ended after the newest checkpoint, so no signature covers it.',
    remedy:
      'If checkpoints are missing or rolled back, mend those first. If not, run export with the signing key: its checkpoint includes this run too, and names it.',
  },
  'object-unproven': {
    severity: 'damage',
    meaning:
      'A part or a record of the ledger is not the one that the newest checkpoint names, or is gone, or is new.',
    remedy:
      'If a run is under way, verify again when it has ended. If other findings say that the checkpoint is not the newest, mend those first: the object may be newer, and right. If not, restore the version with the SHA-256 that the checkpoint names (docs/recovery.md).',
  },
  'witness-empty': {
    severity: 'damage',
    meaning:
      'The witness has no checkpoint at all, although the lake has some, so nothing was compared with it.',
    remedy:
      'Check that --witness names the place that export copies to. If it does, somebody emptied it, or no run has copied anything there yet: run export with --witness.',
  },
  'witness-missing': {
    severity: 'warning',
    meaning: 'The witness lacks a copy of a checkpoint. The next one there still proves it.',
    remedy:
      'Check that --witness names the place that export copies to. If it does, find out why the copy is missing: a run that cannot make it ends with exit code 74. The next run copies what is missing.',
  },
  'run-adopted': {
    severity: 'warning',
    meaning:
      'A run has no checkpoint of its own. The checkpoint of a later run includes it, by its manifest, which nobody had signed until then.',
    remedy:
      'Check that the run took place: an export, for example in the scheduler’s history; a rebucket, with the person who runs it by hand.',
  },
  'part-changed-outside-runs': {
    severity: 'warning',
    meaning: 'A run found a part with a content that no manifest names, and went on from there.',
    remedy: 'If no run died before that checkpoint, find out who changed the part.',
  },
} as const satisfies Readonly<
  Record<
    string,
    { readonly severity: 'damage' | 'warning'; readonly meaning: string; readonly remedy: string }
  >
>;

export type CheckpointFindingKind = keyof typeof checkpointFindingKinds;

export interface CheckpointFinding {
  readonly kind: CheckpointFindingKind;
  /** The object, relative to the lake. */
  readonly key: string;
  readonly run_id: string | null;
  /** One sentence, without a full stop. */
  readonly what: string;
  /** What the newest checkpoint names; null: nothing. */
  readonly expected: { readonly sha256: string; readonly bytes: number | null } | null;
  /** The SHA-256 of what a run found in place of that; null: nothing, or the finding is of another kind. */
  readonly there: string | null;
}

export function found(
  kind: CheckpointFindingKind,
  key: string,
  what: string,
  facts: Partial<Pick<CheckpointFinding, 'run_id' | 'expected' | 'there'>> = {},
): CheckpointFinding {
  return { kind, key, run_id: null, what, expected: null, there: null, ...facts };
}

/** What `verify` can find: a closed list of kinds, each with its severity and with what to do about it. */
import { checkpointFindingKinds } from '../checkpoints/checkpoint-findings.ts';

/**
 * `damage`: the lake is not what its ledger says, or its rows are not what a part may hold. `warning`: the ledger's caches,
 * which the program makes anew; no row depends on them.
 */
export type Severity = 'damage' | 'warning';

interface Kind {
  readonly severity: Severity;
  /** A sentence for the documentation: what is wrong. */
  readonly meaning: string;
  /** What a person does about it. */
  readonly remedy: string;
}

const restorePart =
  'Restore the version of the object whose SHA-256 the ledger names, then run export --since all (docs/recovery.md).';
const restoreRecord = 'Restore the object’s earlier version (docs/recovery.md).';
const rewrite =
  'Restore an earlier version that verify accepts (docs/recovery.md). If the program wrote the part like this, please report it.';

/** In the order in which the verdict lists them. */
export const findingKinds = {
  'lake-record-missing': {
    severity: 'damage',
    meaning: '`_ledger/lake.json` is missing, so the number of buckets is known only from the begin records.',
    remedy: restoreRecord,
  },
  'lake-record-changed': {
    severity: 'damage',
    meaning: '`_ledger/lake.json` was edited, is unreadable, or contradicts the begin records.',
    remedy: restoreRecord,
  },
  'manifest-missing': {
    severity: 'damage',
    meaning:
      'A run ended, but its manifest is gone: a later manifest, a checkpoint or a watermark proves that it existed.',
    remedy: restoreRecord,
  },
  'manifest-changed': {
    severity: 'damage',
    meaning:
      'A manifest is unreadable, or its SHA-256 is not the one that a later manifest or the newest checkpoint names.',
    remedy: restoreRecord,
  },
  'manifest-unchained': {
    severity: 'damage',
    meaning: 'No later manifest names this one, although a later run had to.',
    remedy:
      'Find out who put it there. If a person restored it after the later run, the next run names it, and the finding ends.',
  },
  'begin-record-missing': {
    severity: 'damage',
    meaning: 'A run has a manifest, a coverage file, rejected records or parts, but no begin record.',
    remedy: restoreRecord,
  },
  'begin-record-changed': {
    severity: 'damage',
    meaning:
      'A begin record is unreadable, names another run than its key, or is not the one that the manifest of its run names.',
    remedy: restoreRecord,
  },
  'coverage-missing': {
    severity: 'damage',
    meaning:
      'The file of a run in `export_coverage` or `export_reconciliation` that its manifest names is gone.',
    remedy: restoreRecord,
  },
  'coverage-changed': {
    severity: 'damage',
    meaning:
      'The file of a run in `export_coverage` or `export_reconciliation` is not the one that its manifest names, or is unreadable.',
    remedy: restoreRecord,
  },
  'rejected-missing': {
    severity: 'damage',
    meaning: 'The file of rejected records that a manifest names is gone.',
    remedy: restoreRecord,
  },
  'rejected-changed': {
    severity: 'damage',
    meaning: 'A file of rejected records is not the one that its manifest names.',
    remedy: restoreRecord,
  },
  'part-missing': {
    severity: 'damage',
    meaning: 'A part that the ledger names is gone.',
    remedy: restorePart,
  },
  'part-rolled-back': {
    severity: 'damage',
    meaning: 'A part is an earlier version of itself: the ledger names a later one.',
    remedy: restorePart,
  },
  'part-misplaced': {
    severity: 'damage',
    meaning: 'A part belongs under another key: somebody swapped, moved or copied it.',
    remedy: `${restorePart} If the ledger names no part for this key, move the object out of the lake.`,
  },
  'part-unreadable': {
    severity: 'damage',
    meaning: 'A part is not a complete Parquet file.',
    remedy: restorePart,
  },
  'part-changed': {
    severity: 'damage',
    meaning: 'The bytes of a part are not those that the ledger names.',
    remedy: restorePart,
  },
  'part-unexplained': {
    severity: 'damage',
    meaning: 'No run of the ledger can have written this part.',
    remedy: 'Find out who put it there, then move it out of the lake (docs/recovery.md).',
  },
  'foreign-object': {
    severity: 'damage',
    meaning:
      'An object below a table or in the ledger is none of this program’s: other readers may count its rows.',
    remedy: 'Move it out of the lake (docs/recovery.md).',
  },
  'symbolic-link': {
    severity: 'damage',
    meaning: 'An object or a folder of a local lake is a symbolic link, which every job refuses to follow.',
    remedy: 'Remove the link, or replace it by what it points to. Only the lake’s own folder may be a link.',
  },
  'row-count-wrong': {
    severity: 'damage',
    meaning: 'A part has another number of rows than the ledger says, although its bytes are the right ones.',
    remedy: rewrite,
  },
  'schema-wrong': {
    severity: 'damage',
    meaning: 'A part lacks a column, has an unknown one, or has one of another type.',
    remedy: rewrite,
  },
  'rows-doubled': {
    severity: 'damage',
    meaning: 'A key is there more than once.',
    remedy: rewrite,
  },
  'rows-of-another-partition': {
    severity: 'damage',
    meaning: 'A part has rows of another day than its key.',
    remedy: rewrite,
  },
  'rows-of-another-bucket': {
    severity: 'damage',
    meaning: 'A part has rows of accounts that belong to another bucket.',
    remedy: rewrite,
  },
  'rows-unsorted': {
    severity: 'damage',
    meaning: 'The rows of a part are not in the table’s order.',
    remedy: rewrite,
  },
  'statistics-wrong': {
    severity: 'damage',
    meaning: 'A minimum, maximum or count of nulls in a part’s footer is not true: readers would skip rows.',
    remedy: rewrite,
  },
  'derived-wrong': {
    severity: 'damage',
    meaning: 'A derived column of a row is not what its other columns give.',
    remedy: rewrite,
  },
  'watermark-unproven': {
    severity: 'damage',
    meaning: 'A watermark claims an interval that no coverage proves, so the next run may not read it.',
    remedy:
      'Delete the file of watermarks. The next run reads everything that AWS still keeps, and writes it anew.',
  },
  'creation-dates-wrong': {
    severity: 'damage',
    meaning:
      'The cache of creation dates has another day for a job than its part, so the next run may write the job a second time.',
    remedy:
      'Delete the file in _ledger/creation-dates/. The next run makes it anew from the parts. Find out who changed it.',
  },
  'watermarks-unreadable': {
    severity: 'warning',
    meaning: 'A file of watermarks is unreadable. The next run reads everything and writes it anew.',
    remedy: 'Run export. Find out who changed the file.',
  },
  'creation-dates-unreadable': {
    severity: 'warning',
    meaning: 'A cache of creation dates is damaged or incomplete. The next run makes it anew from the parts.',
    remedy: 'Run export. Find out who changed the file.',
  },
  ...checkpointFindingKinds,
} as const satisfies Readonly<Record<string, Kind>>;

export type FindingKind = keyof typeof findingKinds;

export interface Finding {
  readonly kind: FindingKind;
  readonly severity: Severity;
  /** The object, relative to the lake. */
  readonly key: string;
  /** The run that should have written it, or did; null: unknown. */
  readonly run_id: string | null;
  /** One sentence, without a full stop. */
  readonly what: string;
  readonly remedy: string;
  /** The object that the ledger names; null: it names none. A restored version is right if its SHA-256 is this one. */
  readonly expected: { readonly sha256: string; readonly bytes: number | null } | null;
}

export function finding(
  kind: FindingKind,
  key: string,
  what: string,
  facts: Partial<Pick<Finding, 'run_id' | 'expected'>> = {},
): Finding {
  const { severity, remedy } = findingKinds[kind];
  return { kind, severity, key, run_id: null, what, remedy, expected: null, ...facts };
}

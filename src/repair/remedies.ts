/** What can be done about each kind of finding: the table from which a repair is planned. */
import type { FindingKind } from '../verify/finding.ts';

/**
 * `restore`: a content whose SHA-256 the ledger or a checkpoint names, or that is good by itself, is written back.
 * `hide`: the object does not belong there, or is a cache that the next run makes anew; a delete marker hides it, and its
 * version stays. `reset`: a cache is emptied, and
 * the next run fills it. `run`: the next run mends it. `person`: nobody but a person can decide.
 */
export type Remedy = 'restore' | 'hide' | 'reset' | 'run' | 'person';

export const remedies = {
  'lake-record-missing': 'restore',
  'lake-record-changed': 'restore',
  'manifest-missing': 'restore',
  'manifest-changed': 'restore',
  'manifest-unchained': 'person',
  'begin-record-missing': 'restore',
  'begin-record-changed': 'restore',
  'coverage-missing': 'restore',
  'coverage-changed': 'restore',
  'rejected-missing': 'restore',
  'rejected-changed': 'restore',
  'part-missing': 'restore',
  'part-rolled-back': 'restore',
  'part-misplaced': 'restore',
  'part-unreadable': 'restore',
  'part-changed': 'restore',
  'part-unexplained': 'hide',
  'foreign-object': 'hide',
  'symbolic-link': 'person',
  'row-count-wrong': 'restore',
  'schema-wrong': 'restore',
  'rows-doubled': 'restore',
  'rows-of-another-partition': 'restore',
  'rows-of-another-bucket': 'restore',
  'rows-unsorted': 'restore',
  'statistics-wrong': 'restore',
  'derived-wrong': 'restore',
  'watermark-unproven': 'reset',
  'watermarks-unreadable': 'reset',
  'creation-dates-wrong': 'hide',
  'creation-dates-unreadable': 'run',
  'checkpoint-rolled-back': 'restore',
  'checkpoint-forked': 'restore',
  'checkpoint-missing': 'restore',
  'checkpoint-changed': 'restore',
  'checkpoint-forged': 'restore',
  'checkpoint-unsigned': 'restore',
  'state-page-damaged': 'restore',
  'run-unproven': 'run',
  'object-unproven': 'restore',
  'witness-empty': 'person',
  'witness-missing': 'run',
  'run-adopted': 'person',
  'part-changed-outside-runs': 'person',
} as const satisfies Readonly<Record<FindingKind, Remedy>>;

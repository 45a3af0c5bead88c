/** What a run wrote besides parts, as objects of the lake's state. */
import type { Manifest } from '../ledger/runs.ts';
import type { StateEntry } from './lake-state.ts';

/** The run's begin record and coverage, and its comparison with AWS's counts and rejected records if it has any. */
export function recordEntries({
  coverage,
  reconciliation,
  rejected,
  begin,
}: Pick<Manifest, 'coverage' | 'reconciliation' | 'rejected' | 'begin'>): readonly StateEntry[] {
  const tables = reconciliation === null ? [coverage] : [coverage, reconciliation];
  const entries: readonly StateEntry[] = [
    ...(begin === undefined ? [] : [{ ...begin, rows: null }]),
    ...tables.map(({ key, sha256, bytes = null, rows }) => ({ key, sha256, bytes, rows })),
  ];
  if (rejected === null) return entries;
  return [...entries, { key: rejected.key, sha256: rejected.sha256, bytes: null, rows: rejected.records }];
}

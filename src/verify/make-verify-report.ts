/** Makes the report of a look. */
import { tablePrefix } from '../lake/layout.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { findingKinds } from './finding.ts';
import type { Ledger } from './ledger.ts';
import type { Look } from './look.ts';
import type { Scope } from './scope.ts';
import type { SignedState } from './signed-state.ts';
import { statements } from './verdict-statements.ts';
import type { VerifyReport } from './verify-report.ts';

export interface Looked {
  readonly lake: string;
  readonly programVersion: string;
  readonly scope: Scope;
  readonly quick: boolean;
  /** Milliseconds since the epoch. */
  readonly startedAt: number;
  readonly endedAt: number;
  /** The last part that was read before the time was up; null: all were read. */
  readonly stoppedAfter: string | null;
  readonly ledger: Ledger;
  readonly look: Look;
  readonly signed: SignedState;
}

export function reportOf(looked: Looked): VerifyReport {
  const { scope, ledger, look, signed } = looked;
  const order = Object.keys(findingKinds);
  const findings = look.findings.toSorted(
    (a, b) => order.indexOf(a.kind) - order.indexOf(b.kind) || (a.key < b.key ? -1 : 1),
  );
  const isDamaged = findings.some(({ severity }) => severity === 'damage');
  const { counts } = look;
  const runs = [...ledger.runs.values()];
  const facts = {
    exit_code: isDamaged ? 80 : 0,
    verdict: isDamaged ? 'damaged' : findings.length > 0 ? 'warnings' : 'clean',
    lake: looked.lake,
    started_at: new Date(looked.startedAt).toISOString(),
    ended_at: new Date(looked.endedAt).toISOString(),
    program_version: looked.programVersion,
    since: scope.since,
    subset: scope.subset,
    quick: looked.quick,
    complete: looked.stoppedAfter === null,
    resume_after: looked.stoppedAfter,
    checked: {
      runs: runs.length,
      unfinished_runs: runs.filter(({ state }) => state === 'unfinished').length,
      manifests: ledger.manifests,
      parts: counts.parts,
      rows: counts.rows,
      bytes: counts.bytes,
      coverage_files: counts.coverageFiles,
      rejected_files: counts.rejectedFiles,
      begin_records: counts.beginRecords,
      watermarks: counts.watermarks,
      checkpoints: signed.checkpoints,
      signed_checkpoints: signed.signed,
      witness_copies: signed.witnessed,
      objects_in_newest_checkpoint: signed.objects,
    },
    parts_in_lake: partsAmong(new Set([...ledger.expected.keys(), ...look.unnamed])),
    parts_without_manifest: partsAmong(look.unproven),
    findings,
  } as const satisfies Omit<VerifyReport, 'proven' | 'not_proven'>;
  return {
    ...facts,
    ...statements({ ...facts, heads: ledger.heads, keys: signed.keys, runsBefore: signed.runsBefore }),
  };
}

function partsAmong(keys: Iterable<string>): number {
  const prefixes = lakeTables
    .filter(({ merge }) => merge.kind !== 'append')
    .map((table) => tablePrefix(table));
  return [...keys].filter((key) => prefixes.some((prefix) => key.startsWith(prefix))).length;
}

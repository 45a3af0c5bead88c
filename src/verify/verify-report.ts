/** The result of `verify`: what was found, what was proven, and what was not. */
import type { ExitCode } from '../shared/exit-codes.ts';
import type { Finding } from './finding.ts';
import type { Subset } from './scope.ts';

/** How much was looked at. Field names are part of the JSON contract. */
export interface Checked {
  readonly runs: number;
  readonly unfinished_runs: number;
  readonly manifests: number;
  readonly parts: number;
  readonly rows: number;
  readonly bytes: number;
  readonly coverage_files: number;
  readonly rejected_files: number;
  readonly begin_records: number;
  readonly watermarks: number;
  readonly checkpoints: number;
  /** Signed by one of the keys of --public-key. */
  readonly signed_checkpoints: number;
  /** Null: no --witness. */
  readonly witness_copies: number | null;
  readonly objects_in_newest_checkpoint: number;
}

export interface VerifyReport {
  readonly exit_code: ExitCode;
  /** `clean`: no finding. `warnings`: findings of severity warning only. `damaged`: the others. */
  readonly verdict: 'clean' | 'warnings' | 'damaged';
  readonly lake: string;
  /** ISO 8601 UTC, by the local clock. */
  readonly started_at: string;
  readonly ended_at: string;
  readonly program_version: string;
  readonly since: string | null;
  readonly subset: Subset | null;
  readonly quick: boolean;
  /** Whether all that was asked for was read. False: the time was up; the next look goes on after `resume_after`. */
  readonly complete: boolean;
  readonly resume_after: string | null;
  readonly checked: Checked;
  /** Parts that the ledger names or that lie in the lake, whether they were read or not. */
  readonly parts_in_lake: number;
  /** Parts last written by runs that never ended: no manifest names their SHA-256. */
  readonly parts_without_manifest: number;
  readonly proven: readonly string[];
  readonly not_proven: readonly string[];
  readonly findings: readonly Finding[];
}

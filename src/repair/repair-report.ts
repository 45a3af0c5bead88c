/** The result of `repair`. Field names are part of the JSON contract. */
import type { ExitCode } from '../shared/exit-codes.ts';

export type RepairOutcome =
  /** Dry run: `--apply` would do it. */
  | 'would-restore'
  | 'would-hide'
  | 'would-reset'
  /** Done. */
  | 'restored'
  | 'hidden'
  | 'reset'
  /** Somebody changed it after it was verified, so it was left as it is. */
  | 'changed'
  /** Tried, and the store refused. */
  | 'failed'
  /** The next run mends it. */
  | 'next-run'
  /** Gone from the lake, but AWS still has it: see the advice. */
  | 'read-again'
  /** Nobody has it any more. */
  | 'lost'
  /** Only a person can decide. */
  | 'person'
  /** A part that the store refuses: nobody knows whether it is damaged. */
  | 'unread';

export interface RepairedObject {
  readonly key: string;
  /** The kinds of findings. */
  readonly found: readonly string[];
  readonly outcome: RepairOutcome;
  /** One sentence, without a full stop. */
  readonly advice: string;
}

export interface RepairReport {
  readonly exit_code: ExitCode;
  readonly lake: string;
  /** False: a dry run, which changed nothing. */
  readonly applied: boolean;
  /** How often the lake was verified: what was restored can show more damage. */
  readonly looks: number;
  readonly objects: readonly RepairedObject[];
  /** Findings of severity damage that the last look had. */
  readonly damage_left: number;
  /** Of severity warning. */
  readonly warnings_left: number;
}

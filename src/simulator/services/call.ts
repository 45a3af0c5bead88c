import type { Answer } from '../answers.ts';
import type { Identity } from '../credentials.ts';
import type { FaultInput } from '../faults.ts';
import type { WireRequest } from '../signatures.ts';

/** A request whose sender is known. */
export interface Call {
  /** The operation's name: `ListCopyJobs`, `AssumeRole`, … */
  readonly api: string;
  readonly identity: Identity;
  /** The region that it was signed for. */
  readonly region: string;
  readonly request: WireRequest;
  readonly requestId: string;
  /** Where the simulator's clock stands. */
  readonly now: number;
  /** The faults that it has met and that change its answer. */
  readonly faults: readonly FaultInput[];
}

export type Service = (call: Call) => Answer;

import type { Identity } from '../access-keys.ts';
import type { FaultInput } from '../faults.ts';
import type { Answer } from '../responses.ts';
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

import type { Identity } from '../access-keys.ts';
import type { FaultInput } from '../faults.ts';
import type { Answer } from '../responses.ts';
import type { WireRequest } from '../signatures.ts';

/** A request from an authenticated sender. */
export interface Call {
  /** The operation's name: `ListCopyJobs`, `AssumeRole`, … */
  readonly api: string;
  readonly identity: Identity;
  /** The region that the request is signed for. */
  readonly region: string;
  readonly request: WireRequest;
  readonly requestId: string;
  /** The time of the simulator's clock. */
  readonly now: number;
  /** The faults that change its response. */
  readonly faults: readonly FaultInput[];
}

export type Service = (call: Call) => Answer;

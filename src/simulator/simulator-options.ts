/** What a simulator can be told at its start; the names are those of `simulate` on the command line. */
import type { FaultInput } from './faults.ts';

export interface SimulatorOptions {
  /** 0: any free port. Always on 127.0.0.1. */
  readonly port: number;
  /** Active accounts of the organization, the management account included. */
  readonly accounts: number;
  /** Enabled regions. */
  readonly regions: number;
  /** Mean number of copy jobs a day, per account and region; children are counted. */
  readonly jobsPerDay: number;
  /** Days of history at the start: nothing was created earlier than `now` minus this. */
  readonly days: number;
  readonly seed: number;
  /** Where the clock stands at the start: milliseconds since the epoch, cut to whole seconds. */
  readonly now: number;
  /** Added to every answer of an AWS API. */
  readonly latencyMs: number;
  /** Where the truth is kept up to date, or null. */
  readonly truthFile: string | null;
  readonly faults: readonly FaultInput[];
  /** Whether ListCopyJobs shows children by default, or only when asked for by their parent. */
  readonly children: 'listed' | 'hidden';
  /** Whether a cross-account copy is also listed in the account and region it goes to. */
  readonly listInDestination: boolean;
  /** What every member account's reader role asks of who assumes it, or null. */
  readonly externalId: string | null;
}

export const defaultOptions: SimulatorOptions = {
  port: 0,
  accounts: 20,
  regions: 4,
  jobsPerDay: 50,
  days: 30,
  seed: 7,
  now: Date.UTC(2026, 10, 20, 2),
  latencyMs: 0,
  truthFile: null,
  faults: [],
  children: 'listed',
  listInDestination: false,
  externalId: null,
};

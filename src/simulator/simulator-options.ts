/** The options of a simulator. Their names match those of `simulate` on the command line. */
import type { FaultInput } from './faults.ts';

export interface SimulatorOptions {
  /** 0: any free port. Always on 127.0.0.1. */
  readonly port: number;
  /** Active accounts of the organization, including the management account. */
  readonly accounts: number;
  /** Enabled regions. */
  readonly regions: number;
  /** Average copy jobs per day in each account and region, including child jobs. */
  readonly jobsPerDay: number;
  /** Days of history at the start: no job is older than `now` minus this. */
  readonly days: number;
  readonly seed: number;
  /** The clock at the start: milliseconds since the epoch, cut to whole seconds. */
  readonly now: number;
  /** Delay of every response of an AWS API. */
  readonly latencyMs: number;
  /** The truth file, which is kept up to date, or null. */
  readonly truthFile: string | null;
  readonly faults: readonly FaultInput[];
  /** How much of the ListCopyJobs pages already sent is kept, to send them again without computing them. */
  readonly keepPagesBytes: number;
  /** Whether ListCopyJobs lists child jobs by default, or only for a requested parent. */
  readonly children: 'listed' | 'hidden';
  /** Whether a cross-account copy is also listed in its destination account and region. */
  readonly listInDestination: boolean;
  /** The external id that the reader role of every member account requires, or null. */
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
  keepPagesBytes: 0,
  children: 'listed',
  listInDestination: false,
  externalId: null,
};

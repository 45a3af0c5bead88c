/**
 * Flags, environment and configuration file become one typed, frozen Settings; bad input ends here.
 */
import type { AggregationPeriod } from './source/source.ts';

/** Where the lake lies. */
export type LakeLocation =
  | { readonly kind: 's3'; readonly bucket: string; /** '' or ends without `/` */ readonly prefix: string }
  | { readonly kind: 'local'; /** absolute */ readonly folder: string };

/** Which accounts to read. */
export type AccountSelection =
  | { readonly kind: 'self' }
  | { readonly kind: 'all' }
  | { readonly kind: 'listed'; readonly accountIds: readonly string[] }
  | { readonly kind: 'units'; readonly unitIds: readonly string[] };

/** Where the window begins. `auto`: where the watermark says; an instant or a span before as-of otherwise. */
export type Since =
  | { readonly kind: 'auto' }
  | { readonly kind: 'all' }
  | { readonly kind: 'instant'; readonly epochMs: number }
  | { readonly kind: 'ago'; readonly ms: number };

/** How many failed targets make the run fail. */
export type FailOn =
  | { readonly kind: 'any' }
  | { readonly kind: 'all' }
  /** More than this share of the planned targets, 0 to 1. */
  | { readonly kind: 'share'; readonly share: number };

export type DrainedTable = 'copy_jobs' | 'copy_job_summaries';

/** Everything `export` and `plan` need to know. Durations are in milliseconds, sizes in bytes. */
export interface Settings {
  readonly lake: LakeLocation;
  readonly accounts: AccountSelection;
  readonly excludeAccounts: readonly string[];
  readonly roleName: string;
  readonly externalId: string | null;
  readonly roleSessionName: string;
  readonly organizationRoleArn: string | null;
  readonly lakeRoleArn: string | null;
  /** Region names, or `enabled`: those enabled in the caller's account. */
  readonly regions: 'enabled' | readonly string[];
  readonly tables: readonly DrainedTable[];
  readonly aggregationPeriods: readonly AggregationPeriod[];
  readonly since: Since;
  readonly until: { readonly kind: 'as-of' } | { readonly kind: 'instant'; readonly epochMs: number };
  readonly fullEveryMs: number;
  readonly memoryDays: number;
  readonly concurrency: number;
  readonly requestsPerSecond: number;
  readonly targetTimeoutMs: number;
  readonly deadlineMs: number;
  readonly publishEveryMs: number;
  readonly engine: 'duckdb' | 'parquetjs-lite';
  readonly memoryLimitBytes: number;
  readonly scratch: string;
  readonly scratchLimitBytes: number;
  /** Only said for a new lake; null: as the lake is, or 1. */
  readonly buckets: number | null;
  readonly allowUnsafeStore: boolean;
  readonly failOn: FailOn;
  readonly kmsKeyId: string | null;
  readonly expectedBucketOwner: string | null;
  readonly endpointUrl: string | null;
  readonly s3EndpointUrl: string | null;
}

/** How the program talks. */
export interface Telemetry {
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly progress: 'auto' | 'on' | 'off';
  readonly output: 'text' | 'json';
}

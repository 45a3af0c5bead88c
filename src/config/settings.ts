/**
 * Turns flags, environment and configuration file into one typed, frozen Settings. Bad input stops here.
 */
import { ConfigError, UsageError } from '../shared/errors.ts';
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import type { DrainedTable } from '../tables/table.ts';
import { type Encryption, refuseContradictoryEncryption } from './encryption.ts';
import { type LakeSettings, readLakeSettings } from './lake-settings.ts';
import {
  collectOptions,
  type LayeredOptions,
  type OptionInput,
  optionReader,
  readOption,
  strongerLayer,
} from './layers.ts';
import type { Job } from './option.ts';
import type { OptionName } from './options.ts';
import { refuseInLake } from './outside-lake.ts';
import { refuseS3OptionsForLocalLake } from './s3-only-options.ts';
import { readNight, readShard } from './shard.ts';
import type {
  AccountSelection,
  ConcurrencySetting,
  FailOn,
  LakeLocation,
  PublishWindow,
  Shard,
  SigningKeyLocation,
  Since,
} from './typed-values.ts';
import { refuseWitnessInLake } from './witness-location.ts';

/** Everything `export` and `plan` need to know. Durations are in milliseconds, sizes in bytes. */
export interface Settings extends LakeSettings, Encryption {
  readonly accounts: AccountSelection;
  readonly excludeAccounts: readonly string[];
  readonly roleName: string;
  readonly organizationRoleArn: string | null;
  /** Region names, or `enabled`: those enabled in the caller's account. */
  readonly regions: 'enabled' | readonly string[];
  readonly tables: readonly DrainedTable[];
  readonly aggregationPeriods: readonly AggregationPeriod[];
  readonly since: Since;
  readonly until: { readonly kind: 'as-of' } | { readonly kind: 'instant'; readonly epochMs: number };
  readonly fullEveryMs: number;
  readonly memoryDays: number;
  readonly countMemoryDays: number;
  readonly concurrency: ConcurrencySetting;
  readonly requestsPerSecond: number;
  readonly targetTimeoutMs: number;
  readonly deadlineMs: number;
  readonly publishEveryMs: number;
  /** Null: parts may be replaced at any time. */
  readonly publishWindow: PublishWindow | null;
  readonly engine: 'duckdb' | 'parquetjs-lite';
  readonly memoryLimitBytes: number;
  readonly scratchLimitBytes: number;
  /** The share of the accounts that this process reads; null: all. */
  readonly shard: Shard | null;
  /** The shards with this name have one as-of; null: each has its own. */
  readonly night: string | null;
  /** Only for a new lake; null: what the lake has, or one for each shard. */
  readonly buckets: number | null;
  readonly allowUnsafeStore: boolean;
  readonly failOn: FailOn;
  readonly metrics: 'none' | 'emf';
  /** Null: checkpoints are not signed. */
  readonly signingKey: SigningKeyLocation | null;
  /** Files, by absolute path. */
  readonly publicKeys: readonly string[];
  /** Null: checkpoints are not copied. */
  readonly witness: LakeLocation | null;
  /** The share of jobs, 0 to 1, by which the lake may differ from AWS's own counts; null: any. */
  readonly failOnMismatch: number | null;
}

/** How the program reports to people and machines: log, progress, result. */
export interface Telemetry {
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly progress: 'auto' | 'on' | 'off';
  readonly output: 'text' | 'json' | 'html';
}

/** Where settings come from. */
export interface SettingsInput extends OptionInput {
  /** The system's folder for temporary files. */
  readonly temporaryFolder: string;
}

/**
 * The settings of `export` and `plan`, which share all options.
 * @throws UsageError or ConfigError
 */
export function parseSettings(input: SettingsInput): Settings {
  const layered = collectOptions('export', input);
  const { cwd } = input;
  const read = optionReader(layered, cwd);
  const { optional, required } = read;
  const until = optional('until');
  const shard = readShard(read, input.env);
  const settings: Settings = {
    ...readLakeSettings(read, input.temporaryFolder),
    accounts: readAccounts(layered, cwd),
    excludeAccounts: optional('exclude-accounts') ?? [],
    roleName: required('role-name'),
    organizationRoleArn: optional('organization-role-arn'),
    regions: required('regions'),
    tables: required('tables'),
    aggregationPeriods: required('aggregation-periods'),
    since: required('since'),
    until: until === null ? { kind: 'as-of' } : { kind: 'instant', epochMs: until },
    fullEveryMs: required('full-every'),
    memoryDays: required('memory-days'),
    countMemoryDays: required('count-memory-days'),
    concurrency: required('concurrency'),
    requestsPerSecond: required('requests-per-second'),
    targetTimeoutMs: required('target-timeout'),
    deadlineMs: required('deadline'),
    publishEveryMs: required('publish-every'),
    publishWindow: optional('publish-window'),
    engine: required('engine'),
    memoryLimitBytes: required('memory-limit'),
    scratchLimitBytes: required('scratch-limit'),
    shard,
    night: readNight(read, input.env, shard),
    buckets: optional('buckets'),
    allowUnsafeStore: required('allow-unsafe-store'),
    failOn: required('fail-on'),
    metrics: required('metrics'),
    signingKey: optional('signing-key'),
    publicKeys: optional('public-key') ?? [],
    witness: optional('witness'),
    failOnMismatch: optional('fail-on-mismatch'),
    sse: optional('sse'),
    kmsKeyId: optional('kms-key-id'),
    bucketKeyEnabled: optional('bucket-key-enabled'),
  };
  refuseContradictions(settings, layered);
  refuseS3OptionsForLocalLake(settings.lake, layered);
  refuseInLake('scratch', settings.scratch, settings.lake, layered);
  return deepFreeze(settings);
}

/** The jobs whose result can be a page. */
const htmlJobs: readonly Job[] = ['status', 'verify'];

/** The telemetry options, which every job has. */
export function parseTelemetry(job: Job, input: OptionInput): Telemetry {
  const layered = collectOptions(job, input);
  const { required } = optionReader(layered, input.cwd);
  if (required('output') === 'html' && !htmlJobs.includes(job)) {
    throw new UsageError(
      `${job} cannot write its result as html`,
      `Use --output text or json. These jobs write html: ${htmlJobs.join(', ')}.`,
    );
  }
  return deepFreeze({
    logLevel: required('log-level'),
    logFormat: required('log-format'),
    progress: required('progress'),
    output: required('output'),
  });
}

/**
 * `--accounts` and `--organizational-units` both select accounts. The stronger layer wins; setting both in one layer
 * is an error.
 */
function readAccounts(layered: LayeredOptions, cwd: string): AccountSelection {
  const accounts = readOption(layered, 'accounts', cwd) ?? { kind: 'self' };
  const unitIds = readOption(layered, 'organizational-units', cwd);
  const byAccounts = layered.get('accounts')?.[0];
  const byUnits = layered.get('organizational-units')?.[0];
  if (unitIds === null || !byUnits) return accounts;
  if (byAccounts && strongerLayer(byAccounts, byUnits)) return accounts;
  if (byAccounts?.layer === byUnits.layer) {
    const Class = byUnits.layer === 'file' ? ConfigError : UsageError;
    throw new Class(`${byAccounts.where} and ${byUnits.where} cannot be used together`, 'Use one of them.');
  }
  return { kind: 'units', unitIds };
}

function refuseContradictions(settings: Settings, layered: LayeredOptions): void {
  const { accounts, excludeAccounts, since, until } = settings;
  const whereOf = (name: OptionName): string => layered.get(name)?.[0]?.where ?? `--${name}`;
  const errorFor = (...names: readonly OptionName[]): typeof UsageError | typeof ConfigError =>
    names.every((name) => layered.get(name)?.[0]?.layer === 'file') ? ConfigError : UsageError;
  if (accounts.kind === 'listed' && accounts.accountIds.every((id) => excludeAccounts.includes(id))) {
    throw new (errorFor('accounts', 'exclude-accounts'))(
      `${whereOf('exclude-accounts')} excludes every account in ${whereOf('accounts')}`,
      'Exclude fewer accounts, or list others.',
    );
  }
  refuseWitnessInLake(settings, whereOf('witness'), errorFor('witness'));
  refuseContradictoryEncryption(settings, errorFor('sse', 'kms-key-id', 'bucket-key-enabled'));
  if (since.kind === 'instant' && until.kind === 'instant' && since.epochMs >= until.epochMs) {
    throw new (errorFor('since', 'until'))(
      `${whereOf('since')} is not before ${whereOf('until')}, so the window is empty`,
      'Use an earlier --since or a later --until. The window ends just before --until.',
    );
  }
}

/** Freezes a value and everything inside it. */
export function deepFreeze<T>(value: T): T {
  if (typeof value === 'object' && value !== null && !Object.isFrozen(value)) {
    Object.freeze(value);
    for (const inner of Object.values(value)) deepFreeze(inner);
  }
  return value;
}

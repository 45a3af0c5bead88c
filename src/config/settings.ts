/**
 * Turns flags, environment and configuration file into one typed, frozen Settings. Bad input stops here.
 */
import { join } from 'node:path';
import { ConfigError, UsageError } from '../shared/errors.ts';
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import type { DrainedTable } from '../tables/table.ts';
import { type Encryption, refuseContradictoryEncryption } from './encryption.ts';
import {
  collectOptions,
  type LayeredOptions,
  type OptionInput,
  readOption,
  requireOption,
  strongerLayer,
} from './layers.ts';
import type { Job } from './option.ts';
import type { OptionName, OptionValue } from './options.ts';
import { refuseS3OptionsForLocalLake } from './s3-only-options.ts';
import type { AccountSelection, FailOn, LakeLocation, PublishWindow, Since } from './typed-values.ts';

/** Everything `export` and `plan` need to know. Durations are in milliseconds, sizes in bytes. */
export interface Settings extends Encryption {
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
  /** Null: parts may be replaced at any time. */
  readonly publishWindow: PublishWindow | null;
  readonly engine: 'duckdb' | 'parquetjs-lite';
  readonly memoryLimitBytes: number;
  readonly scratch: string;
  readonly scratchLimitBytes: number;
  /** Only for a new lake; null: what the lake has, or 1. */
  readonly buckets: number | null;
  readonly allowUnsafeStore: boolean;
  readonly failOn: FailOn;
  readonly expectedBucketOwner: string | null;
  readonly endpointUrl: string | null;
  readonly s3EndpointUrl: string | null;
}

/** How the program reports to people and machines: log, progress, result. */
export interface Telemetry {
  readonly logLevel: 'trace' | 'debug' | 'info' | 'warn' | 'error' | 'fatal' | 'silent';
  readonly logFormat: 'auto' | 'json' | 'pretty';
  readonly progress: 'auto' | 'on' | 'off';
  readonly output: 'text' | 'json';
}

/** Where settings come from. */
export interface SettingsInput extends OptionInput {
  /** The system's folder for temporary files. */
  readonly temporaryFolder: string;
}

/** One folder per user, because another user's folder is not writable. */
export function defaultScratch(temporaryFolder: string): string {
  return join(temporaryFolder, `backup-copy-export-${process.getuid?.() ?? 'user'}`);
}

/**
 * The settings of `export` and `plan`, which share all options.
 * @throws UsageError or ConfigError
 */
export function parseSettings(input: SettingsInput): Settings {
  const layered = collectOptions('export', input);
  const { cwd } = input;
  const optional = <N extends OptionName>(name: N): OptionValue<N> | null => readOption(layered, name, cwd);
  const value = <N extends OptionName>(name: N): OptionValue<N> => requireOption(layered, name, cwd);
  const until = optional('until');
  const settings: Settings = {
    lake: value('lake'),
    accounts: readAccounts(layered, cwd),
    excludeAccounts: optional('exclude-accounts') ?? [],
    roleName: value('role-name'),
    externalId: optional('external-id'),
    roleSessionName: value('role-session-name'),
    organizationRoleArn: optional('organization-role-arn'),
    lakeRoleArn: optional('lake-role-arn'),
    regions: value('regions'),
    tables: value('tables'),
    aggregationPeriods: value('aggregation-periods'),
    since: value('since'),
    until: until === null ? { kind: 'as-of' } : { kind: 'instant', epochMs: until },
    fullEveryMs: value('full-every'),
    memoryDays: value('memory-days'),
    concurrency: value('concurrency'),
    requestsPerSecond: value('requests-per-second'),
    targetTimeoutMs: value('target-timeout'),
    deadlineMs: value('deadline'),
    publishEveryMs: value('publish-every'),
    publishWindow: optional('publish-window'),
    engine: value('engine'),
    memoryLimitBytes: value('memory-limit'),
    scratch: optional('scratch') ?? defaultScratch(input.temporaryFolder),
    scratchLimitBytes: value('scratch-limit'),
    buckets: optional('buckets'),
    allowUnsafeStore: value('allow-unsafe-store'),
    failOn: value('fail-on'),
    sse: optional('sse'),
    kmsKeyId: optional('kms-key-id'),
    bucketKeyEnabled: optional('bucket-key-enabled'),
    expectedBucketOwner: optional('expected-bucket-owner'),
    endpointUrl: optional('endpoint-url'),
    s3EndpointUrl: optional('s3-endpoint-url'),
  };
  refuseContradictions(settings, layered);
  refuseS3OptionsForLocalLake(settings.lake, layered);
  return deepFreeze(settings);
}

/** The telemetry options, which every job has. */
export function parseTelemetry(job: Job, input: OptionInput): Telemetry {
  const layered = collectOptions(job, input);
  const value = <N extends 'log-level' | 'log-format' | 'progress' | 'output'>(name: N): OptionValue<N> => {
    const found = readOption(layered, name, input.cwd);
    if (found === null) throw new Error(`option ${name} has no default`);
    return found;
  };
  return deepFreeze({
    logLevel: value('log-level'),
    logFormat: value('log-format'),
    progress: value('progress'),
    output: value('output'),
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

/**
 * The options of `export` and `plan`, and those that every job has, once: flags, environment names, keys of the
 * configuration file, help and the README's table are derived from this one list.
 */

import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import { serverSideEncryptions } from './encryption.ts';
import { file, folder, lake } from './location-parsers.ts';
import { allJobs, type Job, list, type Option, option, text } from './option.ts';
import { day, dayMs, duration, instant, integer, sizeFrom, timesOfDay } from './quantity-parsers.ts';
import { simulateOptions } from './simulate-options.ts';
import {
  accountId,
  accounts,
  endpointUrl,
  failOn,
  matching,
  oneOf,
  onOff,
  organizationalUnitId,
  regions,
  roleArn,
  roleName,
  since,
} from './value-parsers.ts';

/** Those that open a lake, and ask AWS for it. */
const lakeJobs: readonly Job[] = ['export', 'plan', 'catalog', 'query'];
/** Those that read or write parts with an engine. */
const engineJobs: readonly Job[] = ['export', 'plan', 'query'];
/** Those that have S3 write something: the lake, or what Athena puts out. */
const writingJobs: readonly Job[] = ['export', 'plan', 'catalog'];
const catalogOnly: readonly Job[] = ['catalog'];
const queryOnly: readonly Job[] = ['query'];

/** Longer, and a Node timer (a 32-bit count of milliseconds, 24.8 days) would fire at once. */
const longestTimer = duration(24 * dayMs);
const periods: readonly AggregationPeriod[] = ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'];
const sessionName = matching(
  /^[\w+=,.@-]{2,64}$/,
  'is not a session name',
  'Write 2 to 64 letters, digits and _+=,.@-',
);

/** Every option but `--config` and those of `simulate` alone. Their order is the help's. */
export const options = {
  lake: text(lake, {
    jobs: lakeJobs,
    sample: 's3://bucket/prefix',
    description: 'Where the lake lies: s3://bucket/prefix or a local folder. Required',
  }),
  accounts: option(
    {
      kind: 'list',
      sample: 'self|all|ID,…',
      default: 'self',
      description: "The accounts to read: the caller's own, every active one of the organization, or ids",
    },
    accounts,
  ),
  'organizational-units': list(organizationalUnitId, {
    sample: 'ou-…,…',
    description: 'Every active account below these units; instead of --accounts',
  }),
  'exclude-accounts': list(accountId, { sample: 'ID,…', description: 'Accounts to leave out' }),
  'role-name': text(roleName, {
    sample: 'NAME',
    default: 'BackupCopyExportReader',
    description: 'The role to assume in every account but the caller’s own; with its path, if it has one',
  }),
  // 2 to 1224 characters: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  'external-id': text(
    matching(
      /^[\w+=,.@:/-]{2,1224}$/,
      'is not an external id',
      'Write 2 to 1224 letters, digits and _+=,.@:/-',
    ),
    { jobs: lakeJobs, sample: 'ID', secret: true, description: 'The external id that those roles ask for' },
  ),
  'role-session-name': text(sessionName, {
    jobs: lakeJobs,
    sample: 'NAME',
    default: 'backup-copy-export',
    description: 'How the sessions are named in the audit trail',
  }),
  'organization-role-arn': text(roleArn, {
    sample: 'ARN',
    description: 'Assumed first, to ask Organizations for accounts',
  }),
  'lake-role-arn': text(roleArn, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'ARN',
    description: 'Assumed to read and write the lake on S3',
  }),
  regions: option(
    {
      kind: 'list',
      sample: 'NAME,…|enabled',
      default: 'enabled',
      description: "The regions to read; enabled: those enabled in the caller's account",
    },
    regions,
  ),
  tables: list(oneOf(['copy_jobs', 'copy_job_summaries']), {
    sample: 'TABLE,…',
    default: 'copy_jobs,copy_job_summaries',
    description: 'The tables to fill',
  }),
  'aggregation-periods': list(oneOf(periods), {
    sample: 'PERIOD,…',
    default: 'ONE_DAY',
    description: `The periods of copy_job_summaries: ${periods.join(', ')}`,
  }),
  since: text(since, {
    sample: 'auto|all|DATE|7d',
    default: 'auto',
    description:
      'From which creation time on to read copy_jobs: where the last run ended, everything, a UTC date, or a span (7d: 7 × 24 h) before the run',
  }),
  until: text(instant, {
    sample: 'DATE',
    description:
      'Up to which creation time to read copy_jobs, itself not included; UTC. Default: the run’s instant',
  }),
  'full-every': text(duration(3650 * dayMs), {
    sample: '7d',
    default: '7d',
    description: 'With --since auto: how often to read everything AWS still holds',
  }),
  'memory-days': text(integer(1, 3650), {
    kind: 'integer',
    sample: 'N',
    default: '35',
    description: 'For how many days AWS is taken to remember a job; open jobs are followed that long',
  }),
  concurrency: text(integer(1, 1024), {
    kind: 'integer',
    sample: 'N',
    default: '16',
    description: 'Targets read at once',
  }),
  'requests-per-second': text(integer(1, 1000), {
    kind: 'integer',
    sample: 'N',
    default: '10',
    description: 'Requests to AWS Backup per second, account and region',
  }),
  'target-timeout': text(longestTimer, {
    sample: '10m',
    default: '10m',
    description: 'How long one target may take for one table',
  }),
  deadline: text(longestTimer, {
    sample: '2h',
    default: '2h',
    description: 'How long the whole run may take; what is not reached is SKIPPED',
  }),
  'publish-every': text(longestTimer, {
    sample: '30m',
    default: '30m',
    description: 'How often to publish while reading goes on',
  }),
  'publish-window': text(timesOfDay, {
    sample: '01:00-04:00',
    description:
      'Replace parts only at these times of day, UTC; what is not published by the deadline is read again. Default: at any time',
  }),
  engine: text(oneOf(['duckdb', 'parquetjs-lite']), {
    sample: 'duckdb|parquetjs-lite',
    default: 'duckdb',
    description: 'What writes the Parquet files',
  }),
  'memory-limit': text(sizeFrom('64MB'), {
    jobs: engineJobs,
    sample: '512MB',
    default: '512MB',
    description: "The engine's memory; MB is decimal, MiB binary",
  }),
  scratch: text(folder, {
    jobs: lakeJobs,
    sample: 'DIR',
    description:
      'Local folder for staged rows. Default: one of the user’s own in the system’s temporary folder',
  }),
  'scratch-limit': text(sizeFrom('5MB'), {
    jobs: engineJobs,
    sample: '10GB',
    default: '10GB',
    description: 'How much scratch space may be used; GB is decimal, GiB binary',
  }),
  buckets: text(integer(1, 1024), {
    kind: 'integer',
    sample: 'N',
    description: 'Parts per partition of copy_jobs and copy_job_summaries; for a new lake only. Default: 1',
  }),
  'allow-unsafe-store': text(onOff, {
    kind: 'switch',
    default: 'false',
    description: 'Use a store that does not honour conditional writes; two runs at once may then lose rows',
  }),
  'fail-on': text(failOn, {
    sample: 'any|all|5%',
    default: 'any',
    description: 'How many failed targets make the run fail: any, all, or more than a share of those planned',
  }),
  sse: text(oneOf(serverSideEncryptions), {
    jobs: writingJobs,
    onlyOnS3: true,
    sample: serverSideEncryptions.join('|'),
    description:
      'How S3 encrypts what is written, as the AWS CLI names it. Default: aws:kms with --kms-key-id, else as the bucket says',
  }),
  'kms-key-id': text(
    matching(/^[\x21-\x7e]{1,2048}$/, 'is not the id of a key', 'Write the id, alias or ARN of a KMS key.'),
    {
      jobs: writingJobs,
      onlyOnS3: true,
      sample: 'ID',
      description: 'KMS key for what is written to S3',
    },
  ),
  'bucket-key-enabled': text(onOff, {
    kind: 'switch',
    onlyOnS3: true,
    description:
      'Let S3 use a key of the bucket’s, and ask KMS less often; with --sse aws:kms. Default: as the bucket says',
  }),
  'expected-bucket-owner': text(accountId, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'ID',
    description: 'The account that must own the bucket, or nothing is read or written',
  }),
  'endpoint-url': text(endpointUrl, {
    jobs: lakeJobs,
    sample: 'URL',
    description: 'Endpoint of all AWS services but S3',
  }),
  's3-endpoint-url': text(endpointUrl, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'URL',
    description: 'Endpoint of S3',
  }),
  // Athena takes other names in backticks, and then fails on them (docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html)
  database: text(
    matching(
      /^[a-z_][a-z0-9_]{0,254}$/,
      'is not a name of a database',
      'Write lower-case letters, digits and underscores, no digit first.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'backup_copy_export',
      description: 'The Glue database, or the schema in Trino',
    },
  ),
  dialect: text(oneOf(['athena', 'trino']), {
    jobs: catalogOnly,
    sample: 'athena|trino',
    default: 'athena',
    description: 'For whom ddl writes statements',
  }),
  'trino-catalog': text(
    matching(
      /^[a-z][a-z0-9_]{0,127}$/,
      'is not a name of a catalog',
      'Write lower-case letters, digits and underscores.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'hive',
      description: 'The Hive catalog in Trino, for ddl',
    },
  ),
  'first-day': text(day, {
    jobs: catalogOnly,
    sample: 'DAY',
    description:
      'The first UTC day that tables offer. Default: the lake’s; apply takes the earlier of both, ddl then asks no AWS',
  }),
  workgroup: text(
    matching(
      /^[a-zA-Z0-9._-]{1,128}$/,
      'is not the name of a workgroup',
      'Write 1 to 128 letters, digits, dots, hyphens and underscores.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'primary',
      description: 'The Athena workgroup in which apply makes the views',
    },
  ),
  'output-location': text(
    matching(
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/\S*)?$/,
      'is no place on S3',
      'Write s3://bucket/prefix/.',
    ),
    {
      jobs: catalogOnly,
      sample: 's3://bucket/prefix/',
      description: 'Where Athena puts results; needed where the workgroup names no place',
    },
  ),
  'dry-run': text(onOff, {
    kind: 'switch',
    jobs: catalogOnly,
    default: 'false',
    description: 'apply: show the difference and change nothing',
  }),
  from: text(day, {
    jobs: queryOnly,
    sample: 'DAY',
    description:
      'The first UTC day to read; export_coverage is always read whole. Default: all of a local lake; of one on S3 the days a question looks at, and for SQL of your own the 35 up to its last run',
  }),
  to: text(day, {
    jobs: queryOnly,
    sample: 'DAY',
    description: 'The last UTC day to read, itself included. Default: the newest',
  }),
  format: text(oneOf(['table', 'csv', 'json', 'parquet']), {
    jobs: queryOnly,
    sample: 'table|csv|json|parquet',
    description: 'How rows are written. Default: table on a terminal, else csv',
  }),
  'output-file': text(file, {
    jobs: queryOnly,
    sample: 'FILE',
    description: 'Where rows are written instead of stdout; needed for parquet',
  }),
  raw: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description: 'Leave texts in CSV as they are, also those that a spreadsheet would run as formulas',
  }),
  wide: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description:
      'At a terminal, write tables as wide as their values, with sizes and times as they are, instead of fitting the terminal',
  }),
  timeout: text(longestTimer, {
    jobs: queryOnly,
    sample: '10m',
    default: '10m',
    description: 'How long one query may take',
  }),
  list: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description: 'List the named questions, a line each, or show the text of the one that is named, and end',
  }),
  history: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'true',
    description: 'Keep what was typed at the prompt, in the user’s state folder',
  }),
  'log-level': text(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
    jobs: allJobs,
    sample: 'LEVEL',
    default: 'info',
    description: 'The least important log lines to write: trace, debug, info, warn, error, fatal, silent',
  }),
  'log-format': text(oneOf(['auto', 'json', 'pretty']), {
    jobs: allJobs,
    sample: 'auto|json|pretty',
    default: 'auto',
    description: 'How logs look; auto: pretty on a terminal, else JSON lines',
  }),
  progress: text(oneOf(['auto', 'on', 'off']), {
    jobs: allJobs,
    sample: 'auto|on|off',
    default: 'auto',
    description: 'A progress bar; auto: on a terminal. Without a terminal, on logs a line every 30 s',
  }),
  output: text(oneOf(['text', 'json']), {
    jobs: allJobs,
    sample: 'text|json',
    default: 'text',
    description: 'How the result is printed on stdout',
  }),
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;
export type OptionValue<N extends OptionName> = ReturnType<(typeof options)[N]['parse']>;

/** All names, in the table's order. */
// Object.keys of an object literal are its own keys; TypeScript only says string.
export const optionNames = Object.keys(options) as readonly OptionName[];

/** The option as the common shape, for code that treats all alike. */
export function optionOf(name: OptionName): Option {
  return options[name];
}

export const environmentPrefix = 'BACKUP_COPY_EXPORT_';

/** `role-name` → `BACKUP_COPY_EXPORT_ROLE_NAME` */
export function environmentName(name: string): string {
  return environmentPrefix + name.toUpperCase().replaceAll('-', '_');
}

/** The options of a job by name, but `--config`. */
export function tableOf(job: Job): ReadonlyMap<string, Option> {
  const shared = optionNames.filter((name) => optionOf(name).jobs.includes(job));
  return new Map<string, Option>([
    ...shared.map((name): [string, Option] => [name, optionOf(name)]),
    ...(job === 'simulate' ? Object.entries(simulateOptions) : []),
  ]);
}

/** Every option of every job: one environment or file may serve several jobs. */
export const allOptionNames: ReadonlySet<string> = new Set([...optionNames, ...Object.keys(simulateOptions)]);

/** Options that may stand without a value. */
export const switchNames: ReadonlySet<string> = new Set(
  [...optionNames.map((name) => [name, optionOf(name)] as const), ...Object.entries(simulateOptions)].flatMap(
    ([name, { kind }]) => (kind === 'switch' ? [name] : []),
  ),
);

/** The options that every job has. */
export const commonOptionNames = optionNames.filter((name) => optionOf(name).jobs.includes('simulate'));

/** Some of the options, in the order of their names. */
export function optionsOf(names: readonly OptionName[]): Readonly<Record<string, Option>> {
  return Object.fromEntries(names.map((name) => [name, optionOf(name)]));
}

/** The options that a job has besides. */
export function ownOptionNames(job: Job): readonly OptionName[] {
  return optionNames.filter((name) => optionOf(name).jobs.includes(job) && !commonOptionNames.includes(name));
}

/** Those of `export`, which `plan` shares. */
export const exportOptionNames = ownOptionNames('export');

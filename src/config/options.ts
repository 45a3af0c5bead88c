/**
 * Every option except `--config` and the ones that only `simulate` has. Flags, environment variables, keys of the
 * configuration file, help and the reference page all come from this one list.
 */

import { dayMs, longestTimerMs } from '../shared/time.ts';
import type { AggregationPeriod } from '../tables/copy-job-summaries.ts';
import { serverSideEncryptions } from './encryption.ts';
import { file, folder, lake, signingKey } from './location-parsers.ts';
import { allJobs, type Job, list, type Option, option, text } from './option.ts';
import { autoOrInteger, day, duration, instant, integer, sizeFrom, timesOfDay } from './quantity-parsers.ts';
import { shardOf } from './shard-name.ts';
import { simulateOptions } from './simulate-options.ts';
import { autoConcurrency } from './typed-values.ts';
import {
  accountId,
  accounts,
  endpointUrl,
  failOn,
  matching,
  momentOrSpan,
  oneOf,
  onOff,
  organizationalUnitId,
  percentage,
  regions,
  roleArn,
  roleName,
  since,
} from './value-parsers.ts';
import { verifyOptions } from './verify-options.ts';

/** Jobs that open a lake. */
const lakeJobs: readonly Job[] = [
  'export',
  'plan',
  'catalog',
  'query',
  'status',
  'verify',
  'repair',
  'rebucket',
];
/** Jobs that read or write parts with an engine. */
const engineJobs: readonly Job[] = ['export', 'plan', 'query', 'status', 'rebucket'];
/** Jobs that write to S3: the lake, or Athena's results. */
const writingJobs: readonly Job[] = ['export', 'plan', 'catalog', 'repair', 'rebucket'];
const catalogOnly: readonly Job[] = ['catalog'];
const queryOnly: readonly Job[] = ['query'];
const statusOnly: readonly Job[] = ['status'];
const repairOnly: readonly Job[] = ['repair'];

/** A Node timer counts milliseconds in 32 bits (24.8 days); a longer one would fire at once. */
const longestTimer = duration(longestTimerMs);
const periods: readonly AggregationPeriod[] = ['ONE_DAY', 'SEVEN_DAYS', 'FOURTEEN_DAYS'];
const sessionName = matching(
  /^[\w+=,.@-]{2,64}$/,
  'is not a session name',
  'Write 2 to 64 letters, digits and _+=,.@-',
);

/** In the order in which help lists them. */
const options = {
  lake: text(lake, {
    jobs: lakeJobs,
    sample: 's3://bucket/prefix',
    description: 'The lake: a prefix on S3, or a local folder such as ./lake. Required',
  }),
  accounts: option(
    {
      kind: 'list',
      sample: 'self|all|ID,…',
      default: 'self',
      description:
        'Accounts to read: self (the caller’s own), all (every active account of the organization), or account ids',
    },
    accounts,
  ),
  'organizational-units': list(organizationalUnitId, {
    sample: 'ou-…,…',
    description: 'Read every active account below these units, instead of --accounts',
  }),
  'exclude-accounts': list(accountId, {
    jobs: ['export', 'plan', 'status'],
    sample: 'ID,…',
    description: 'Accounts to leave out',
  }),
  'role-name': text(roleName, {
    sample: 'NAME',
    default: 'BackupCopyExportReader',
    description: 'Role to assume in every account except the caller’s; include its path, if it has one',
  }),
  // 2 to 1224 characters: docs.aws.amazon.com/STS/latest/APIReference/API_AssumeRole.html
  'external-id': text(
    matching(
      /^[\w+=,.@:/-]{2,1224}$/,
      'is not an external id',
      'Write 2 to 1224 letters, digits and _+=,.@:/-',
    ),
    { jobs: lakeJobs, sample: 'ID', secret: true, description: 'External id that the assumed roles require' },
  ),
  'role-session-name': text(sessionName, {
    jobs: lakeJobs,
    sample: 'NAME',
    default: 'backup-copy-export',
    description: 'Session name for assumed roles, as CloudTrail shows it',
  }),
  'organization-role-arn': text(roleArn, {
    sample: 'ARN',
    description: 'Role to assume to list the accounts of the organization',
  }),
  'lake-role-arn': text(roleArn, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'ARN',
    description: 'Role to assume for the lake on S3. Jobs that only read the lake need no right to write',
  }),
  regions: option(
    {
      kind: 'list',
      sample: 'NAME,…|enabled',
      default: 'enabled',
      description: 'Regions to read; enabled: every region enabled in the caller’s account',
    },
    regions,
  ),
  tables: list(oneOf(['copy_jobs', 'copy_job_summaries']), {
    sample: 'TABLE,…',
    default: 'copy_jobs,copy_job_summaries',
    description: 'Tables to export',
  }),
  'aggregation-periods': list(oneOf(periods), {
    sample: 'PERIOD,…',
    default: 'ONE_DAY',
    description: `Periods of copy_job_summaries to read: ${periods.join(', ')}`,
  }),
  since: text(since, {
    sample: 'auto|all|DATE|7d',
    default: 'auto',
    description:
      'Read copy jobs created from this time on: auto (from where the last run ended), all, a UTC date, or a span before the run (7d: 7 × 24 h)',
  }),
  until: text(instant, {
    sample: 'DATE',
    description: 'Read copy jobs created before this time (UTC). Default: the time of the run',
  }),
  'full-every': text(duration(3650 * dayMs), {
    sample: '21d',
    default: '21d',
    description:
      'With --since auto: read each target completely at least this often. Different targets have their turn on different nights, in the second half of this time',
  }),
  'memory-days': text(integer(1, 3650), {
    kind: 'integer',
    sample: 'N',
    default: '30',
    description:
      'How many days to assume that AWS keeps copy jobs. A run proves nothing about older ones; what no run had read by then counts as lost. Unfinished jobs are read again until they are that old',
  }),
  'count-memory-days': text(integer(1, 3650), {
    kind: 'integer',
    sample: 'N',
    default: '14',
    description: 'How many days to assume that AWS keeps the daily counts of copy jobs',
  }),
  concurrency: text(autoOrInteger(1, 1024), {
    kind: 'integer',
    sample: 'auto|N',
    default: 'auto',
    description: `How many requests to AWS Backup may be on their way at once. auto begins with ${autoConcurrency.first}, raises it while responses stay fast and memory lasts, and stays between ${autoConcurrency.least} and ${autoConcurrency.ceiling}`,
  }),
  'requests-per-second': text(integer(1, 1000), {
    kind: 'integer',
    sample: 'N',
    default: '10',
    description: 'Maximum requests per second to AWS Backup, in each account and region',
  }),
  'target-timeout': text(longestTimer, {
    sample: '10m',
    default: '10m',
    description:
      'Time limit for the requests of one table of one target, with their retries. Time that they wait for other targets, or for publishing, does not count',
  }),
  deadline: text(longestTimer, {
    sample: '2h',
    default: '2h',
    description: 'Time limit for the whole run; targets it does not reach are SKIPPED',
  }),
  'publish-every': text(longestTimer, {
    sample: '30m',
    default: '30m',
    description: 'How often to publish while reading continues',
  }),
  'publish-window': text(timesOfDay, {
    sample: '01:00-04:00',
    description:
      'Write parts only between these times of day (UTC). --deadline must reach into this window, or the run ends at once; the next run reads again what this one cannot write in time. Default: at any time',
  }),
  engine: text(oneOf(['duckdb', 'parquetjs-lite']), {
    sample: 'duckdb|parquetjs-lite',
    default: 'duckdb',
    description: 'Engine that writes the Parquet files',
  }),
  'memory-limit': text(sizeFrom('64MB'), {
    jobs: engineJobs,
    sample: '512MB',
    default: '512MB',
    description: 'Memory limit of the engine; MB is decimal, MiB binary',
  }),
  scratch: text(folder, {
    jobs: lakeJobs,
    sample: 'DIR',
    description:
      'Local folder for temporary files. Default: a folder for each user in the system’s temporary folder',
  }),
  'scratch-limit': text(sizeFrom('5MB'), {
    jobs: [...engineJobs, 'verify', 'repair'],
    sample: '10GB',
    default: '10GB',
    description: 'Disk space limit of the scratch folder; GB is decimal, GiB binary',
  }),
  shard: text(shardOf, {
    sample: 'I/N',
    description:
      'Read only one of N shares of the accounts: 0/8 is the first of eight, 7/8 the last. Default: from JOB_COMPLETION_INDEX and --shards, or from AWS_BATCH_JOB_ARRAY_INDEX and AWS_BATCH_JOB_ARRAY_SIZE; else everything',
  }),
  shards: text(integer(1, 1024), {
    kind: 'integer',
    sample: 'N',
    description:
      'How many shards there are, for schedulers that tell each process only its own number (Kubernetes)',
  }),
  night: text(
    matching(
      /^(?!\.)[\w.-]{1,200}$/,
      'is not a name of a night',
      'Write 1 to 200 letters, digits, dots, hyphens and underscores; do not begin with a dot.',
    ),
    {
      sample: 'NAME',
      description:
        'Name that all shards of one night share, such as the name of their Kubernetes Job; use another name each night. The shards then use the same time as that of the run (as-of). Default: the id of the AWS Batch array job',
    },
  ),
  buckets: text(integer(1, 1024), {
    jobs: ['export', 'plan', 'rebucket'],
    kind: 'integer',
    sample: 'N',
    description:
      'Parquet files per partition of copy_jobs and copy_job_summaries (not S3 buckets); for a new lake, or the new number for rebucket. Default for a new lake: 1, or as many as there are shards',
  }),
  'allow-unsafe-store': text(onOff, {
    kind: 'switch',
    default: 'false',
    description: 'Use a store that ignores conditional writes; two runs at once may then lose rows',
  }),
  'fail-on': text(failOn, {
    sample: 'any|all|5%',
    default: 'any',
    description:
      'Fail the run if any target fails (any), only if every target fails (all), or if more than this share fails (5%)',
  }),
  'fail-on-mismatch': text(percentage, {
    sample: '2%',
    description:
      'Fail the run if the lake differs from AWS’s own daily counts by more than this share of the jobs. Default: it never fails for that',
  }),
  sse: text(oneOf(serverSideEncryptions), {
    jobs: writingJobs,
    onlyOnS3: true,
    sample: serverSideEncryptions.join('|'),
    description:
      'Encryption of what is written to S3, named as in the AWS CLI. Default: aws:kms with --kms-key-id, else the bucket’s default',
  }),
  'kms-key-id': text(
    matching(/^[\x21-\x7e]{1,2048}$/, 'is not the id of a key', 'Write the id, alias or ARN of a KMS key.'),
    {
      jobs: writingJobs,
      onlyOnS3: true,
      sample: 'ID',
      description: 'KMS key that encrypts what is written to S3',
    },
  ),
  'bucket-key-enabled': text(onOff, {
    jobs: ['export', 'plan', 'repair', 'rebucket'],
    kind: 'switch',
    onlyOnS3: true,
    description:
      'Use an S3 Bucket Key to make fewer requests to KMS; for --sse aws:kms. Default: the bucket’s default',
  }),
  'signing-key': text(signingKey, {
    sample: 'ARN|FILE',
    description:
      'Key that signs the checkpoint of each run: an asymmetric KMS key by ARN, alias or id, or a private key in PEM. Default: checkpoints are not signed',
  }),
  'public-key': list(file, {
    jobs: ['export', 'plan', 'verify', 'repair'],
    sample: 'FILE,…',
    description:
      'Public keys (PEM) whose signatures are accepted. After the signing key was replaced, export needs the earlier key once, and verify needs both',
  }),
  witness: text(lake, {
    jobs: ['export', 'plan', 'verify', 'repair'],
    sample: 's3://bucket/prefix',
    description:
      'Second place for copies of the checkpoints, which are never replaced there: a prefix on S3, or a local folder. Choose one that the exporter can write to and the lake’s owner cannot',
  }),
  'expected-bucket-owner': text(accountId, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'ID',
    description: 'Account that must own the bucket; if another account owns it, nothing is read or written',
  }),
  'endpoint-url': text(endpointUrl, {
    jobs: lakeJobs,
    sample: 'URL',
    description: 'Endpoint of every AWS service except S3',
  }),
  's3-endpoint-url': text(endpointUrl, {
    jobs: lakeJobs,
    onlyOnS3: true,
    sample: 'URL',
    description: 'Endpoint of S3',
  }),
  // Athena accepts other names in backticks, then fails on them (docs.aws.amazon.com/athena/latest/ug/tables-databases-columns-names.html)
  database: text(
    matching(
      /^[a-z_][a-z0-9_]{0,254}$/,
      'is not a database name',
      'Use lower-case letters, digits and underscores; do not begin with a digit.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'backup_copy_export',
      description: 'Glue database, or schema in Trino',
    },
  ),
  dialect: text(oneOf(['athena', 'trino']), {
    jobs: catalogOnly,
    sample: 'athena|trino',
    default: 'athena',
    description: 'Query engine that ddl writes statements for',
  }),
  'trino-catalog': text(
    matching(
      /^[a-z][a-z0-9_]{0,127}$/,
      'is not a catalog name',
      'Use lower-case letters, digits and underscores; begin with a letter.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'hive',
      description: 'Hive catalog in Trino, for ddl',
    },
  ),
  'first-day': text(day, {
    jobs: catalogOnly,
    sample: 'DAY',
    description:
      'First UTC day that the tables cover. Default: the first day in the lake. apply takes the earlier of the two; with this option, ddl sends no request to AWS',
  }),
  workgroup: text(
    matching(
      /^[a-zA-Z0-9._-]{1,128}$/,
      'is not a workgroup name',
      'Write 1 to 128 letters, digits, dots, hyphens and underscores.',
    ),
    {
      jobs: catalogOnly,
      sample: 'NAME',
      default: 'primary',
      description: 'Athena workgroup in which apply creates the views',
    },
  ),
  'output-location': text(
    matching(
      /^s3:\/\/[a-z0-9][a-z0-9.-]{1,61}[a-z0-9](\/\S*)?$/,
      'is not a location on S3',
      'Write s3://bucket/prefix/.',
    ),
    {
      jobs: catalogOnly,
      sample: 's3://bucket/prefix/',
      description: 'Where Athena writes results; required if the workgroup sets no location',
    },
  ),
  'dry-run': text(onOff, {
    kind: 'switch',
    jobs: catalogOnly,
    default: 'false',
    description: 'For apply: show what would change, and change nothing',
  }),
  apply: text(onOff, {
    kind: 'switch',
    jobs: repairOnly,
    default: 'false',
    description: 'Do what can be done. Without it, only show it, and change nothing',
  }),
  'ignore-unfinished-runs': text(onOff, {
    kind: 'switch',
    jobs: ['repair', 'rebucket'],
    default: 'false',
    description: 'Do not wait for exports that have not ended: you know that none is at work',
  }),
  backup: text(lake, {
    jobs: repairOnly,
    sample: 's3://bucket/prefix',
    description: 'A copy of the lake to restore from as well: a prefix on S3, or a local folder',
  }),
  from: text(day, {
    jobs: queryOnly,
    sample: 'DAY',
    description:
      'First UTC day to read; export_coverage is always read whole. Default: every day of a local lake; on S3, the days the question needs, or for your own SQL the 35 days up to the last run',
  }),
  to: text(day, {
    jobs: queryOnly,
    sample: 'DAY',
    description: 'Last UTC day to read, inclusive. Default: the newest',
  }),
  format: text(oneOf(['table', 'csv', 'json', 'parquet']), {
    jobs: queryOnly,
    sample: 'table|csv|json|parquet',
    description: 'Output format. Default: table on a terminal, else csv',
  }),
  'output-file': text(file, {
    jobs: queryOnly,
    sample: 'FILE',
    description: 'File to write rows to, instead of stdout; required for parquet',
  }),
  raw: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description: 'In CSV, leave text unchanged even if a spreadsheet would run it as a formula',
  }),
  wide: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description:
      'On a terminal, print full values with exact sizes and times instead of fitting tables to its width',
  }),
  timeout: text(longestTimer, {
    jobs: queryOnly,
    sample: '10m',
    default: '10m',
    description: 'Time limit for one query',
  }),
  list: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'false',
    description: 'List the named questions, one per line; with a question’s name, show its help',
  }),
  history: text(onOff, {
    kind: 'switch',
    jobs: queryOnly,
    default: 'true',
    description:
      'Save what you type at the prompt in a file in your state folder (XDG_STATE_HOME, or ~/.local/state)',
  }),
  'warn-within': text(duration(3650 * dayMs), {
    jobs: statusOnly,
    sample: '48h',
    default: '48h',
    description: 'Exit with 75 if AWS will begin within this time to delete records that no run has read',
  }),
  'stale-after': text(duration(3650 * dayMs), {
    jobs: statusOnly,
    sample: '36h',
    default: '36h',
    description:
      'Report a gap if no run has read a target for longer than this; set it above the interval of your schedule. A gap alone does not change the exit code',
  }),
  'lost-since': text(momentOrSpan, {
    jobs: statusOnly,
    sample: 'DATE|7d',
    description:
      'Exit with 66 only for losses since this date, or within this time before now (7d). Default: for every loss that nobody has acknowledged',
  }),
  acknowledge: text(onOff, {
    kind: 'switch',
    jobs: statusOnly,
    default: 'false',
    description:
      'Record in the lake that you have acknowledged all losses up to now, so that status no longer exits with 66 for them',
  }),
  'as-of': text(instant, {
    jobs: statusOnly,
    sample: 'DATE',
    description:
      'Report the status as it was at this time (UTC), from the runs that had begun by then. Default: now',
  }),
  'log-level': text(oneOf(['trace', 'debug', 'info', 'warn', 'error', 'fatal', 'silent']), {
    jobs: allJobs,
    sample: 'LEVEL',
    default: 'info',
    description: 'Lowest level to log: trace, debug, info, warn, error, fatal, silent',
  }),
  'log-format': text(oneOf(['auto', 'json', 'pretty']), {
    jobs: allJobs,
    sample: 'auto|json|pretty',
    default: 'auto',
    description: 'Format of log lines; auto: pretty on a terminal, else JSON lines',
  }),
  progress: text(oneOf(['auto', 'on', 'off']), {
    jobs: allJobs,
    sample: 'auto|on|off',
    default: 'auto',
    description: 'Show progress; auto: a bar on a terminal, else a log line every 30 s',
  }),
  metrics: text(oneOf(['none', 'emf']), {
    sample: 'none|emf',
    default: 'none',
    description:
      'Metrics of the run on stderr: emf writes them in CloudWatch’s embedded metric format, one JSON object per line. OpenTelemetry is switched on by OTEL_EXPORTER_OTLP_ENDPOINT',
  }),
  output: text(oneOf(['text', 'json', 'html']), {
    jobs: allJobs,
    sample: 'text|json|html',
    default: 'text',
    description:
      'Format of the result on stdout; html, one self-contained page, is for status and verify. For query, json means --format json',
  }),
} as const satisfies Record<string, Option>;

export type OptionName = keyof typeof options;
export type OptionValue<N extends OptionName> = ReturnType<(typeof options)[N]['parse']>;

/** All names, in the table's order. */
// Object.keys of an object literal are its own keys; TypeScript only says string.
export const optionNames = Object.keys(options) as readonly OptionName[];

/** The option without its own value type, for code that handles every option. */
export function optionOf(name: OptionName): Option {
  return options[name];
}

export const environmentPrefix = 'BACKUP_COPY_EXPORT_';

/** `role-name` → `BACKUP_COPY_EXPORT_ROLE_NAME` */
export function environmentName(name: string): string {
  return environmentPrefix + name.toUpperCase().replaceAll('-', '_');
}

/** The options that only this job has. Some have the name of an option of other jobs, and replace it. */
function optionsOnlyOf(job: Job): Readonly<Record<string, Option>> {
  if (job === 'simulate') return simulateOptions;
  return job === 'verify' ? verifyOptions : {};
}

/** The options of a job by name, without `--config`. */
export function tableOf(job: Job): ReadonlyMap<string, Option> {
  const shared = optionNames.filter((name) => optionOf(name).jobs.includes(job));
  return new Map<string, Option>([
    ...shared.map((name): [string, Option] => [name, optionOf(name)]),
    ...Object.entries(optionsOnlyOf(job)),
  ]);
}

/** The options of every job: one environment or configuration file may serve several jobs. */
export const allOptionNames: ReadonlySet<string> = new Set([
  ...optionNames,
  ...Object.keys(simulateOptions),
  ...Object.keys(verifyOptions),
]);

/** Options that need no value. */
export const switchNames: ReadonlySet<string> = new Set(
  [
    ...optionNames.map((name) => [name, optionOf(name)] as const),
    ...Object.entries(simulateOptions),
    ...Object.entries(verifyOptions),
  ].flatMap(([name, { kind }]) => (kind === 'switch' ? [name] : [])),
);

/** The options that every job has. */
export const commonOptionNames = optionNames.filter((name) => optionOf(name).jobs.includes('simulate'));

/** Some of the options, in the order of their names. */
export function optionsOf(names: readonly OptionName[]): Readonly<Record<string, Option>> {
  return Object.fromEntries(names.map((name) => [name, optionOf(name)]));
}

/** The options of a job beyond the ones that every job has. */
export function ownOptionNames(job: Job): readonly OptionName[] {
  return optionNames.filter((name) => optionOf(name).jobs.includes(job) && !commonOptionNames.includes(name));
}

/** The options of `export`; `plan` has the same. */
export const exportOptionNames = ownOptionNames('export');

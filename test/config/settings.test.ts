import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, test } from 'vitest';
import {
  environmentName,
  exportOptionNames,
  type OptionName,
  optionNames,
  optionOf,
} from '../../src/config/options.ts';
import { parseSettings, parseTelemetry, type Settings } from '../../src/config/settings.ts';
import { unknownRegions } from '../../src/config/value-parsers.ts';
import { parseQuerySettings } from '../../src/query/query-settings.ts';
import { parseRebucketSettings } from '../../src/rebucket/rebucket-settings.ts';
import { parseRepairSettings } from '../../src/repair/repair-settings.ts';
import { ConfigError, ReportedError, UsageError } from '../../src/shared/errors.ts';
import { parseStatusSettings } from '../../src/status/status-settings.ts';
import { parseVerifySettings } from '../../src/verify/verify-settings.ts';

interface Sources {
  readonly flags?: Readonly<Record<string, unknown>>;
  readonly env?: Readonly<Record<string, string>>;
  readonly file?: string;
}

function input({ flags = {}, env = {}, file }: Sources) {
  return {
    flags: file === undefined ? flags : { ...flags, config: 'config.yaml' },
    env,
    cwd: '/home/somebody',
    temporaryFolder: tmpdir(),
    readFile: (path: string): string => {
      if (file === undefined || path !== '/home/somebody/config.yaml') {
        throw Object.assign(new Error('no such file'), { code: 'ENOENT' });
      }
      return file;
    },
  };
}

function settings(given: Sources): Settings {
  return parseSettings(input({ ...given, flags: { lake: './lake', ...given.flags } }));
}

function errorOf(given: Sources): ReportedError {
  try {
    settings(given);
  } catch (error) {
    if (error instanceof ReportedError) return error;
    throw error;
  }
  throw new Error('no error');
}

const kmsArn = 'arn:aws:kms:eu-central-1:111122223333:key/0f1e2d3c-0000-1111-2222-333344445555';
const day = 86_400_000;

describe('a value is read', () => {
  const valid: readonly (readonly [OptionName, string, keyof Settings, unknown])[] = [
    ['lake', './folder', 'lake', { kind: 'local', folder: '/home/somebody/folder' }],
    ['lake', '/data/lake', 'lake', { kind: 'local', folder: '/data/lake' }],
    ['lake', 's3://my-bucket', 'lake', { kind: 's3', bucket: 'my-bucket', prefix: '' }],
    ['lake', 's3://my-bucket/a/b/', 'lake', { kind: 's3', bucket: 'my-bucket', prefix: 'a/b' }],
    ['accounts', 'self', 'accounts', { kind: 'self' }],
    ['accounts', 'all', 'accounts', { kind: 'all' }],
    [
      'accounts',
      '012345678901, 111122223333,012345678901',
      'accounts',
      { kind: 'listed', accountIds: ['012345678901', '111122223333'] },
    ],
    [
      'organizational-units',
      'ou-ab12-cd34ef56,r-ab12',
      'accounts',
      { kind: 'units', unitIds: ['ou-ab12-cd34ef56', 'r-ab12'] },
    ],
    ['exclude-accounts', '111122223333', 'excludeAccounts', ['111122223333']],
    ['role-name', 'Reader', 'roleName', 'Reader'],
    ['role-name', '/audit/backup/Reader', 'roleName', 'audit/backup/Reader'],
    ['external-id', 'a:b/c-1', 'externalId', 'a:b/c-1'],
    ['role-session-name', 'nightly@export', 'roleSessionName', 'nightly@export'],
    [
      'organization-role-arn',
      'arn:aws-us-gov:iam::111122223333:role/path/Name',
      'organizationRoleArn',
      'arn:aws-us-gov:iam::111122223333:role/path/Name',
    ],
    [
      'lake-role-arn',
      'arn:aws:iam::111122223333:role/Name',
      'lakeRoleArn',
      'arn:aws:iam::111122223333:role/Name',
    ],
    ['regions', 'enabled', 'regions', 'enabled'],
    [
      'regions',
      'us-east-1,us-gov-west-1,eusc-de-east-1,us-east-1',
      'regions',
      ['us-east-1', 'us-gov-west-1', 'eusc-de-east-1'],
    ],
    ['tables', 'copy_job_summaries', 'tables', ['copy_job_summaries']],
    ['aggregation-periods', 'ONE_DAY,FOURTEEN_DAYS', 'aggregationPeriods', ['ONE_DAY', 'FOURTEEN_DAYS']],
    ['since', 'auto', 'since', { kind: 'auto' }],
    ['since', 'all', 'since', { kind: 'all' }],
    ['since', '7d', 'since', { kind: 'ago', ms: 7 * day }],
    ['since', '2026-11-01', 'since', { kind: 'instant', epochMs: Date.UTC(2026, 10, 1) }],
    ['since', '2026-11-01T02:03Z', 'since', { kind: 'instant', epochMs: Date.UTC(2026, 10, 1, 2, 3) }],
    [
      'until',
      '2026-11-01T02:03:04.5+05:45',
      'until',
      { kind: 'instant', epochMs: Date.UTC(2026, 9, 31, 20, 18, 4, 500) },
    ],
    ['until', '2024-02-29T00:00:00-01:00', 'until', { kind: 'instant', epochMs: Date.UTC(2024, 1, 29, 1) }],
    ['until', '2026-11-01T02:03:04', 'until', { kind: 'instant', epochMs: Date.UTC(2026, 10, 1, 2, 3, 4) }],
    ['full-every', '30d', 'fullEveryMs', 30 * day],
    ['memory-days', '40', 'memoryDays', 40],
    ['count-memory-days', '13', 'countMemoryDays', 13],
    ['concurrency', '1', 'concurrency', 1],
    ['concurrency', 'auto', 'concurrency', 'auto'],
    ['requests-per-second', '20', 'requestsPerSecond', 20],
    ['target-timeout', '1h30m', 'targetTimeoutMs', 5_400_000],
    ['target-timeout', '500ms', 'targetTimeoutMs', 500],
    ['deadline', '1d2h3m4s5ms', 'deadlineMs', day + 2 * 3_600_000 + 3 * 60_000 + 4_005],
    ['publish-every', '90s', 'publishEveryMs', 90_000],
    ['publish-window', '23:30-02:00', 'publishWindow', { fromMs: 84_600_000, toMs: 7_200_000 }],
    ['engine', 'parquetjs-lite', 'engine', 'parquetjs-lite'],
    ['memory-limit', '512MiB', 'memoryLimitBytes', 536_870_912],
    ['memory-limit', '512MB', 'memoryLimitBytes', 512_000_000],
    ['scratch', 'tmp', 'scratch', '/home/somebody/tmp'],
    ['scratch-limit', '10GB', 'scratchLimitBytes', 10_000_000_000],
    ['shard', '0/8', 'shard', { index: 0, count: 8 }],
    ['buckets', '16', 'buckets', 16],
    ['allow-unsafe-store', 'true', 'allowUnsafeStore', true],
    ['fail-on', 'all', 'failOn', { kind: 'all' }],
    ['fail-on', '5%', 'failOn', { kind: 'share', share: 0.05 }],
    ['fail-on', '2.5%', 'failOn', { kind: 'share', share: 0.025 }],
    ['fail-on-mismatch', '2%', 'failOnMismatch', 0.02],
    ['fail-on-mismatch', '0%', 'failOnMismatch', 0],
    ['metrics', 'emf', 'metrics', 'emf'],
    ['sse', 'AES256', 'sse', 'AES256'],
    ['sse', 'aws:kms', 'sse', 'aws:kms'],
    ['kms-key-id', 'alias/lake', 'kmsKeyId', 'alias/lake'],
    ['bucket-key-enabled', 'true', 'bucketKeyEnabled', true],
    ['signing-key', './key.pem', 'signingKey', { kind: 'file', file: '/home/somebody/key.pem' }],
    ['signing-key', 'alias/signing', 'signingKey', { kind: 'kms', id: 'alias/signing' }],
    ['signing-key', kmsArn, 'signingKey', { kind: 'kms', id: kmsArn }],
    ['public-key', './a.pem,./b.pem', 'publicKeys', ['/home/somebody/a.pem', '/home/somebody/b.pem']],
    ['witness', './witness', 'witness', { kind: 'local', folder: '/home/somebody/witness' }],
    ['witness', 's3://other/lake', 'witness', { kind: 's3', bucket: 'other', prefix: 'lake' }],
    ['expected-bucket-owner', '012345678901', 'expectedBucketOwner', '012345678901'],
    ['endpoint-url', 'http://127.0.0.1:4566', 'endpointUrl', 'http://127.0.0.1:4566'],
    ['s3-endpoint-url', 'https://minio.example:9000', 's3EndpointUrl', 'https://minio.example:9000'],
  ];

  const lakeFor = (name: OptionName) => (optionOf(name).onlyOnS3 ? 's3://some-bucket/lake' : './lake');

  test.each(valid)('--%s %s', (name, text, key, expected) => {
    expect(settings({ flags: { lake: lakeFor(name), [name]: text } })[key]).toEqual(expected);
  });

  test.each(valid)('the same from the environment and from the file: %s %s', (name, text, key, expected) => {
    const others = name === 'lake' ? {} : { BACKUP_COPY_EXPORT_LAKE: lakeFor(name) };
    const fromEnvironment = parseSettings(input({ env: { ...others, [environmentName(name)]: text } }));
    expect(fromEnvironment[key]).toEqual(expected);
    expect(parseSettings(input({ env: others, file: `${name}: "${text}"` }))[key]).toEqual(expected);
  });

  test('every option is tried above', () => {
    // These two mean something only beside another: shard.test.ts.
    const beside = ['shards', 'night'];
    expect(new Set([...valid.map(([name]) => name), ...beside])).toEqual(new Set(exportOptionNames));
  });
});

test('the defaults are those that the help names', () => {
  const { lake, scratch, ...rest } = settings({});
  expect(lake).toEqual({ kind: 'local', folder: '/home/somebody/lake' });
  expect(scratch).toBe(join(tmpdir(), `backup-copy-export-${process.getuid?.()}`));
  expect(rest).toEqual({
    accounts: { kind: 'self' },
    excludeAccounts: [],
    roleName: 'BackupCopyExportReader',
    externalId: null,
    roleSessionName: 'backup-copy-export',
    organizationRoleArn: null,
    lakeRoleArn: null,
    regions: 'enabled',
    tables: ['copy_jobs', 'copy_job_summaries'],
    aggregationPeriods: ['ONE_DAY'],
    since: { kind: 'auto' },
    until: { kind: 'as-of' },
    fullEveryMs: 21 * day,
    memoryDays: 30,
    countMemoryDays: 14,
    concurrency: 'auto',
    requestsPerSecond: 10,
    targetTimeoutMs: 600_000,
    deadlineMs: 7_200_000,
    publishEveryMs: 1_800_000,
    publishWindow: null,
    engine: 'duckdb',
    memoryLimitBytes: 512_000_000,
    scratchLimitBytes: 10_000_000_000,
    buckets: null,
    allowUnsafeStore: false,
    failOn: { kind: 'any' },
    metrics: 'none',
    night: null,
    shard: null,
    signingKey: null,
    publicKeys: [],
    witness: null,
    failOnMismatch: null,
    sse: null,
    kmsKeyId: null,
    bucketKeyEnabled: null,
    expectedBucketOwner: null,
    endpointUrl: null,
    s3EndpointUrl: null,
  });
});

test.each(
  [
    parseSettings,
    parseQuerySettings,
    parseRebucketSettings,
    parseRepairSettings,
    parseStatusSettings,
    parseVerifySettings,
  ].map((parse) => [parse.name, parse] as const),
)('scratch in the lake is refused: %s', (_, parse) => {
  const flags = {
    lake: './lake',
    scratch: './lake/tmp',
    ...(parse === parseRebucketSettings ? { buckets: '2' } : {}),
  };
  expect(() => parse(input({ flags }))).toThrow(/--scratch names .*tmp, which lies in the lake/);
});

test.each(['./lake', './lake/witness', '.'])('a witness in or around the lake is refused: %s', (witness) => {
  expect(() => settings({ flags: { lake: './lake', witness } })).toThrow(
    /--witness names a place in the lake/,
  );
});

test.each([
  [{ sse: 'AES256', 'kms-key-id': 'alias/lake' }, '--kms-key-id'],
  [{ sse: 'AES256', 'bucket-key-enabled': 'true' }, '--bucket-key-enabled'],
  [{ sse: 'aws:kms:dsse', 'bucket-key-enabled': 'true' }, '--bucket-key-enabled'],
])('encryption that contradicts itself is refused: %o', (flags, named) => {
  expect(() => settings({ flags: { lake: 's3://some-bucket/lake', ...flags } })).toThrow(named);
});

test('a list may be given in several flags', () => {
  const { accounts } = settings({ flags: { accounts: ['111122223333', '444455556666,111122223333'] } });
  expect(accounts).toEqual({ kind: 'listed', accountIds: ['111122223333', '444455556666'] });
});

test('a switch alone is on, and can be off', () => {
  const read = (value: unknown): boolean =>
    settings({ flags: { 'allow-unsafe-store': value } }).allowUnsafeStore;
  expect([read(true), read('true'), read('false')]).toEqual([true, true, false]);
});

test('settings are frozen to the bottom', () => {
  const frozen = settings({ flags: { accounts: '111122223333' } });
  const parts = [frozen, frozen.lake, frozen.accounts, frozen.tables, frozen.excludeAccounts];
  expect(parts.every((part) => Object.isFrozen(part))).toBe(true);
});

describe('a bad value is refused with what, where and what to do', () => {
  const invalid: readonly (readonly [OptionName, string, RegExp])[] = [
    ['lake', '', /is empty.*Give it a value/],
    ['lake', 'gs://bucket/x', /gs:\/\/.*s3:\/\/bucket\/prefix, or a local folder/],
    ['lake', 's3://bucket/x\n', /a space or a line break\. Write "s3:\/\/bucket\/x"\./],
    ['role-name', 'Reader\n', /a space or a line break/],
    ['external-id', 'secret-id\n', /its value begins or ends.*\. Remove the space or line break\.$/],
    ['expected-bucket-owner', '111122223333 ', /a space or a line break/],
    ['regions', 'us-east-1 eu-west-1', /region name/],
    ['scratch', 's3://bucket/x', /begins with s3:\/\/, so it is not a local folder/],
    ['lake', 's3://', /no valid bucket name.*3 to 63/],
    ['lake', 's3://Bucket/x', /no valid bucket name/],
    ['lake', 's3://bucket//x', /empty, relative or unprintable.*single slashes/],
    ['lake', 's3://bucket/../x', /empty, relative or unprintable/],
    ['lake', '~/lake', /begins with ~.*\$HOME/],
    ['accounts', '12345678901', /not an account id.*12 digits/],
    ['accounts', '1111-2222-3333', /not an account id/],
    ['accounts', 'all,111122223333', /combines self or all.*only account ids/],
    ['accounts', '111122223333,,111122223334', /empty item.*single commas/],
    ['organizational-units', 'Production', /not an organizational unit id.*ou-/],
    ['exclude-accounts', 'self', /not an account id/],
    ['role-name', 'arn:aws:iam::111122223333:role/x', /not a role name.*Do not write an ARN/],
    ['role-name', 'two words', /not a role name/],
    ['role-session-name', 'x', /session name.*2 to 64/],
    ['organization-role-arn', 'Reader', /not a role ARN.*arn:aws:iam/],
    ['lake-role-arn', 'arn:aws:iam::1:role/x', /not a role ARN/],
    ['regions', 'useast1', /region name.*us-east-1/],
    ['regions', 'us-est-1', /"us-est-1" is an unknown region\. Did you mean us-east-1\?/],
    ['regions', 'eu-west-1,eu-cntral-1', /unknown region\. Did you mean eu-central-1\?/],
    ['regions', 'all', /region name.*enabled/],
    ['regions', 'enabled,us-east-1', /combines enabled.*either/],
    ['tables', 'export_coverage', /not a valid choice.*copy_jobs, copy_job_summaries/],
    ['aggregation-periods', 'DAILY', /not a valid choice.*ONE_DAY/],
    ['since', 'yesterday', /neither a date nor a duration.*auto, all/],
    ['since', '2026-02-30', /a date that does not exist.*2026-11-01/],
    ['since', '2026-1-1', /not a date/],
    ['until', '7d', /not a date/],
    ['until', '2026-11-01T25:00:00Z', /a date that does not exist/],
    ['until', '2026-11-01T00:00:00+19:00', /a date that does not exist/],
    ['full-every', '7', /not a duration.*7d/],
    ['full-every', '0d', /is zero/],
    ['deadline', '25d', /too long.*24d/],
    ['deadline', '1m1h', /not a duration.*largest unit first/],
    ['deadline', '-1h', /not a duration/],
    ['concurrency', '0', /out of range.*1 to 1024/],
    ['concurrency', '1.5', /not a whole number.*Write auto, or a whole number/],
    ['concurrency', '1e1', /not a whole number/],
    ['memory-limit', '512', /not a size.*512MB/],
    ['memory-limit', '512mb', /not a size/],
    ['memory-limit', '0MB', /out of range/],
    ['memory-limit', '63MB', /too small.*64MB or more/],
    ['scratch-limit', '4999KB', /too small.*5MB or more/],
    ['scratch-limit', '9999999TB', /out of range/],
    ['allow-unsafe-store', 'yes', /neither true nor false.*true or false/],
    ['engine', 'arrow', /not a valid choice.*duckdb, parquetjs-lite/],
    ['fail-on', '101%', /share of targets.*5%/],
    ['fail-on', '5', /share of targets/],
    ['signing-key', 'arn:aws:s3:::bucket', /not the ARN of a KMS key/],
    ['witness', 's3:/other/lake', /s3:\/\/other\/lake/],
    ['kms-key-id', 'a key', /id of a key.*KMS/],
    ['endpoint-url', '127.0.0.1:80', /not an endpoint URL.*http:\/\//],
    ['s3-endpoint-url', 'http://user:word@host', /not an endpoint URL.*without credentials/],
  ];

  test.each(invalid)('--%s %j', (name, text, message) => {
    const error = errorOf({ flags: { [name]: text } });
    expect(error).toBeInstanceOf(UsageError);
    expect(error.exitCode).toBe(64);
    expect(error.message).toMatch(message);
    expect(error.message.startsWith(text === '' ? `--${name} ` : `--${name}: `)).toBe(true);
    expect(error.advice.length).toBeGreaterThan(10);
  });

  test('in the environment: the variable is named, and it is a usage error', () => {
    const error = errorOf({ env: { BACKUP_COPY_EXPORT_MEMORY_DAYS: 'many' } });
    expect(error.exitCode).toBe(64);
    expect(error.message).toMatch(/^BACKUP_COPY_EXPORT_MEMORY_DAYS: "many" is not a whole number\. Write/);
  });

  test('in the file: key and file are named, and it is an error of the configuration', () => {
    const error = errorOf({ file: 'memory-days: many' });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.exitCode).toBe(78);
    expect(error.message).toMatch(
      /^memory-days in the configuration file \/home\/somebody\/config\.yaml: "many"/,
    );
  });

  test('an external id is never printed', () => {
    const error = errorOf({ flags: { 'external-id': 'very secret' } });
    expect(error.message).toMatch(/^--external-id: its value is not an external id\. Write/);
    expect(error.message).not.toContain('secret');
  });

  test('nor is a password in a URL', () => {
    const error = errorOf({ flags: { 'endpoint-url': 'https://me:very@secret@host:1/' } });
    expect(error.message).toMatch(/^--endpoint-url: "https:\/\/…@host:1\/" is not an endpoint URL/);
  });
});

describe('flags win over the environment, the environment over the file', () => {
  const env = { BACKUP_COPY_EXPORT_MEMORY_DAYS: '50' };
  const file = 'memory-days: 60';

  test('for one option', () => {
    expect(settings({ flags: { 'memory-days': '40' }, env, file }).memoryDays).toBe(40);
    expect(settings({ env, file }).memoryDays).toBe(50);
    expect(settings({ file }).memoryDays).toBe(60);
    expect(settings({}).memoryDays).toBe(30);
  });

  test('a list is replaced, not added to', () => {
    const given = { flags: { regions: 'us-east-1' }, file: 'regions: [eu-west-1]' };
    expect(settings(given).regions).toEqual(['us-east-1']);
  });

  test('accounts and units are one choice: the strongest layer decides', () => {
    const units = { BACKUP_COPY_EXPORT_ORGANIZATIONAL_UNITS: 'r-ab12' };
    expect(settings({ env: units, file: 'accounts: all' }).accounts).toEqual({
      kind: 'units',
      unitIds: ['r-ab12'],
    });
    expect(settings({ flags: { accounts: 'all' }, env: units }).accounts).toEqual({ kind: 'all' });
  });

  test('a file named by the environment is read', () => {
    const one = {
      ...input({ file }),
      flags: { lake: 'x' },
      env: { BACKUP_COPY_EXPORT_CONFIG: 'config.yaml' },
    };
    expect(parseSettings(one).memoryDays).toBe(60);
  });
});

describe('what contradicts itself is refused', () => {
  test.each<readonly [string, Sources, RegExp, number]>([
    [
      'accounts with units, both as flags',
      { flags: { accounts: 'self', 'organizational-units': 'r-ab12' } },
      /--accounts and --organizational-units cannot be used together\. Use one/,
      64,
    ],
    [
      'accounts with units, both in the file',
      { file: 'accounts: all\norganizational-units: r-ab12' },
      /cannot be used together/,
      78,
    ],
    [
      'all listed accounts excluded',
      { flags: { accounts: '111122223333', 'exclude-accounts': '111122223333' } },
      /excludes every account.*Exclude fewer/,
      64,
    ],
    [
      'an empty window',
      { flags: { since: '2026-11-02', until: '2026-11-02' } },
      /--since is not before --until.*earlier --since/,
      64,
    ],
    ['a scalar given twice', { flags: { since: ['all', '7d'] } }, /--since is set 2 times\. Set it once/, 64],
    ['an empty variable', { env: { BACKUP_COPY_EXPORT_REGIONS: '' } }, /REGIONS is empty/, 64],
    [
      'an unknown variable',
      { env: { BACKUP_COPY_EXPORT_LAKES: 'x' } },
      /BACKUP_COPY_EXPORT_LAKES.*--help/,
      64,
    ],
    ['a flag without its value', { flags: { config: '' } }, /--config is empty/, 64],
    [
      'a missing file',
      { flags: { config: 'other.yaml' } },
      /other\.yaml cannot be read \(ENOENT\)\. Check/,
      78,
    ],
  ])('%s', (_, given, message, exitCode) => {
    const error = errorOf(given);
    expect(error.message).toMatch(message);
    expect(error.exitCode).toBe(exitCode);
  });

  test('no lake at all, with the three ways to give one', () => {
    expect(() => parseSettings(input({}))).toThrow(/--lake.*BACKUP_COPY_EXPORT_LAKE.*--config/);
  });
});

describe('an option that is only for S3', () => {
  const values: Partial<Record<OptionName, string>> = {
    'lake-role-arn': 'arn:aws:iam::111122223333:role/Name',
    'kms-key-id': 'alias/lake',
    'expected-bucket-owner': '111122223333',
    's3-endpoint-url': 'https://minio.example:9000',
    sse: 'AES256',
    'bucket-key-enabled': 'true',
  };
  const onlyOnS3 = exportOptionNames.filter((name) => optionOf(name).onlyOnS3);

  test('says so in the table of options', () => {
    expect(onlyOnS3).toEqual(expect.arrayContaining(Object.keys(values)));
  });

  test.each(Object.entries(values))('is refused for a local lake: %s', (name, value) => {
    expect(errorOf({ flags: { [name]: value } })).toBeInstanceOf(UsageError);
    const { message } = errorOf({ env: { [environmentName(name)]: value } });
    expect(message).toMatch(
      /^BACKUP_COPY_EXPORT_\w+ applies only to a lake on S3, but \/home\/somebody\/lake is a local folder\. Remove it/,
    );
    expect(errorOf({ file: `${name}: "${value}"` }).exitCode).toBe(78);
    expect(parseSettings(input({ flags: { lake: 's3://bucket/x', [name]: value } })).lake.kind).toBe('s3');
  });

  test('is told with all others of its kind, and is 78 where lake and options stand in the file', () => {
    const file = 'lake: ./x\nkms-key-id: alias/lake\nexpected-bucket-owner: "111122223333"';
    expect(() => parseSettings(input({ file }))).toThrow(ConfigError);
    expect(() => parseSettings(input({ file }))).toThrow(
      /kms-key-id .* and expected-bucket-owner .* apply only to a lake on S3/,
    );
  });
});

test('a region that could be a new one of AWS is taken, and told of with the nearest that is known', () => {
  const { regions } = settings({
    flags: { regions: 'us-east-1,xy-west-1,us-east-9,us-gov-west-1,cn-north-1' },
  });
  expect(regions).toContain('us-east-9');
  expect(unknownRegions(regions === 'enabled' ? [] : regions)).toEqual([
    { name: 'xy-west-1', nearest: expect.stringMatching(/-west-1$/) },
    { name: 'us-east-9', nearest: expect.stringMatching(/^us-east-/) },
  ]);
});

describe('several wrong options', () => {
  test('are told at once, with all that one alone would say', () => {
    const error = errorOf({
      flags: { accounts: '123', 'role-name': ['a', 'b'] as unknown as string },
      env: { BACKUP_COPY_EXPORT_ROLE_NAMES: 'x', BACKUP_COPY_EXPORT_DEADLINE: 'soon' },
      file: 'regions: [1]\nexternal_id: x\nsince: never',
    });
    expect(error).toBeInstanceOf(UsageError);
    expect(error.message).toMatch(/^7 options are wrong\. Correct them: \(1\) /);
    expect(error.each).toHaveLength(7);
    const said = [
      /^--role-name is set 2 times/,
      /ROLE_NAMES matches no option\. Did you mean BACKUP_COPY_EXPORT_ROLE_NAME, for --role-name\?/,
      /^regions in the configuration file .* number/,
      /"external_id" in the configuration file .*Did you mean external-id\?/,
      /^--accounts: "123" is not an account id\. Write all 12 digits/,
      /^since in the configuration file .*"never" is neither/,
      /^BACKUP_COPY_EXPORT_DEADLINE: "soon" is not a duration/,
    ];
    for (const one of said) expect(error.each.filter((message) => one.test(message))).toHaveLength(1);
  });

  test('of the file alone are 78', () => {
    expect(errorOf({ file: 'deadline: soon\naccounts: "1"' }).exitCode).toBe(78);
  });
});

describe('the configuration file', () => {
  test('may be YAML with lists, numbers for numbers and switches', () => {
    const file = [
      'accounts: ["012345678901", "111122223333"]',
      'since: 2026-11-01',
      'concurrency: 4',
      'allow-unsafe-store: true',
    ].join('\n');
    const { accounts, since, concurrency, allowUnsafeStore } = settings({ file });
    expect(accounts).toEqual({ kind: 'listed', accountIds: ['012345678901', '111122223333'] });
    expect(since).toEqual({ kind: 'instant', epochMs: Date.UTC(2026, 10, 1) });
    expect([concurrency, allowUnsafeStore]).toEqual([4, true]);
  });

  test('may be JSON', () => {
    expect(settings({ file: '{\n\t"regions": ["us-east-1"], "memory-days": 31 }' })).toMatchObject({
      regions: ['us-east-1'],
      memoryDays: 31,
    });
  });

  test('may hold options of another job, and be empty', () => {
    expect(settings({ file: 'seed: 7\nlatency-ms: 3' }).memoryDays).toBe(30);
    expect(settings({ file: '' }).memoryDays).toBe(30);
  });

  test.each([
    [
      'an unquoted account id',
      'accounts: 012345678901',
      /accounts in .* a number.*quotes.*drops a leading zero/,
    ],
    ['an unquoted account id in a list', 'exclude-accounts:\n  - 012345678901', /drops a leading zero/],
    ['an unquoted owner', 'expected-bucket-owner: 111122223333', /drops a leading zero/],
    ['an unknown key', 'role_name: x', /"role_name" .* is not an option.*role-name/],
    ['a key that JavaScript knows', '__proto__: x', /"__proto__" .* is not an option/],
    ['the file itself as a key', 'config: other.yaml', /"config" .* is not an option/],
    ['a key without a value', 'regions:', /regions in .* is empty.*remove the key/],
    ['an empty list', 'regions: []', /regions in .* empty/],
    ['a list where text belongs', 'role-name: [a]', /wrong type.*text in quotes/],
    ['a map where a list belongs', 'regions: { a: b }', /wrong type.*list of texts/],
    ['text where a switch belongs', 'allow-unsafe-store: 1', /is a number|wrong type/],
    ['a doubled key', 'regions: us-east-1\nregions: us-east-2', /unique.*one option per key/],
    ['a doubled key in JSON', '{"regions": "us-east-1", "regions": "us-east-2"}', /unique/],
    ['broken JSON', '{"regions": ', /cannot be parsed.*JSON or YAML/],
    ['no map at all', '- lake', /contains no options.*one option per key/],
    ['two documents', 'tables: copy_jobs\n---\ntables: copy_jobs', /cannot be parsed/],
  ])('is refused for %s', (_, file, message) => {
    const error = errorOf({ file });
    expect(error).toBeInstanceOf(ConfigError);
    expect(error.message).toMatch(message);
  });
});

test('telemetry options come the same three ways, for every job', () => {
  const given = input({
    flags: { output: 'json' },
    env: { BACKUP_COPY_EXPORT_LOG_LEVEL: 'warn' },
    file: 'progress: off',
  });
  const expected = { logLevel: 'warn', logFormat: 'auto', progress: 'off', output: 'json' };
  for (const job of ['export', 'plan', 'simulate'] as const)
    expect(parseTelemetry(job, given)).toEqual(expected);
});

test('every option has a description, and a default that its own parser takes', () => {
  for (const name of optionNames) {
    const { description, default: standard, parse } = optionOf(name);
    expect(description.length, name).toBeGreaterThan(10);
    if (standard !== null) expect(() => parse(standard.split(','), '/')).not.toThrow();
  }
});

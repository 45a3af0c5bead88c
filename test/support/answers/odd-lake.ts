/**
 * A lake of copies that the simulator does not make: fields missing, states nobody knows, many at one instant,
 * sums above 2^63, texts that programs stumble over. Random, from a seed; written by a real engine.
 */
import { mkdir, writeFile } from 'node:fs/promises';
import { dirname, join } from 'node:path';
import fc from 'fast-check';
import type { Engine } from '../../../src/lake/engines/engine.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import { type LakeRecord, schemaVersions, serializeRecord } from '../../../src/lake/lake-record.ts';
import { bucketHash, coverageKey, formatVersion, lakeKey, partKey } from '../../../src/lake/layout.ts';
import { copyJobSummaries } from '../../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import type { Row, Table } from '../../../src/tables/table.ts';
import type { LakeRow } from '../lake-reader.ts';
import { linesOf } from '../staged-rows.ts';
import type { Expected } from '../truth.ts';
import { day, type Facts, factsOf, hour } from './facts.ts';
import { tellingCopies, tellingDrains } from './telling-copies.ts';

const now = Date.UTC(2026, 2, 1, 2, 30, 0, 1);

const record: LakeRecord = {
  format_version: formatVersion,
  schema_versions: schemaVersions([copyJobs, copyJobSummaries, exportCoverage, exportReconciliation]),
  buckets: 1,
  bucket_hash: bucketHash,
  created_at: '2026-03-01T00:00:00Z',
  created_by_run: 'test',
  created_by_version: '0.0.0-test',
  unsafe_store: false,
  multipart: true,
};

/** What must come out exactly as it went in. */
export const oddTexts = [
  'plain',
  '',
  ' ',
  'two\nlines\r\nand\ttabs',
  `quotes ' '' " "" \` \\ \\n \\`,
  '=HYPERLINK("http://x","y")',
  '@SUM(1+1)*cmd|x',
  '\u001b[31mred\u001b[0m\u0007',
  '👩‍👩‍👧‍👦 𝒜 데이터 é é \u202eright to left',
  'NULL',
  ':days {x} $1 %s ?',
  'ends in spaces   ',
  `${'long 🎞️ “message”\n'.repeat(600)}end`,
] as const;

/** Messages that are known, in several forms, and nearly so. */
const messages = [
  'Access Denied trying to call AWS Backup service',
  'ACCESS DENIED TRYING TO CALL AWS BACKUP SERVICE.',
  'Too many EBS snapshot copies in progress. The limit is 20 for this destination.',
  'The source snapshot KMS key [arn:aws:kms:eu-central-1:1:key/1]\n does not exist, is not enabled or you do not have permissions to access it.',
  'Access Deniéd',
  'An internal error occurred.',
];

const accounts = ['000000000001', '111111111111', '222222222222'];
const regions = ['eu-west-1', 'us-east-1'];
const tables = ['copy_jobs', 'copy_job_summaries'];
/** Few enough that copies of one recovery point, and of what another copy made, meet. */
const recoveryPoint = fc
  .integer({ min: 0, max: 80 })
  .map((at) => `arn:aws:backup:eu-west-1:1:recovery-point:${at % 20 === 0 ? 'continuous:' : ''}${at}`);
const odd = <T>(value: fc.Arbitrary<T>) => fc.option(value, { freq: 6 });
const some = <T>(...values: readonly T[]) => fc.constantFrom(...values);
const vault = fc
  .record({ region: some(...regions, ''), account: some(...accounts, ...accounts, ''), name: some('a', 'b') })
  .map(({ region, account, name }) => `arn:aws:backup:${region}:${account}:backup-vault:${name}`);

const oddCopy = fc.record({
  account_id: some(...accounts),
  region: some(...regions),
  source_backup_vault_arn: odd(vault),
  destination_backup_vault_arn: odd(fc.oneof({ weight: 9, arbitrary: vault }, some('', 'no arn'))),
  destination_vault_type: odd(some('BACKUP_VAULT', 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT', 'NEWER')),
  destination_vault_lock_state: odd(some('LOCKED', 'UNLOCKED')),
  destination_encryption_key_arn: odd(
    some('', 'alias/backup', ...accounts.map((account) => `arn:aws:kms:eu-west-1:${account}:key/1`)),
  ),
  source_recovery_point_arn: odd(fc.oneof({ weight: 9, arbitrary: recoveryPoint }, some(...oddTexts))),
  destination_recovery_point_arn: odd(fc.oneof(recoveryPoint, some(...oddTexts))),
  destination_recovery_point_lifecycle_delete_after_days: odd(
    some(-1, 0, 1, 3, 35, 365, Number.MAX_SAFE_INTEGER),
  ),
  destination_recovery_point_lifecycle_delete_after_event: some(null, null, null, 'DELETE_AFTER_COPY'),
  resource_arn: odd(
    some(
      'arn:aws:s3:::a',
      'arn:aws:s3:::ä_%',
      'arn:aws:s3:::𝒜',
      'arn:aws:s3:::',
      '',
      'arn:aws:ec2:eu-west-1:111111111111:volume/v',
      'arn:aws:ec2:us-east-1::snapshot/s',
      'arn:aws:ec2:us-east-1:222222222222',
      'no:arn:at:eu-west-1:222222222222:all',
    ),
  ),
  resource_name: odd(some(...oddTexts)),
  resource_type: odd(some('S3', 'EBS')),
  backup_size_in_bytes: odd(some(0, 1, Number.MAX_SAFE_INTEGER)),
  state: odd(
    some('COMPLETED', 'COMPLETED', 'COMPLETED', 'FAILED', 'FAILED', 'PARTIAL', 'RUNNING', 'ABORTED 🛑'),
  ),
  status_message: odd(some(...oddTexts, ...messages)),
  message_category: odd(some('AccessDenied', 'ACCESSDENIED', '', 'ä')),
  age: some(
    0,
    1,
    hour,
    2 * hour + 18_000,
    150 * 60_000 + 1,
    day,
    day + 1,
    3 * day,
    26 * hour,
    40 * day,
    8 * day,
  ),
  length: odd(some(0, 1, -18_000, 18_000, hour, 2 * day)),
  created_by_backup_plan_id: odd(some('p1', 'p2')),
  created_by_backup_plan_name: odd(some(...oddTexts)),
  created_by_backup_rule_id: odd(some('r1', 'r2')),
  created_by_backup_rule_name: odd(some(...oddTexts)),
  created_by_backup_job_id: some(null, 'b1', 'b2'),
  created_by_backup_rule_cron: odd(some('cron(0 5 ? * * *)', 'cron(15 */6 ? * * *)')),
  /** A part of an older version has none. */
  schedule_interval_ms: some(null, null, 1, hour, day, 26 * hour, 7 * day),
  parent_job_id: some(null, null, null, ...[0, 1, 2, 3, 4].map(String)),
  is_parent: odd(some(true, false, false)),
  number_of_child_jobs: some(null, null, 0, 0, 0, 1, 3),
});

const oddDrain = fc.record({
  account_name: odd(some(...oddTexts)),
  status: some('OK', 'OK_EMPTY', 'REJECTED_RECORDS', 'ACCESS_DENIED', 'FAILED', 'SKIPPED', 'NEWER 🆕'),
  error_name: odd(some('Error', 'EmptyWindow')),
  error_message: odd(some(...oddTexts)),
  /** Before the run's as-of. */
  window_to: odd(some(0, 0, 0, 1, hour, 2 * day)),
  /** Before the window's end. */
  window_from: odd(some(hour, day, 4 * day, 7 * day)),
});

/** Writes the lake into an empty folder. */
export async function writeOddLake(folder: string, seed: number, engineName: Engine['name']): Promise<Facts> {
  const copies = [...fc.sample(oddCopy, { numRuns: 600, seed }), ...tellingCopies].map(
    ({ age, length, ...row }, index): Row => {
      const created = now - Number(age);
      return {
        ...row,
        copy_job_id: String(index),
        creation_time: created,
        completion_time: length === null ? null : created + Number(length),
        creation_date: new Date(created).toISOString().slice(0, 10),
      };
    },
  );
  const targets = accounts.flatMap((account_id) =>
    regions.flatMap((region) => tables.map((table_name) => ({ account_id, region, table_name }))),
  );
  const outcomes = fc.sample(oddDrain, { numRuns: 5 * targets.length, seed });
  const before = (from: number, ms: unknown) => (typeof ms === 'number' ? from - ms : null);
  const oddDrains = outcomes.map((outcome, index): Row => {
    // Every target once a run; two runs of one instant are told apart by their ids.
    const run = Math.floor(index / targets.length);
    const as_of = now - ([1, 0, 9, 3, 0][run] ?? 0) * day;
    const window_to = before(as_of, outcome.window_to);
    const window_from = before(window_to ?? as_of, outcome.window_from);
    return {
      ...targets[index % targets.length],
      ...outcome,
      window_from,
      window_to,
      run_id: `run-${run}`,
      as_of,
    };
  });
  const drains = [
    ...oddDrains,
    ...tellingDrains.map(({ age, ...row }, index): Row => {
      const window_from = before(now, row.window_from);
      return {
        ...row,
        window_from,
        window_to: before(now, row.window_to),
        remembered_from: before(now, row.remembered_from),
        run_id: `telling-${index}`,
        as_of: before(now, age),
      };
    }),
  ].map((row) => ({ ...row, run_date: '2026-03-01' }));
  await mkdir(dirname(join(folder, lakeKey)), { recursive: true });
  await writeFile(join(folder, lakeKey), serializeRecord(record));
  const engine = await openEngine(engineName, { memoryLimitBytes: 2 ** 28, scratch: folder });
  const write = async (
    table: Table,
    rows: readonly Row[],
    key: string,
    partition: Record<string, string>,
  ) => {
    const staged = join(folder, 'staged.csv');
    await writeFile(staged, linesOf(table, rows));
    const output = join(folder, key);
    await mkdir(dirname(output), { recursive: true });
    await engine.merge({ table, partition, existing: null, staged: [staged], output, metadata: {} });
  };
  try {
    for (const date of new Set(copies.map((row) => String(row.creation_date)))) {
      const partition = { creation_date: date };
      const rows = copies.filter((row) => row.creation_date === date);
      await write(copyJobs, rows, partKey(copyJobs, partition, 0), partition);
    }
    await write(exportCoverage, drains, coverageKey('2026-03-01', '019ca71f-b900-7000-8000-000000000001'), {
      run_date: '2026-03-01',
    });
    const period = { aggregation_period: 'ONE_DAY', start_date: '2026-03-01' };
    await write(
      copyJobSummaries,
      [{ account_id: '1', region: 'r', start_time: now, job_count: 1, ...period }],
      partKey(copyJobSummaries, period, 0),
      period,
    );
  } finally {
    await engine.close();
  }
  const truth = new Map(copies.map((row) => [String(row.copy_job_id), withoutNulls(row)]));
  return factsOf(
    { copy_jobs: truth, copy_job_summaries: new Map() },
    drains.map((row): LakeRow => row),
    [],
    (row) => (typeof row.schedule_interval_ms === 'number' ? row.schedule_interval_ms : null),
  );
}

function withoutNulls(row: Row): Expected {
  const kept: Record<string, string | number | boolean> = {};
  for (const [name, value] of Object.entries(row)) if (value !== null) kept[name] = value;
  return kept;
}

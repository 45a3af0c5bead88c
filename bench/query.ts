/**
 * Every named question over a lake of so many jobs: seconds each, and the ratio to a plain count that scans two
 * columns of all jobs.
 *
 *   npm run bench -- query [--small] [--jobs 100000] [--days 365] [--accounts 50] [--memory-limit 512]
 *
 * The lake's parts are written by SQL, one a day, as large and sorted as the export's; what is measured is `query`'s
 * reader with its views and locks.
 */
import { mkdir, mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import pino from 'pino';
import { openLake } from '../src/lake/lake.ts';
import { openScratch } from '../src/lake/scratch.ts';
import { openStore } from '../src/lake/stores/open-store.ts';
import { openLakeReader } from '../src/query/lake-reader.ts';
import { questionSql } from '../src/questions/question-sql.ts';
import { loadQuestions } from '../src/questions/questions.ts';
import { copyJobSummaries } from '../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import { exportCoverage } from '../src/tables/export-coverage.ts';
import type { Table } from '../src/tables/table.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    jobs: { type: 'string' },
    days: { type: 'string' },
    accounts: { type: 'string', default: '50' },
    'memory-limit': { type: 'string', default: '512' },
  },
});
const jobs = Number(values.jobs ?? (values.small ? 2_000 : 100_000));
const days = Number(values.days ?? (values.small ? 10 : 365));
const accounts = Number(values.accounts);
const leastAnswered = 15;
const lastDay = "DATE '2026-11-20'";
const regions = "['us-east-1', 'us-west-2', 'eu-west-1', 'eu-central-1']";

/** What the columns hold that are not null; `i` numbers the jobs, `r` is their resource, `d` their day. */
const jobValues: Readonly<Record<string, string>> = {
  copy_job_id: 'uuid()::VARCHAR',
  account_id: 'account',
  region: 'region',
  source_backup_vault_arn: "'arn:aws:backup:' || region || ':' || account || ':backup-vault:prod'",
  source_recovery_point_arn: "'arn:aws:ec2:' || region || '::snapshot/snap-' || md5(i::VARCHAR)[:17]",
  destination_backup_vault_arn:
    "'arn:aws:backup:' || other_region || ':' || CASE WHEN r % 3 = 0 THEN '999999999999' ELSE account END || ':backup-vault:vaulted'",
  destination_vault_type:
    "CASE WHEN r % 5 = 0 THEN 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT' ELSE 'BACKUP_VAULT' END",
  destination_vault_lock_state: "CASE WHEN r % 2 = 0 THEN 'LOCKED' ELSE 'UNLOCKED' END",
  destination_recovery_point_arn:
    "'arn:aws:backup:' || other_region || ':' || account || ':recovery-point:' || md5((i + 1)::VARCHAR)",
  destination_encryption_key_arn:
    "'arn:aws:kms:' || other_region || ':' || account || ':key/' || md5((r % 10)::VARCHAR)",
  resource_arn: "'arn:aws:ec2:' || region || ':' || account || ':volume/vol-' || md5(r::VARCHAR)[:17]",
  resource_name: "'resource-' || r",
  resource_type: "['EBS', 'EC2', 'RDS', 'DynamoDB', 'S3'][1 + r % 5]",
  iam_role_arn: "'arn:aws:iam::' || account || ':role/service-role/AWSBackupDefaultServiceRole'",
  backup_size_in_bytes: '(hash(i) % 1000000000000)::BIGINT',
  state: 'state',
  status_message:
    "CASE WHEN state = 'FAILED' THEN 'Access Denied trying to call AWS Backup service, attempt ' || i END",
  message_category: "CASE state WHEN 'FAILED' THEN 'AccessDenied' WHEN 'COMPLETED' THEN 'SUCCESS' END",
  creation_time: 'created',
  completion_time: "CASE WHEN state <> 'RUNNING' THEN created + to_minutes((hash(i) % 300)::BIGINT) END",
  created_by_backup_plan_id: 'md5((r % 40)::VARCHAR)',
  created_by_backup_plan_name: "'plan-' || r % 40",
  created_by_backup_rule_id: 'md5((r % 120)::VARCHAR)',
  created_by_backup_rule_name: "'rule-' || r % 120",
  is_parent: 'false',
  first_observed_at: 'created + INTERVAL 1 DAY',
  observed_at: 'created + INTERVAL 1 DAY',
  run_id: "'run'",
  queried_account_id: 'account',
};

const jobRows = `SELECT *, printf('%012d', 100000000000 + r % ${accounts}) AS account, ${regions}[1 + r % 4] AS region,
    ${regions}[1 + (r + 1 + r % 3) % 4] AS other_region,
    CASE WHEN i % 97 = 0 THEN 'FAILED' WHEN d >= ${lastDay} AND i % 13 = 0 THEN 'RUNNING' ELSE 'COMPLETED' END AS state
  FROM (SELECT i, (hash(i) % ${Math.max(1, Math.round(jobs / 60))})::BIGINT AS r,
      (${lastDay} - (i % ${days})::INTEGER)::DATE AS d,
      (${lastDay} - (i % ${days})::INTEGER)::TIMESTAMP + to_seconds((hash(i * 7) % 86400)::BIGINT) AS created
    FROM range(${jobs}) t(i))`;

/** A run's files are named by its id, a UUIDv7: it begins with the as-of of the run, two o'clock. */
const runIdOf = (day: string) => {
  const time = (Date.parse(day) + 7_200_000).toString(16).padStart(12, '0');
  return `${time.slice(0, 8)}-${time.slice(8)}-7000-8000-000000000000`;
};
const runTime = "printf('%012x', epoch_ms(d::TIMESTAMP + INTERVAL 2 HOUR))";

const coverageValues: Readonly<Record<string, string>> = {
  run_id: `${runTime}[:8] || '-' || ${runTime}[9:] || '-7000-8000-000000000000'`,
  as_of: 'd::TIMESTAMP + INTERVAL 2 HOUR',
  table_name: 'table_name',
  account_id: "printf('%012d', 100000000000 + a)",
  region: `${regions}[1 + g]`,
  status: "CASE WHEN hash(a + g) % 211 = 0 THEN 'ACCESS_DENIED' ELSE 'OK' END",
  pages: '1',
  rows: '10',
  rejected: '0',
  retries: '0',
};

const coverageRows = `SELECT (${lastDay} - n::INTEGER)::DATE AS d, a, g, table_name
  FROM range(${days}) t(n), range(${accounts}) u(a), range(4) v(g),
    (VALUES ('copy_jobs'), ('copy_job_summaries')) w(table_name)`;

/** Declared columns in their order; later ones may read earlier ones. */
function selectSql(table: Table, known: Readonly<Record<string, string>>, from: string): string {
  const types = { text: 'VARCHAR', bigint: 'BIGINT', boolean: 'BOOLEAN', timestamp: 'TIMESTAMP_MS' };
  const stored = table.columns.filter(({ origin }) => origin.kind !== 'derived');
  const derived = table.columns.flatMap(({ name, type, origin }) =>
    origin.kind === 'derived' ? [`(${origin.sql})::${types[type]} AS "${name}"`] : [],
  );
  const base = stored.map(({ name, type }) => `(${known[name] ?? 'NULL'})::${types[type]} AS "${name}"`);
  return `SELECT ${['*', ...derived]} FROM (SELECT ${base}, strftime(d, '%Y-%m-%d') AS _day FROM (${from}))`;
}

async function writeParts(
  connection: DuckDBConnection,
  table: Table,
  lake: string,
  day: string,
  nameOf: (day: string) => string = () => 'part-00000',
): Promise<void> {
  const { rows } = await connection
    .runAndReadAll('SELECT DISTINCT _day FROM made ORDER BY 1')
    .then((reader) => ({ rows: reader.getRowsJS().flat().map(String) }));
  for (const one of rows) {
    const folder = join(lake, table.name, `${day}=${one}`);
    await mkdir(folder, { recursive: true });
    await connection.run(
      `COPY (SELECT * EXCLUDE (_day) FROM made WHERE _day = '${one}' ORDER BY ${table.sortBy})
       TO '${join(folder, `${nameOf(one)}.parquet`)}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1, ROW_GROUP_SIZE 10240)`,
    );
  }
}

async function writeTables(folder: string, lake: string): Promise<void> {
  const instance = await DuckDBInstance.create(join(folder, 'made.db'), { memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(
    `CREATE OR REPLACE TABLE made AS ${selectSql(copyJobs, jobValues, jobRows)} ORDER BY _day`,
  );
  await writeParts(connection, copyJobs, lake, 'creation_date');
  const coverage = selectSql(exportCoverage, coverageValues, coverageRows);
  await connection.run(`CREATE OR REPLACE TABLE made AS ${coverage} ORDER BY _day`);
  await writeParts(connection, exportCoverage, lake, 'run_date', runIdOf);
  const summaries = selectSql(
    copyJobSummaries,
    {
      ...{ region: 'region', account_id: 'account', state: 'state', job_count: 'n', resource_type: "'EBS'" },
      ...{
        message_category: "'SUCCESS'",
        start_time: 'd',
        end_time: 'd + 1',
        observed_at: 'd + 1',
        run_id: "'run'",
      },
    },
    `SELECT d, account, region, state, count(*) AS n FROM (${jobRows}) GROUP BY ALL`,
  );
  await connection.run(`CREATE OR REPLACE TABLE made AS ${summaries}`);
  await writeParts(connection, copyJobSummaries, lake, 'aggregation_period=ONE_DAY/start_date');
  connection.closeSync();
  instance.closeSync();
}

async function seconds(work: () => Promise<unknown>): Promise<number> {
  const begun = performance.now();
  await work();
  return (performance.now() - begun) / 1000;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-query-'));
try {
  const lake = join(folder, 'lake');
  const store = await openStore(
    { kind: 'local', folder: lake },
    {
      create: true,
      endpointUrl: null,
      kmsKeyId: null,
      expectedBucketOwner: null,
      log: pino({ level: 'silent' }),
    },
  );
  await openLake({
    store,
    buckets: null,
    allowUnsafeStore: false,
    runId: 'bench',
    programVersion: 'bench',
    now: new Date().toISOString(),
    mode: 'write',
  });
  await writeTables(folder, lake);
  const scratch = await openScratch({ parent: join(folder, 'scratch'), runId: 'bench', limitBytes: 1e11 });
  const begun = performance.now();
  const memoryLimitBytes = Number(values['memory-limit']) * 1e6;
  const reader = await openLakeReader({ store, folder: lake, scratch, memoryLimitBytes });
  console.log(`${jobs} jobs in ${days} days, opened in ${((performance.now() - begun) / 1000).toFixed(2)} s`);
  const count = "SELECT count(*) FROM copy_jobs WHERE state <> '' AND resource_arn <> ''";
  const plain = await seconds(() => reader.connection.runAndReadAll(count));
  console.log(`${plain.toFixed(2).padStart(7)} s     1.0  (plain count)`);
  let answered = 0;
  for (const question of loadQuestions()) {
    let rows = 0;
    const took = await seconds(async () => {
      const answer = await reader.connection.runAndReadAll(questionSql(question));
      rows = answer.currentRowCount;
    });
    const ratio = (took / plain).toFixed(1).padStart(7);
    console.log(`${took.toFixed(2).padStart(7)} s ${ratio}  ${question.name}: ${rows} rows`);
    if (rows > 0) answered += 1;
  }
  // Questions without rows say little about their time.
  if (answered < leastAnswered) throw new Error(`only ${answered} questions found rows`);
  console.log(`peak ${Math.round(process.resourceUsage().maxRSS / 1024)} MiB, making the lake included`);
  await reader.close();
  await scratch.remove();
} finally {
  await rm(folder, { recursive: true, force: true });
}

/**
 * The two engines side by side, and hyparquet-writer as a measure: rows/s, size, peak memory.
 * Each runs in a process of its own on the same rows, so that peaks are its own; ratios are to DuckDB.
 *
 *   npm run bench -- engines [--small] [--rows 33000] [--parts 10] [--large 0]
 *
 * `--parts`: so many parts are written, then merged with as many rows of which a tenth changed.
 * `--large N`: instead, one part of N rows is merged with N/10 more (DuckDB only).
 */
import { spawnSync } from 'node:child_process';
import { createWriteStream } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { pipeline } from 'node:stream/promises';
import { parseArgs } from 'node:util';
import { parquetWriteFile } from 'hyparquet-writer';
import type { Engine } from '../src/lake/engines/engine.ts';
import { openEngine } from '../src/lake/engines/open-engine.ts';
import { stagedRows } from '../src/lake/engines/staged-rows.ts';
import { lineOf } from '../src/lake/staged-line.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import { type Row, withDerived } from '../src/tables/table.ts';

const contenders = ['duckdb', 'parquetjs-lite', 'hyparquet-writer'] as const;
type Contender = (typeof contenders)[number];

interface Result {
  readonly writeMs: number;
  /** Null where the contender cannot merge. */
  readonly mergeMs: number | null;
  readonly bytes: number;
  readonly startRss: number;
  readonly peakRss: number;
}

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    rows: { type: 'string' },
    parts: { type: 'string' },
    large: { type: 'string', default: '0' },
    'memory-limit': { type: 'string', default: String(512 * 2 ** 20) },
    /** Set for the processes this one starts. */
    contender: { type: 'string' },
    folder: { type: 'string' },
  },
});
const large = Number(values.large);
const rows = large || Number(values.rows ?? (values.small ? 1_000 : 33_000));
const parts = large ? 1 : Number(values.parts ?? (values.small ? 1 : 10));

if (values.contender !== undefined && values.folder !== undefined) {
  const contender = contenders.find((name) => name === values.contender);
  if (contender === undefined) throw new TypeError(`no such contender: ${values.contender}`);
  console.log(JSON.stringify(await measure(contender, values.folder)));
} else {
  await compare();
}

async function compare(): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-engines-'));
  try {
    await stageRows(join(folder, 'first.csv'), 0, rows, 1);
    await stageRows(join(folder, 'second.csv'), 0, large ? rows / 10 : rows, 2);
    const results = new Map<Contender, Result>();
    for (const contender of large ? (['duckdb'] as const) : contenders) {
      const options = [...process.argv.slice(2), '--contender', contender, '--folder', folder];
      const child = spawnSync(process.execPath, [import.meta.filename, ...options], {
        encoding: 'utf8',
        stdio: ['ignore', 'pipe', 'inherit'],
      });
      if (child.status !== 0) throw new Error(`${contender} ended with ${child.status ?? child.signal}`);
      // Safe: printed by `measure` above.
      results.set(contender, JSON.parse(child.stdout) as Result);
    }
    print(results);
  } finally {
    await rm(folder, { recursive: true });
  }
}

function print(results: ReadonlyMap<Contender, Result>): void {
  const base = results.get('duckdb');
  if (base === undefined) return;
  console.log(`${parts} × ${rows} rows of ${copyJobs.columns.length} columns`);
  const perSecond = (ms: number | null) => (ms === null ? null : (rows * parts * 1_000) / ms);
  const measures: [string, (result: Result) => number | null, (value: number) => string][] = [
    ['write, rows/s', ({ writeMs }) => perSecond(writeMs), (value) => Math.round(value).toLocaleString('en')],
    ['merge, rows/s', ({ mergeMs }) => perSecond(mergeMs), (value) => Math.round(value).toLocaleString('en')],
    ['size of a part, MB', ({ bytes }) => bytes / 1e6, (value) => value.toFixed(2)],
    ['peak RSS, MB', ({ peakRss }) => peakRss / 1e6, (value) => value.toFixed(0)],
    ['of it before the first merge, MB', ({ startRss }) => startRss / 1e6, (value) => value.toFixed(0)],
  ];
  console.table(
    Object.fromEntries(
      measures.map(([label, measureOf, format]) => [
        label,
        Object.fromEntries(
          [...results].map(([contender, result]) => {
            const value = measureOf(result);
            const reference = measureOf(base);
            const ratio = value === null || reference === null ? '' : ` (${(value / reference).toFixed(2)})`;
            return [contender, value === null ? '–' : `${format(value)}${ratio}`];
          }),
        ),
      ]),
    ),
  );
}

async function measure(contender: Contender, folder: string): Promise<Result> {
  const startRss = process.memoryUsage.rss();
  const part = (number: number) => join(folder, `${contender}-${number}.parquet`);
  const time = async (work: (number: number) => Promise<void>) => {
    const start = performance.now();
    for (let number = 0; number < parts; number += 1) await work(number);
    return performance.now() - start;
  };
  let writeMs: number;
  let mergeMs: number | null = null;
  if (contender === 'hyparquet-writer') {
    writeMs = await time((number) => writeWithHyparquet(join(folder, 'first.csv'), part(number)));
  } else {
    const options = { memoryLimitBytes: Number(values['memory-limit']), scratch: folder };
    const engine = await openEngine(contender, options);
    const merge = (existing: string | null, staged: string, output: string) =>
      mergeOnce(engine, existing, join(folder, staged), output);
    writeMs = await time((number) => merge(null, 'first.csv', part(number)));
    mergeMs = await time((number) => merge(part(number), 'second.csv', `${part(number)}.new`));
    await engine.close();
  }
  const { size } = await stat(part(0));
  // maxRSS is in KiB: https://nodejs.org/api/process.html#processresourceusage
  return { writeMs, mergeMs, bytes: size, startRss, peakRss: process.resourceUsage().maxRSS * 1024 };
}

async function mergeOnce(
  engine: Engine,
  existing: string | null,
  staged: string,
  output: string,
): Promise<void> {
  const partition = { creation_date: '2026-11-20' };
  const outcome = await engine.merge({
    table: copyJobs,
    partition,
    existing,
    staged: [staged],
    output,
    metadata: { run_id: 'bench' },
  });
  if (!outcome.changed || outcome.rows !== rows) throw new Error(`unexpected: ${JSON.stringify(outcome)}`);
}

async function writeWithHyparquet(staged: string, output: string): Promise<void> {
  const types = { text: 'STRING', bigint: 'INT64', boolean: 'BOOLEAN', timestamp: 'TIMESTAMP' } as const;
  const all: Row[] = [];
  for await (const row of stagedRows(copyJobs, staged)) all.push(withDerived(copyJobs, row));
  await parquetWriteFile({
    filename: output,
    rowGroupSize: 10_240,
    columnData: copyJobs.columns.map(({ name, type }) => ({
      name,
      type: types[type],
      nullable: true,
      data: all.map((row) => {
        const value = row[name];
        if (value === null || value === undefined) return null;
        if (type === 'bigint') return BigInt(value);
        return type === 'timestamp' ? new Date(Number(value)) : value;
      }),
    })),
  });
}

async function stageRows(file: string, from: number, to: number, round: number): Promise<void> {
  function* lines() {
    for (let at = from; at < to; at += 1) yield `${lineOf(copyJobs, copyJob(at, round)).join('')}\n`;
  }
  await pipeline(Readable.from(lines()), createWriteStream(file));
}

/** Like AWS's: 200 accounts in 4 regions, plans with names, ids that look random. A tenth ends in round 2. */
function copyJob(at: number, round: number): Row {
  const id = (salt: number) => {
    const digits = (Math.imul(at + 1, 2_654_435_761 + salt * 40_503) >>> 0).toString(16).padStart(8, '0');
    return `${digits}-4E05-41D3-9A0C-${digits}${(at % 65_536).toString(16).padStart(4, '0')}`.toUpperCase();
  };
  const account = String(111_111_111_111 + (at % 200) * 1_000_003);
  const region = ['us-east-1', 'us-west-2', 'eu-west-1', 'ap-south-1'][at % 4] ?? '';
  const created = Date.UTC(2026, 10, 20) + ((at * 7_919) % 86_400_000);
  const runs = at % 10 === 0 && round === 1;
  const failed = at % 17 === 0;
  const type = ['EBS', 'RDS', 'DynamoDB', 'EFS', 'S3'][at % 5] ?? '';
  return {
    copy_job_id: id(1),
    account_id: account,
    source_backup_vault_arn: `arn:aws:backup:${region}:${account}:backup-vault:prod`,
    source_recovery_point_arn: `arn:aws:ec2:${region}::snapshot/snap-${id(2).toLowerCase()}`,
    destination_backup_vault_arn: 'arn:aws:backup:eu-central-1:999999999999:backup-vault:central',
    destination_vault_type: 'BACKUP_VAULT',
    destination_recovery_point_arn: `arn:aws:backup:eu-central-1:999999999999:recovery-point:${id(3)}`,
    destination_recovery_point_lifecycle_delete_after_days: 365,
    resource_arn: `arn:aws:ec2:${region}:${account}:volume/vol-${id(4).slice(0, 17).toLowerCase()}`,
    resource_name: `orders-${at % 977}`,
    resource_type: type,
    iam_role_arn: `arn:aws:iam::${account}:role/service-role/AWSBackupDefaultServiceRole`,
    backup_size_in_bytes: runs ? null : (at * 1_000_003) % 2 ** 44,
    state: runs ? 'RUNNING' : failed ? 'FAILED' : 'COMPLETED',
    status_message: failed ? `Access Denied trying to call AWS Backup service for ${id(5)}` : null,
    message_category: runs ? null : failed ? 'AccessDenied' : 'SUCCESS',
    creation_time: created,
    completion_time: runs ? null : created + 60_000 + ((at * 31) % 3_600_000),
    created_by_backup_plan_id: id(at % 40),
    created_by_backup_plan_arn: `arn:aws:backup:${region}:${account}:backup-plan:${id(at % 40)}`,
    created_by_backup_plan_name: `daily-35d-${at % 40}`,
    created_by_backup_plan_version: 'ZTFjNjM0ZmQtYjE2',
    created_by_backup_rule_id: id(50 + (at % 40)),
    created_by_backup_rule_name: 'copy-to-central',
    created_by_backup_rule_cron: 'cron(0 5 ? * * *)',
    created_by_backup_rule_timezone: 'Etc/UTC',
    created_by_backup_job_id: id(6),
    is_parent: false,
    region,
    first_observed_at: Date.UTC(2026, 10, 20 + round),
    observed_at: Date.UTC(2026, 10, 20 + round),
    run_id: `0199f3a0-7c1e-7b2a-9c3d-4e5f6071829${round}`,
    queried_account_id: account,
  };
}

/**
 * What `plan` says about some shards of a very large organization, next to what `export` then does.
 *
 *   npm run bench -- scale [--small] [--accounts 20000] [--regions 20] [--jobs-per-day 1000] [--shards 1000] [--take 1, or 2 with --small]
 *     [--buckets 1024]
 *
 * Both read the first `--take` of `--shards`, one after another, and the jobs of one day, for a new lake of so many buckets: `plan`
 * suggests them. With `--shards 100 --take 10` that is a tenth of the organization: 40 million jobs a night at the default size. The
 * calls are counted by the simulator, memory and CPU by the kernel.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { PlanSummary, RunSummary } from '../src/telemetry/run-summary.ts';
import { type Measured, measured } from './support/measured-process.ts';
import { builtProgram, machine } from './support/program.ts';
import { startSimulatorProcess } from './support/simulator-process.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    accounts: { type: 'string' },
    regions: { type: 'string' },
    'jobs-per-day': { type: 'string' },
    shards: { type: 'string' },
    take: { type: 'string' },
    buckets: { type: 'string' },
  },
});
const accounts = Number(values.accounts ?? (values.small ? 16 : 20_000));
const regions = Number(values.regions ?? (values.small ? 2 : 20));
const jobsPerDay = Number(values['jobs-per-day'] ?? (values.small ? 20 : 1_000));
const shards = Number(values.shards ?? (values.small ? 4 : 1_000));
const take = Number(values.take ?? (values.small ? 2 : 1));
if (!(take >= 1 && take <= shards))
  throw new Error(`--take ${values.take} is not from 1 to ${shards}, the number of shards`);
const buckets = Number(values.buckets ?? (values.small ? 4 : 1_024));

const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
const simulator = await startSimulatorProcess({ accounts, regions, days: 1, 'jobs-per-day': jobsPerDay });
try {
  const own = Array.from({ length: take }, (_, shard) => shard);
  const plans: PlanSummary[] = [];
  for (const shard of own) plans.push(resultOf<PlanSummary>(await run('plan', shard)));
  const before = await simulator.requests();
  const exports: Measured[] = [];
  for (const shard of own) exports.push(await run('export', shard));
  const after = await simulator.requests();
  const calls = ['ListCopyJobs', 'ListCopyJobSummaries'].map(
    (api) => (after.get(api) ?? 0) - (before.get(api) ?? 0),
  );
  const summaries = exports.map(resultOf<RunSummary>);
  const totals = summaries.flatMap(({ tables }) => Object.values(tables));
  const sizes = plans.map(({ size }) => size);
  const lines: readonly (readonly [what: string, planned: number, found: number, digits: number])[] = [
    [
      'copy jobs',
      sumOf(sizes, ({ jobs }) => jobs),
      sumOf(summaries, ({ tables }) => tables.copy_jobs?.added ?? 0),
      0,
    ],
    [
      'requests of AWS Backup',
      sumOf(plans, (plan) => plan.expected_requests),
      sumOf(calls, (count) => count),
      0,
    ],
    ['parts', sumOf(sizes, ({ parts }) => parts), sumOf(totals, (total) => total.parts_written), 0],
    [
      'MB of parts',
      sumOf(sizes, (size) => size.parquet_bytes) / 1e6,
      sumOf(totals, (total) => total.bytes_written) / 1e6,
      1,
    ],
    [
      'minutes, longest',
      mostOf(sizes, ({ minutes }) => minutes),
      mostOf(exports, (run) => run.wallSeconds) / 60,
      2,
    ],
    [
      'CPU minutes',
      sumOf(sizes, (size) => size.cpu_minutes),
      sumOf(exports, (run) => run.cpuSeconds) / 60,
      2,
    ],
    [
      'peak memory, MB, largest',
      mostOf(sizes, (size) => size.memory_bytes) / 1e6,
      mostOf(exports, (run) => run.peakBytes) / 1e6,
      0,
    ],
  ];
  console.log(machine());
  console.log(
    `${take} of ${shards} shards of a lake of ${buckets} buckets, of ${accounts.toLocaleString('en')} accounts × ${regions} regions with ${jobsPerDay.toLocaleString('en')} jobs a day each: ${sumOf(summaries, ({ targets }) => targets).toLocaleString('en')} targets, one day, once\n`,
  );
  console.log('planned / found'.padStart(45));
  for (const [what, planned, found, digits] of lines) {
    const shown = (value: number) =>
      value
        .toLocaleString('en', { minimumFractionDigits: digits, maximumFractionDigits: digits })
        .padStart(14);
    console.log(
      `${what.padEnd(30)}${(planned / found).toFixed(2).padStart(15)}${shown(planned)}${shown(found)}`,
    );
  }
  console.log(
    `\nplan suggests ${mostOf(sizes, (size) => size.suggested_shards)} shards and ${mostOf(sizes, (size) => size.suggested_buckets)} buckets for the whole night`,
  );
} finally {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}

function sumOf<One>(all: readonly One[], of: (one: One) => number): number {
  return all.reduce((sum, one) => sum + of(one), 0);
}

function mostOf<One>(all: readonly One[], of: (one: One) => number): number {
  return Math.max(...all.map(of));
}

/** All plans come before the first export, because they must not find a lake. */
function run(job: 'plan' | 'export', shard: number): Promise<Measured> {
  return measured(
    [
      ...[
        process.execPath,
        builtProgram(),
        job,
        '--lake',
        join(folder, 'lake'),
        '--scratch',
        join(folder, 'scratch'),
      ],
      ...['--accounts', 'all', '--since', '1d', '--output', 'json'],
      ...['--shard', `${shard}/${shards}`, '--night', 'bench', '--buckets', String(buckets)],
    ],
    { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  );
}

// Safe: what `plan` and `export` document for --output json.
function resultOf<Summary>({ stdout }: Measured): Summary {
  return JSON.parse(stdout) as Summary;
}

/**
 * What `plan` says about one shard of a very large organization, next to what `export` then does.
 *
 *   npm run bench -- scale [--small] [--accounts 20000] [--regions 20] [--jobs-per-day 1000] [--shards 1000]
 *     [--buckets 1024]
 *
 * Both read shard 0 of `--shards`, and the jobs of one day, for a new lake of so many buckets: `plan` suggests them. With
 * `--shards 20` that is a twentieth of the organization: 20 million jobs a night at the default size. The calls are counted by the simulator, memory and CPU by the kernel.
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
    buckets: { type: 'string' },
  },
});
const accounts = Number(values.accounts ?? (values.small ? 16 : 20_000));
const regions = Number(values.regions ?? (values.small ? 2 : 20));
const jobsPerDay = Number(values['jobs-per-day'] ?? (values.small ? 20 : 1_000));
const shards = Number(values.shards ?? (values.small ? 4 : 1_000));
const buckets = Number(values.buckets ?? (values.small ? 4 : 1_024));

const folder = await mkdtemp(join(tmpdir(), 'bench-scale-'));
const simulator = await startSimulatorProcess({ accounts, regions, days: 1, 'jobs-per-day': jobsPerDay });
try {
  const { size, expected_requests: expectedRequests } = resultOf<PlanSummary>(await run('plan'));
  const before = await simulator.requests();
  const exported = await run('export');
  const summary = resultOf<RunSummary>(exported);
  const after = await simulator.requests();
  const calls = ['ListCopyJobs', 'ListCopyJobSummaries'].map(
    (api) => (after.get(api) ?? 0) - (before.get(api) ?? 0),
  );
  const totals = Object.values(summary.tables);
  const sum = (of: (total: (typeof totals)[number]) => number) =>
    totals.reduce((all, one) => all + of(one), 0);
  const lines: readonly (readonly [what: string, planned: number, found: number, digits: number])[] = [
    ['copy jobs', size.jobs, summary.tables.copy_jobs?.added ?? 0, 0],
    ['requests of AWS Backup', expectedRequests, calls.reduce((all, one) => all + one, 0), 0],
    ['parts', size.parts, sum(({ parts_written }) => parts_written), 0],
    ['MB of parts', size.parquet_bytes / 1e6, sum(({ bytes_written }) => bytes_written) / 1e6, 1],
    ['minutes', size.minutes, exported.wallSeconds / 60, 2],
    ['CPU minutes', size.cpu_minutes, exported.cpuSeconds / 60, 2],
    ['peak memory, MB', size.memory_bytes / 1e6, exported.peakBytes / 1e6, 0],
  ];
  console.log(machine());
  console.log(
    `Shard 0 of ${shards} of a lake of ${buckets} buckets, of ${accounts.toLocaleString('en')} accounts × ${regions} regions with ${jobsPerDay.toLocaleString('en')} jobs a day each: ${summary.targets.toLocaleString('en')} targets, one day, once\n`,
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
    `\nplan suggests ${size.suggested_shards} shards and ${size.suggested_buckets} buckets for the whole night`,
  );
} finally {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}

/** `plan` must not find a lake, and `export` makes one. */
function run(job: 'plan' | 'export'): Promise<Measured> {
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
      ...['--shard', `0/${shards}`, '--buckets', String(buckets)],
    ],
    { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  );
}

// Safe: what `plan` and `export` document for --output json.
function resultOf<Summary>({ stdout }: Measured): Summary {
  return JSON.parse(stdout) as Summary;
}

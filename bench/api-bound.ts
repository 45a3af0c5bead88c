/**
 * A run that waits for AWS: many targets with a page each, and a response time. How close it comes, from the start of its
 * process to the exit, to what response time and concurrency allow.
 *
 *   npm run bench -- api-bound [--small] [--accounts 200] [--regions 4] [--latency-ms 200]
 *     [--jobs-per-day 1] [--days 30] [--concurrency 16,64,auto] [--rounds 3]
 *
 * The bound counts round trips: one for STS, the regions and the first page of accounts; one in which nothing can be done but
 * assume the roles of these accounts, and read the caller's own; then every other page of AWS Backup and AssumeRole. There are
 * as many at once as the concurrency allows. For `auto` that is the mean of what the run found. Start-up, CPU time,
 * publishing, the ledger and the other pages of accounts are not in it: the ratio shows them.
 */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunSummary } from '../src/telemetry/run-summary.ts';
import { measured } from './support/measured-process.ts';
import { builtProgram, machine, median } from './support/program.ts';
import { startSimulatorProcess } from './support/simulator-process.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    accounts: { type: 'string' },
    regions: { type: 'string' },
    'latency-ms': { type: 'string' },
    days: { type: 'string' },
    'jobs-per-day': { type: 'string', default: '1' },
    rounds: { type: 'string' },
    concurrency: { type: 'string', default: '16,64,auto' },
  },
});
const accounts = Number(values.accounts ?? (values.small ? 8 : 200));
const regions = Number(values.regions ?? (values.small ? 2 : 4));
const latencyMs = Number(values['latency-ms'] ?? (values.small ? 50 : 200));
const days = Number(values.days ?? (values.small ? 2 : 30));
const rounds = Number(values.rounds ?? (values.small ? 1 : 3));
const settings = values.concurrency.split(',');

/** Accounts on a page (docs.aws.amazon.com/organizations/latest/APIReference/API_ListAccounts.html). */
const accountsOnPage = 20;
/** Requests that can be made when the first accounts are known and no role is assumed: one of the accounts is the caller's. */
const inSecondRoundTrip = Math.min(accounts, accountsOnPage) - 1 + regions * 2;

const folder = await mkdtemp(join(tmpdir(), 'bench-api-bound-'));
const simulator = await startSimulatorProcess({
  accounts,
  regions,
  days,
  'jobs-per-day': Number(values['jobs-per-day']),
  'latency-ms': latencyMs,
  now: new Date().toISOString(),
});
try {
  const runs = new Map<string, Awaited<ReturnType<typeof runOnce>>[]>();
  for (let round = 0; round < rounds; round += 1) {
    for (const setting of settings) {
      runs.set(setting, [...(runs.get(setting) ?? []), await runOnce(setting)]);
    }
  }
  print(runs);
} finally {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}

async function runOnce(concurrency: string) {
  // Its clock stands still. AWS's does not: a run that sees another time asks further clocks.
  await simulator.control('clock', { now: new Date().toISOString() });
  const lake = join(folder, 'lake');
  const [callsBefore, cpuBefore] = [await simulator.requests(), await simulator.cpuSeconds()];
  const run = await measured(
    [
      ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
      ...['--accounts', 'all', '--concurrency', concurrency, '--output', 'json'],
    ],
    { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  );
  const [callsAfter, cpuAfter] = [await simulator.requests(), await simulator.cpuSeconds()];
  await rm(lake, { recursive: true, force: true });
  const calls = (api: string) => (callsAfter.get(api) ?? 0) - (callsBefore.get(api) ?? 0);
  const pages = calls('ListCopyJobs') + calls('ListCopyJobSummaries');
  // Safe: what `export --output json` documents.
  const summary = JSON.parse(run.stdout) as RunSummary;
  const { mean } = summary.concurrency;
  const others = pages + calls('AssumeRole') - Math.min(mean, inSecondRoundTrip);
  const boundSeconds = ((2 + others / mean) * latencyMs) / 1000;
  const simulatorSeconds = (cpuAfter ?? Number.NaN) - (cpuBefore ?? Number.NaN);
  process.stderr.write(
    `--concurrency ${concurrency}: ${run.wallSeconds.toFixed(1)} s, ${JSON.stringify(summary.phases_ms)}\n`,
  );
  return { ...run, level: mean, pages, boundSeconds, simulatorSeconds };
}

function print(runs: ReadonlyMap<string, readonly Awaited<ReturnType<typeof runOnce>>[]>): void {
  console.log(machine());
  console.log(
    `${accounts} accounts × ${regions} regions, both tables, ${latencyMs} ms a response, from start to exit; medians of ${rounds}\n`,
  );
  const line = (cells: readonly string[]) =>
    console.log(cells.map((cell, at) => (at === 0 ? cell.padEnd(14) : cell.padStart(13))).join(''));
  line([
    '--concurrency',
    'time/bound',
    's',
    'bound s',
    'level',
    'calls/page*',
    'CPU s',
    'simulator s',
    'peak MB',
  ]);
  for (const [setting, its] of runs) {
    const of = (value: (one: (typeof its)[number]) => number) => median(its.map(value));
    line([
      setting,
      of(({ wallSeconds, boundSeconds }) => wallSeconds / boundSeconds).toFixed(2),
      of(({ wallSeconds }) => wallSeconds).toFixed(1),
      of(({ boundSeconds }) => boundSeconds).toFixed(1),
      of(({ level }) => level).toFixed(0),
      of(({ pages }) => pages / (accounts * regions * 2)).toFixed(2),
      of(({ cpuSeconds }) => cpuSeconds).toFixed(1),
      of(({ simulatorSeconds }) => simulatorSeconds).toFixed(1),
      of(({ peakBytes }) => peakBytes / 1e6).toFixed(0),
    ]);
  }
  console.log('\n* calls of AWS Backup for each target and table; one is enough where a page holds all jobs');
}

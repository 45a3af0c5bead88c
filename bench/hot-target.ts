/**
 * One account and region with very many jobs. How close a run comes to what --requests-per-second allows, and how many
 * calls it makes beside the pages that it needs.
 *
 *   npm run bench -- hot-target [--small] [--jobs-per-day 10000] [--days 30] [--rounds 3]
 *
 * A page holds 1,000 jobs, so the limit is one request for each thousand, at ten a second. The time is that of reading: from
 * the first request to the last page. Start-up and publishing are shown beside it.
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
    'jobs-per-day': { type: 'string' },
    days: { type: 'string' },
    'latency-ms': { type: 'string', default: '100' },
    rounds: { type: 'string' },
  },
});
const jobsPerDay = Number(values['jobs-per-day'] ?? (values.small ? 8_000 : 10_000));
const days = Number(values.days ?? (values.small ? 2 : 30));
const rounds = Number(values.rounds ?? (values.small ? 1 : 3));
const requestsPerSecond = 10;
/** The most that ListCopyJobs returns at once. */
const pageSize = 1_000;

const folder = await mkdtemp(join(tmpdir(), 'bench-hot-target-'));
const simulator = await startSimulatorProcess({
  accounts: 1,
  regions: 1,
  days,
  'jobs-per-day': jobsPerDay,
  'latency-ms': Number(values['latency-ms']),
  now: new Date().toISOString(),
});
try {
  const runs: Awaited<ReturnType<typeof runOnce>>[] = [];
  for (let round = 0; round < rounds; round += 1) runs.push(await runOnce());
  print(runs);
} finally {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}

async function runOnce() {
  // Its clock stands still. AWS's does not: a run that sees another time asks further clocks.
  await simulator.control('clock', { now: new Date().toISOString() });
  const lake = join(folder, 'lake');
  const before = await simulator.requests();
  const run = await measured(
    [
      ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
      ...['--tables', 'copy_jobs', '--requests-per-second', String(requestsPerSecond), '--output', 'json'],
    ],
    { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  );
  const calls = ((await simulator.requests()).get('ListCopyJobs') ?? 0) - (before.get('ListCopyJobs') ?? 0);
  await rm(lake, { recursive: true, force: true });
  // Safe: what `export --output json` documents.
  const summary = JSON.parse(run.stdout) as RunSummary;
  const { rows } = summary.reading;
  const pages = Math.ceil(rows / pageSize);
  const readSeconds = summary.phases_ms.drain / 1000;
  return { ...run, calls, rows, pages, readSeconds, boundSeconds: pages / requestsPerSecond };
}

function print(runs: readonly Awaited<ReturnType<typeof runOnce>>[]): void {
  const of = (value: (one: (typeof runs)[number]) => number) => median(runs.map(value));
  const rows = of((one) => one.rows).toLocaleString('en');
  console.log(machine());
  console.log(
    `one target with ${rows} jobs, ${requestsPerSecond} requests a second; medians of ${runs.length}\n`,
  );
  const line = (cells: readonly string[]) => console.log(cells.map((cell) => cell.padStart(13)).join(''));
  line(['time/limit', 'calls/pages', 'reading s', 'limit s', 'calls', 'pages', 'whole run s', 'CPU s']);
  line([
    of(({ readSeconds, boundSeconds }) => readSeconds / boundSeconds).toFixed(2),
    of(({ calls, pages }) => calls / pages).toFixed(2),
    of(({ readSeconds }) => readSeconds).toFixed(1),
    of(({ boundSeconds }) => boundSeconds).toFixed(1),
    of(({ calls }) => calls).toFixed(0),
    of(({ pages }) => pages).toFixed(0),
    of(({ wallSeconds }) => wallSeconds).toFixed(1),
    of(({ cpuSeconds }) => cpuSeconds).toFixed(1),
  ]);
}

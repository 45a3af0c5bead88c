/**
 * What a night costs when a lake is there already: requests, rows, parts, bytes and CPU, next to `--since all` over the same
 * lake. Then the same night once more, when nothing is new: requests for each quiet target, and milliseconds for each part that
 * nothing new came for.
 *
 *   npm run bench -- steady-night [--small] [--accounts 10] [--regions 4] [--jobs-per-day 50] [--days 30] [--nights 3]
 *
 * In the first ten nights no target is read as a whole (`--full-every 21d`, the default). With `--nights 42`, each target has two or
 * three such nights among them: the rows that are read are added up over all nights.
 * Each run is a process of its own. AWS is the simulator without latency; the lake is a folder. A part counts as opened if the
 * kernel says so: before each run all parts get an old access time, which the first read replaces (mount option relatime). In a
 * folder that includes a look at a part's ETag, the hash of its content; on S3 that is a request without a body.
 */
import { globSync } from 'node:fs';
import { cp, mkdtemp, rm, stat, utimes } from 'node:fs/promises';
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
    'jobs-per-day': { type: 'string' },
    days: { type: 'string' },
    nights: { type: 'string' },
  },
});
const accounts = Number(values.accounts ?? (values.small ? 2 : 10));
const regions = Number(values.regions ?? (values.small ? 1 : 4));
const jobsPerDay = Number(values['jobs-per-day'] ?? (values.small ? 10 : 50));
const days = Number(values.days ?? (values.small ? 5 : 30));
const nights = Number(values.nights ?? (values.small ? 1 : 3));

interface Night {
  readonly jobCalls: number;
  readonly countCalls: number;
  readonly otherCalls: number;
  readonly rows: number;
  readonly changed: number;
  readonly partsOpened: number;
  readonly partsWritten: number;
  readonly bytesWritten: number;
  readonly publishMs: number;
  readonly cpuSeconds: number;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-steady-night-'));
const simulator = await startSimulatorProcess({ accounts, regions, days, 'jobs-per-day': jobsPerDay });
try {
  const lake = join(folder, 'lake');
  await night(lake, 'all');
  const steady: Night[] = [];
  const whole: Night[] = [];
  for (let number = 0; number < nights; number += 1) {
    await simulator.control('clock', { advance: '1d' });
    const copy = join(folder, 'copy');
    await cp(lake, copy, { recursive: true });
    steady.push(await night(lake, 'auto'));
    whole.push(await night(copy, 'all'));
    await rm(copy, { recursive: true });
  }
  const quiet: Night[] = [];
  const again: Night[] = [];
  for (let number = 0; number < nights; number += 1) {
    quiet.push(await night(lake, 'auto'));
    again.push(await night(lake, 'all'));
  }
  print(steady, whole, quiet, again, globSync('copy_job*/**/*.parquet', { cwd: lake }).length);
} finally {
  await simulator.stop();
  await rm(folder, { recursive: true, force: true });
}

async function night(lake: string, since: 'auto' | 'all'): Promise<Night> {
  const old = new Date(0);
  const parts = globSync('copy_job*/**/*.parquet', { cwd: lake });
  for (const file of parts) {
    await utimes(join(lake, file), old, (await stat(join(lake, file))).mtime);
  }
  const callsBefore = await simulator.requests();
  const run = await measured(
    [
      ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
      ...['--accounts', 'all', '--since', since],
      // If a run does not end, it says so before somebody ends the benchmark.
      ...['--deadline', values.small ? '2m' : '30m', '--output', 'json'],
    ],
    { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
  );
  const calls = new Map<string, number>();
  for (const [api, count] of await simulator.requests()) calls.set(api, count - (callsBefore.get(api) ?? 0));
  // Safe: what `export --output json` documents.
  const summary = JSON.parse(run.stdout) as RunSummary;
  const totals = Object.values(summary.tables);
  const sum = (of: (total: (typeof totals)[number]) => number) =>
    totals.reduce((all, one) => all + of(one), 0);
  // A part that was replaced is a new file: it counts, because it was read to be merged.
  const accessed = await Promise.all(parts.map(async (file) => (await stat(join(lake, file))).atimeMs));
  const jobCalls = calls.get('ListCopyJobs') ?? 0;
  const countCalls = calls.get('ListCopyJobSummaries') ?? 0;
  return {
    jobCalls,
    countCalls,
    otherCalls: [...calls.values()].reduce((all, one) => all + one, 0) - jobCalls - countCalls,
    rows: summary.reading.rows,
    changed: sum(({ added, updated, removed }) => added + updated + removed),
    partsOpened: accessed.filter((time) => time > 0).length,
    partsWritten: sum(({ parts_written }) => parts_written),
    bytesWritten: sum(({ bytes_written }) => bytes_written),
    publishMs: summary.phases_ms.publish,
    cpuSeconds: run.cpuSeconds,
  };
}

function print(
  steady: readonly Night[],
  whole: readonly Night[],
  quiet: readonly Night[],
  again: readonly Night[],
  parts: number,
): void {
  const of = (runs: readonly Night[], measure: (one: Night) => number) => median(runs.map(measure));
  const targets = accounts * regions;
  const sum = (measure: (one: Night) => number) => steady.reduce((all, one) => all + measure(one), 0);
  const decoded = sum(({ rows }) => rows) / sum(({ changed }) => changed);
  const [jobCalls, countCalls] = [of(quiet, (one) => one.jobCalls), of(quiet, (one) => one.countCalls)];
  const untouched = again.map(
    ({ publishMs, partsOpened, partsWritten }) => publishMs / (partsOpened - partsWritten),
  );
  console.log(machine());
  console.log(
    `${targets} targets with ${jobsPerDay} jobs a day, ${days} days in a lake of ${parts} parts; medians of ${nights} nights\n`,
  );
  console.log(`${decoded.toFixed(2)} rows read for each row that changed`);
  console.log(
    `${(jobCalls / targets).toFixed(2)} calls of ListCopyJobs and ${(countCalls / targets).toFixed(2)} of ListCopyJobSummaries for each quiet target`,
  );
  console.log(`${median(untouched).toFixed(1)} ms of publishing for each part that nothing new came for\n`);
  const measures: [string, (one: Night) => number, number][] = [
    ['calls of ListCopyJobs', (one) => one.jobCalls, 0],
    ['calls of ListCopyJobSummaries', (one) => one.countCalls, 0],
    ['calls of other APIs', (one) => one.otherCalls, 0],
    ['rows read', (one) => one.rows, 0],
    ['rows changed', (one) => one.changed, 0],
    ['parts opened', (one) => one.partsOpened, 0],
    ['parts written', (one) => one.partsWritten, 0],
    ['MB of parts written', (one) => one.bytesWritten / 1e6, 2],
    ['publishing, ms', (one) => one.publishMs, 0],
    ['CPU seconds', (one) => one.cpuSeconds, 2],
  ];
  console.table(
    Object.fromEntries(
      measures.map(([name, measure, digits]) => [
        name,
        {
          'steady night': of(steady, measure).toFixed(digits),
          'the same, --since all': of(whole, measure).toFixed(digits),
          ratio: (of(steady, measure) / of(whole, measure)).toFixed(2),
          'nothing new': of(quiet, measure).toFixed(digits),
          'nothing new, --since all': of(again, measure).toFixed(digits),
        },
      ]),
    ),
  );
}

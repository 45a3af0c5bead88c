/**
 * Whether memory and cost stay flat while the lake grows: the peak of the resident set, CPU for each job, and bytes written over the
 * lake's size, for exports of more and more jobs from the same targets. Then all jobs in one part, under a limit of 1 GiB.
 *
 *   npm run bench -- memory [--small] [--millions 1,3] [--one-part 2] [--targets 800] [--at-most MB]
 *
 * `--millions 1,3,10` takes ten million too; `--one-part 0` leaves the last one out. `--at-most`: ends with 1 if a peak is higher.
 * Each export is `--since all` into an empty lake, a process of its own; AWS is the simulator without latency. The first size comes once
 * more at the end, and counts by its mean: a shared machine is quicker in some minutes than in others.
 */
import { globSync } from 'node:fs';
import { mkdtemp, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import type { RunSummary } from '../src/telemetry/run-summary.ts';
import { measured } from './support/measured-process.ts';
import { memoryLimit } from './support/memory-limit.ts';
import { builtProgram, machine } from './support/program.ts';
import { startSimulatorProcess } from './support/simulator-process.ts';

const { values } = parseArgs({
  options: {
    small: { type: 'boolean', default: false },
    millions: { type: 'string' },
    'one-part': { type: 'string' },
    targets: { type: 'string' },
    'at-most': { type: 'string' },
  },
});
const sizes = (values.millions ?? (values.small ? '0.005,0.01' : '1,3')).split(',').map(Number);
const onePart = Number(values['one-part'] ?? (values.small ? '0.005' : '2'));
const targets = Number(values.targets ?? (values.small ? 40 : 800));
const regions = 4;
const gibibyte = 2 ** 30;
/** How Python names the signal that a process died of: 9, which only the kernel sends here. */
const killed = -9;

interface Export {
  readonly jobs: number;
  readonly peakBytes: number;
  readonly microsPerJob: number;
  readonly wallSeconds: number;
  readonly parts: number;
  readonly largestPart: number;
  readonly lakeBytes: number;
  readonly writtenBytes: number;
}

const folder = await mkdtemp(join(tmpdir(), 'bench-memory-'));
try {
  const found = new Map<string, Export>();
  for (const millions of sizes.length > 1 ? [...sizes, ...sizes.slice(0, 1)] : sizes) {
    const made = await exported({ 'jobs-per-day': (millions * 1e6) / targets / 30, days: 30 });
    const name = `${millions} million jobs`;
    if (made === null) throw new Error(`the export of ${name} was killed`);
    process.stderr.write(
      `${name}: ${made.wallSeconds.toFixed(0)} s, ${made.microsPerJob.toFixed(1)} µs of CPU a job, ${(made.peakBytes / 1e6).toFixed(0)} MB\n`,
    );
    const before = found.get(name);
    found.set(name, before === undefined ? made : meanOf(before, made));
  }
  const limit = onePart > 0 ? memoryLimit(gibibyte) : null;
  try {
    if (onePart > 0) {
      // From midnight to midnight, so that all jobs are of one day.
      const day = { 'jobs-per-day': (onePart * 1e6) / targets, days: 1, now: '2026-11-20T00:00:00Z' };
      const name = `${onePart} million of one day`;
      const made = await exported(day, limit?.around);
      if (made === null) {
        console.error(`${name}: the kernel ended the export, because it needed more than 1 GiB`);
        process.exitCode = 1;
      } else found.set(name, made);
    }
  } finally {
    limit?.remove();
  }
  print(found, onePart === 0 ? null : (limit?.how ?? 'no control group can be made here'));
  const highest = Math.max(...[...found.values()].map(({ peakBytes }) => peakBytes)) / 1e6;
  if (highest > Number(values['at-most'] ?? Number.POSITIVE_INFINITY)) {
    console.error(`The peak of ${Math.round(highest)} MB is above --at-most ${values['at-most']}.`);
    process.exitCode = 1;
  }
} finally {
  await rm(folder, { recursive: true, force: true });
}

/** Null: the kernel ended it, because it needed more than its control group may have. */
async function exported(
  flags: Readonly<Record<string, string | number>>,
  around: (command: readonly string[]) => readonly string[] = (command) => command,
): Promise<Export | null> {
  const lake = join(folder, 'lake');
  await rm(lake, { recursive: true, force: true });
  const simulator = await startSimulatorProcess({ ...flags, accounts: targets / regions, regions });
  try {
    const run = await measured(
      around([
        ...[process.execPath, builtProgram(), 'export', '--lake', lake, '--scratch', join(folder, 'scratch')],
        ...['--accounts', 'all', '--tables', 'copy_jobs', '--since', 'all', '--output', 'json'],
      ]),
      { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' },
      [killed],
    );
    if (run.exitCode === killed) return null;
    // Safe: what `export --output json` documents.
    const { tables } = JSON.parse(run.stdout) as RunSummary;
    const jobs = tables.copy_jobs?.added ?? 0;
    const parts = globSync('copy_jobs/**/*.parquet', { cwd: lake });
    const bytes = await Promise.all(parts.map(async (file) => (await stat(join(lake, file))).size));
    return {
      jobs,
      peakBytes: run.peakBytes,
      microsPerJob: (run.cpuSeconds * 1e6) / jobs,
      wallSeconds: run.wallSeconds,
      parts: parts.length,
      largestPart: Math.max(...bytes),
      lakeBytes: bytes.reduce((sum, one) => sum + one, 0),
      writtenBytes: tables.copy_jobs?.bytes_written ?? 0,
    };
  } finally {
    await simulator.stop();
  }
}

/** The rest is the same each time. */
function meanOf(one: Export, other: Export): Export {
  const mean = (of: (made: Export) => number) => (of(one) + of(other)) / 2;
  return {
    ...one,
    peakBytes: mean(({ peakBytes }) => peakBytes),
    microsPerJob: mean(({ microsPerJob }) => microsPerJob),
    wallSeconds: mean(({ wallSeconds }) => wallSeconds),
  };
}

function print(found: ReadonlyMap<string, Export>, limit: string | null): void {
  const [first, ...others] = [...found];
  if (first === undefined) return;
  const [firstName, base] = first;
  console.log(machine());
  console.log(
    `${targets} targets, defaults, a folder as the lake; the first of several sizes twice, others once\n`,
  );
  for (const [name, one] of others) {
    console.log(
      `${name}: ${(one.peakBytes / base.peakBytes).toFixed(2)} × the peak of ${firstName}, ${(one.microsPerJob / base.microsPerJob).toFixed(2)} × its CPU for each job`,
    );
  }
  if (limit !== null) console.log(`limit of 1 GiB for the last: ${limit}`);
  const mega = (bytes: number) => Math.round(bytes / 1e6).toLocaleString('en');
  console.table(
    Object.fromEntries(
      [...found].map(([name, one]) => [
        name,
        {
          jobs: one.jobs.toLocaleString('en'),
          'peak MB': mega(one.peakBytes),
          'CPU µs a job': one.microsPerJob.toFixed(1),
          'wall s': one.wallSeconds.toFixed(0),
          parts: one.parts,
          'largest, MB': mega(one.largestPart),
          'lake MB': mega(one.lakeBytes),
          'written MB': mega(one.writtenBytes),
          'written / lake': (one.writtenBytes / one.lakeBytes).toFixed(2),
        },
      ]),
    ),
  );
}

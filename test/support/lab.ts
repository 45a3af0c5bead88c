/** An organization to try things on: a simulator, a lake in a temporary folder, and the export over both. */
import { spawn } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import pino from 'pino';
import { parseSettings } from '../../src/config/settings.ts';
import { runExport } from '../../src/export/export.ts';
import { runPlan } from '../../src/export/plan.ts';
import type { FaultInput } from '../../src/simulator/faults.ts';
import { startSimulator } from '../../src/simulator/simulator.ts';
import { defaultOptions, type SimulatorOptions } from '../../src/simulator/simulator-options.ts';
import { runStatus } from '../../src/status/status.ts';
import type { StatusReport } from '../../src/status/status-report.ts';
import { parseStatusSettings } from '../../src/status/status-settings.ts';
import type { RunSummary } from '../../src/telemetry/run-summary.ts';
import { differences, type LakeRow, readLake, readTable } from './lake-reader.ts';
import { silentProgress } from './silent-progress.ts';
import { type ExpectedLake, readTruth } from './truth.ts';

/** Flags by their names without dashes. */
export type Flags = Readonly<Record<string, string>>;

export interface Ended {
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
}

export type Lab = Awaited<ReturnType<typeof openLab>>;

/** Small by default: 3 accounts, 2 regions, 5 jobs a day for 3 days. Each day costs a run two parts. */
export async function openLab(
  options: Partial<SimulatorOptions> = {},
  /** Whether every fault has to meet a request: a test of a fault that never happened proves nothing. */
  faults: 'all meet a request' | 'some may not' = 'all meet a request',
) {
  const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-lab-'));
  const truthFile = join(folder, 'truth.ndjson');
  const lake = join(folder, 'lake');
  const simulator = await startSimulator({
    ...defaultOptions,
    accounts: 3,
    regions: 2,
    jobsPerDay: 5,
    days: 3,
    truthFile,
    ...options,
  });
  const environment = { ...simulator.env, HOME: folder, AWS_EC2_METADATA_DISABLED: 'true' };
  const unmet: FaultInput[] = [];
  const noteUnmet = () => unmet.push(...simulator.faults().filter(({ met }) => met === 0));
  const restoreEnvironment = withEnvironment(environment);

  const flags = (change: Flags): Flags => ({
    lake,
    ...('organizational-units' in change ? {} : { accounts: 'all' }),
    scratch: join(folder, 'scratch'),
    'requests-per-second': '1000',
    ...change,
  });

  const settingsWith = (change: Flags) =>
    parseSettings({
      flags: flags(change),
      env: {},
      cwd: folder,
      temporaryFolder: tmpdir(),
      readFile: (path) => readFileSync(path, 'utf8'),
    });
  const log = pino({ level: process.env.LAB_LOG ?? 'silent' }, pino.destination(2));
  const ioWith = (stopping: AbortSignal) => ({
    log,
    progress: silentProgress,
    stopping,
    programVersion: '0.0.0-test',
  });

  /** The export within this process. */
  const run = (change: Flags = {}, stopping = new AbortController().signal): Promise<RunSummary> =>
    runExport(settingsWith(change), ioWith(stopping));

  /** The export as a process of its own; Node is given its own arguments first. */
  const start = (change: Flags = {}, ofNode: readonly string[] = []) => {
    const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
    const words = Object.entries(flags(change)).flatMap(([name, value]) => [`--${name}`, value]);
    const child = spawn(
      process.execPath,
      [...ofNode, cli, 'export', ...words, '--output', 'json', '--log-format', 'json'],
      {
        env: { ...process.env, ...environment },
        stdio: ['ignore', 'pipe', 'pipe'],
      },
    );
    const output = { stdout: '', stderr: '' };
    child.stdout.on('data', (chunk: Buffer) => {
      output.stdout += chunk.toString();
    });
    child.stderr.on('data', (chunk: Buffer) => {
      output.stderr += chunk.toString();
    });
    const ended = new Promise<Ended>((resolve, reject) => {
      child.once('error', reject);
      child.once('close', (code, signal) => resolve({ code, signal, ...output }));
    });
    return { child, ended };
  };

  return {
    folder,
    lake,
    truthFile,
    simulator: {
      ...simulator,
      clearFaults: () => {
        noteUnmet();
        simulator.clearFaults();
      },
    },
    environment,
    settings: settingsWith,
    io: ioWith,
    run,
    start,
    /** The status of the lake, at the simulator's time. */
    status: (change: Flags = {}): Promise<StatusReport> =>
      runStatus(
        parseStatusSettings({
          flags: { lake, scratch: join(folder, 'scratch'), ...change },
          env: {},
          cwd: folder,
          temporaryFolder: tmpdir(),
          readFile: (path) => readFileSync(path, 'utf8'),
        }),
        {
          ...ioWith(new AbortController().signal),
          localNow: () => simulator.now(),
          user: () => 'auditor@desk',
        },
      ),
    plan: (change: Flags = {}) => runPlan(settingsWith(change), ioWith(new AbortController().signal)),
    everyFile: async () => (await readdir(folder, { recursive: true })).sort(),
    accountsByPart: async (table: string): Promise<ReadonlyMap<string, ReadonlySet<string>>> => {
      const found = new Map<string, Set<string>>();
      for (const { filename, account_id: account } of await readTable(lake, table, true)) {
        const key = String(filename);
        found.set(key, (found.get(key) ?? new Set()).add(String(account)));
      }
      return found;
    },
    /** The id of a member account; the management account is none. */
    member: (index: number): string => named(simulator.organization.active[index + 1]?.id),
    region: (index: number): string => named(simulator.regions[index]),
    regions: simulator.regions,
    rows: (): Promise<ExpectedLake> => readLake(lake),
    table: (name: string): Promise<LakeRow[]> => readTable(lake, name),
    tableOf: readTable,
    /** How the lake differs from the simulator's truth; empty when it is equal. */
    differences: async (): Promise<string[]> => differences(await readLake(lake), await readTruth(truthFile)),
    /**
     * For histories in which no run saw every instant: how the lake differs from what AWS shows now, as a fresh lake
     * has it; and what it holds that was never true.
     */
    differencesFromNow: async (): Promise<string[]> => {
      const fresh = join(folder, 'fresh');
      await rm(fresh, { recursive: true, force: true });
      await run({ lake: fresh });
      const [kept, shown, truth] = [await readLake(lake), await readLake(fresh), await readTruth(truthFile)];
      const found: string[] = [];
      for (const table of ['copy_jobs', 'copy_job_summaries'] as const) {
        const current = new Map([...kept[table]].filter(([key]) => shown[table].has(key)));
        found.push(...differences({ ...shown, [table]: current }, shown));
        if (table === 'copy_job_summaries') continue;
        const untrue = [...kept[table].keys()].filter((key) => !truth[table].has(key));
        if (untrue.length > 0) found.push(`${table}: ${untrue.length} that never were: ${untrue[0]}`);
      }
      return found;
    },
    /** Files below a folder of the ledger. */
    ledger: async (name: string): Promise<string[]> => {
      const entries = await readdir(join(lake, '_ledger', name), { recursive: true }).catch(() => []);
      return entries.filter((entry) => /\.(json|ndjson)$/.test(entry));
    },
    until: async (condition: () => Promise<boolean>): Promise<void> => {
      for (let turn = 0; turn < 1000; turn++) {
        if (await condition()) return;
        await sleep(20);
      }
      throw new Error('what was waited for did not come');
    },
    /** Keys of all parts of the two tables, with what changes when they are written again. */
    parts: async (): Promise<ReadonlyMap<string, string>> => {
      const found = new Map<string, string>();
      for (const table of ['copy_jobs', 'copy_job_summaries']) {
        const entries = await readdir(join(lake, table), { recursive: true }).catch(() => []);
        for (const entry of entries.filter((name) => name.endsWith('.parquet'))) {
          const bytes = await readFile(join(lake, table, entry));
          found.set(`${table}/${entry}`, bytes.toString('base64'));
        }
      }
      return found;
    },
    close: async () => {
      restoreEnvironment();
      noteUnmet();
      await simulator.stop();
      await rm(folder, { recursive: true, force: true });
      if (faults === 'all meet a request' && unmet.length > 0)
        throw new Error(`these faults met no request: ${JSON.stringify(unmet)}`);
    },
  };
}

/** The environments of the open labs, and the process's own before the first of them. */
const environments: Readonly<Record<string, string>>[] = [];
let own: NodeJS.ProcessEnv = {};

/**
 * Sets variables of this process, which the AWS SDK reads: those of the lab that was opened last. What it gives ends that;
 * with the last lab, the process has its own variables again.
 */
function withEnvironment(changed: Readonly<Record<string, string>>): () => void {
  if (environments.length === 0) own = { ...process.env };
  environments.push(changed);
  Object.assign(process.env, changed);
  return () => {
    const at = environments.indexOf(changed);
    if (at < 0) return;
    environments.splice(at, 1);
    for (const name of Object.keys(changed)) {
      const value = environments.findLast((one) => name in one)?.[name] ?? own[name];
      if (value === undefined) delete process.env[name];
      else process.env[name] = value;
    }
  };
}

function named(name: string | undefined): string {
  if (name === undefined) throw new Error('the lab is smaller than that');
  return name;
}

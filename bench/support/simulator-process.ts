/** The simulator as a process of its own, as a user starts it: `simulate`. What it costs is told apart from what is measured. */
import { spawn } from 'node:child_process';
import { readFile } from 'node:fs/promises';
import { createInterface } from 'node:readline';
import { builtProgram } from './program.ts';

export interface SimulatorProcess {
  readonly endpoint: string;
  readonly env: Readonly<Record<string, string>>;
  /** User and system time so far; null where there is no /proc. */
  cpuSeconds(): Promise<number | null>;
  /** Sends a body to a control endpoint, such as `clock`. */
  control(name: 'clock' | 'faults', body: unknown): Promise<void>;
  /** How many requests each API has answered so far. */
  requests(): Promise<ReadonlyMap<string, number>>;
  stop(): Promise<void>;
}

/** @param flags options of `simulate`, by their names without dashes */
export async function startSimulatorProcess(
  flags: Readonly<Record<string, string | number>>,
): Promise<SimulatorProcess> {
  const words = Object.entries(flags).flatMap(([name, value]) => [`--${name}`, String(value)]);
  const child = spawn(process.execPath, [builtProgram(), 'simulate', ...words, '--output', 'json'], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  const ended = new Promise<void>((resolve) => child.once('close', () => resolve()));
  const first = await Promise.race([
    new Promise<string>((resolve) => createInterface(child.stdout).once('line', resolve)),
    ended.then(() => {
      throw new Error('the simulator ended before it listened');
    }),
  ]);
  // Safe: what `simulate` documents for its first line.
  const { endpoint, env } = JSON.parse(first) as Pick<SimulatorProcess, 'endpoint' | 'env'>;
  return {
    endpoint,
    env,
    cpuSeconds: () => cpuSecondsOf(child.pid ?? 0),
    control: async (name, body) => {
      const response = await fetch(`${endpoint}/_simulator/${name}`, {
        method: 'POST',
        body: JSON.stringify(body),
      });
      if (!response.ok) throw new Error(`the simulator refused ${name}: ${await response.text()}`);
    },
    requests: async () => {
      const response = await fetch(`${endpoint}/_simulator/requests`);
      // Safe: src/simulator/request-log.ts.
      const { counts } = (await response.json()) as { counts: { api: string; count: number }[] };
      const calls = new Map<string, number>();
      for (const { api, count } of counts) calls.set(api, (calls.get(api) ?? 0) + count);
      return calls;
    },
    stop: async () => {
      child.kill('SIGTERM');
      await ended;
    },
  };
}

/** From /proc/PID/stat: fields 14 and 15, in hundredths of a second (man7.org/linux/man-pages/man5/proc_pid_stat.5.html). */
async function cpuSecondsOf(pid: number): Promise<number | null> {
  const stat = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => null);
  if (stat === null) return null;
  // The name in parentheses may hold spaces.
  const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
  return (Number(fields[11]) + Number(fields[12])) / 100;
}

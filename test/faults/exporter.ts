/** One run of the program as a process of its own, watched from outside. */
import { spawn } from 'node:child_process';
import { closeSync, openSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

export interface Ended {
  /** Null where a signal ended it. */
  readonly code: number | null;
  readonly signal: NodeJS.Signals | null;
  readonly stdout: string;
  readonly stderr: string;
  readonly ms: number;
  /** It had to be killed, because it did not end by itself in time. */
  readonly overdue: boolean;
}

export interface Launch {
  /** After `export`. */
  readonly words: readonly string[];
  readonly env: Readonly<Record<string, string>>;
  readonly cwd: string;
  /** Node's own arguments. */
  readonly ofNode: readonly string[];
  /** The time it has until it is killed. */
  readonly patienceMs: number;
  /** Where stdout goes instead, such as /dev/full. */
  readonly stdoutFile?: string;
  /** Told of what it logs, as it comes. */
  readonly onLog?: (text: string) => void;
}

export interface Running {
  kill(signal: NodeJS.Signals): void;
  /** Whether it still lives. */
  isAlive(): boolean;
  readonly ended: Promise<Ended>;
}

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** Node's arguments that load a module of test/faults/preload/ first. */
export function preloaded(
  name: string,
  parameters: Readonly<Record<string, string>> = {},
): readonly string[] {
  const url = new URL(`./preload/${name}.ts`, import.meta.url);
  url.search = new URLSearchParams(parameters).toString();
  return ['--import', url.href];
}

export function launch({ words, env, cwd, ofNode, patienceMs, stdoutFile, onLog }: Launch): Running {
  const begun = performance.now();
  const out = stdoutFile === undefined ? null : openSync(stdoutFile, 'w');
  const child = spawn(process.execPath, [...ofNode, cli, 'export', ...words], {
    cwd,
    env: { PATH: process.env.PATH ?? '', TZ: process.env.TZ ?? 'Asia/Kathmandu', ...env },
    stdio: ['ignore', out ?? 'pipe', 'pipe'],
  });
  if (out !== null) closeSync(out);
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name]?.setEncoding('utf8').on('data', (text: string) => {
      said[name] += text;
      if (name === 'stderr') onLog?.(text);
    });
  }
  let overdue = false;
  const watch = setTimeout(() => {
    overdue = true;
    child.kill('SIGKILL');
  }, patienceMs);
  const ended = new Promise<Ended>((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code, signal) => {
      clearTimeout(watch);
      resolve({ code, signal, ...said, ms: performance.now() - begun, overdue });
    });
  });
  return {
    kill: (signal) => void child.kill(signal),
    isAlive: () => child.exitCode === null && child.signalCode === null,
    ended,
  };
}

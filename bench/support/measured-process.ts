/** A process, and what the kernel says that it and its children used. */
import { spawn } from 'node:child_process';
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { text } from 'node:stream/consumers';

export interface Measured {
  readonly wallSeconds: number;
  /** User and system time. */
  readonly cpuSeconds: number;
  /** The largest resident set of one process. */
  readonly peakBytes: number;
  readonly exitCode: number;
  readonly stdout: string;
  readonly stderr: string;
}

/**
 * Waits for its child, then writes what getrusage(2) knows of it. Node tells a parent nothing about its children. The
 * largest resident set is in KiB on Linux and in bytes on macOS.
 */
const watcher = `
import json, resource, subprocess, sys, time
begun = time.monotonic()
code = subprocess.run(sys.argv[2:]).returncode
wall = time.monotonic() - begun
used = resource.getrusage(resource.RUSAGE_CHILDREN)
unit = 1 if sys.platform == "darwin" else 1024
with open(sys.argv[1], "w") as file:
    json.dump({"wallSeconds": wall, "cpuSeconds": used.ru_utime + used.ru_stime, "peakBytes": used.ru_maxrss * unit, "exitCode": code}, file)
`;

/** Runs a command to its end; throws unless it ends with 0 or one of the other codes named. */
export async function measured(
  command: readonly string[],
  env: Readonly<Record<string, string>>,
  alsoGood: readonly number[] = [],
): Promise<Measured> {
  const folder = await mkdtemp(join(tmpdir(), 'bench-measured-'));
  try {
    const file = join(folder, 'used.json');
    const child = spawn('python3', ['-c', watcher, file, ...command], {
      env: { ...process.env, ...env },
      stdio: ['ignore', 'pipe', 'pipe'],
    });
    const [stdout, stderr] = await Promise.all([
      text(child.stdout),
      text(child.stderr),
      new Promise<void>((resolve, reject) => {
        child.once('error', reject);
        child.once('close', () => resolve());
      }),
    ]);
    const used = await readFile(file, 'utf8').catch(() => {
      throw new Error(`python3 could not measure ${command[0]}: ${stderr}`);
    });
    // Safe: written by `watcher` above.
    const result = { ...(JSON.parse(used) as Omit<Measured, 'stdout' | 'stderr'>), stdout, stderr };
    if (result.exitCode !== 0 && !alsoGood.includes(result.exitCode)) {
      throw new Error(`${command.join(' ')} ended with ${result.exitCode}:\n${stderr.slice(-4_000)}`);
    }
    return result;
  } finally {
    await rm(folder, { recursive: true });
  }
}

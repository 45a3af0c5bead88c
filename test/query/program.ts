/** The program as a person runs it, over a lake of a lab. */
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** @param input what is written to stdin, which is then closed */
export function ask(
  args: readonly string[],
  options: {
    readonly env?: Readonly<Record<string, string>>;
    readonly input?: string;
    readonly cwd?: string;
    /** Sends SIGINT then. */
    readonly interruptedAfter?: Promise<void>;
  } = {},
): Promise<Ended> {
  // A folder of its own: what dead runs left in the shared one would be told of on stderr.
  const scratch = mkdtempSync(join(tmpdir(), 'backup-copy-export-query-tests-'));
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|BACKUP_COPY_EXPORT_)/.test(name));
  const child = spawn(process.execPath, [cli, 'query', ...args], {
    cwd: options.cwd,
    env: {
      ...Object.fromEntries(kept),
      AWS_EC2_METADATA_DISABLED: 'true',
      TZ: 'America/New_York',
      BACKUP_COPY_EXPORT_SCRATCH: scratch,
      ...options.env,
    },
    stdio: ['pipe', 'pipe', 'pipe'],
  });
  child.stdin.on('error', () => undefined);
  child.stdin.end(options.input ?? '');
  void options.interruptedAfter?.then(() => child.kill('SIGINT'));
  const output = { stdout: '', stderr: '' };
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    output.stdout += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    output.stderr += chunk;
  });
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => {
      rmSync(scratch, { recursive: true, force: true });
      resolve({ code, ...output });
    });
  });
}

/**
 * Command lines that end before their job begins: help, and mistakes. To start a process and load the program costs a
 * hundred times more than such a command line, so one process runs all of a file. `processOf` runs one as a person does.
 */
import { fork, spawn } from 'node:child_process';
import { once } from 'node:events';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import pLimit from 'p-limit';

export interface GivenCommandLine {
  readonly args: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface CommandLineEnd {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));

/** This process's environment with nothing of AWS in it, and with a folder that has no credentials. */
function environment(folder: string, env: Readonly<Record<string, string>>): GivenCommandLine['env'] {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|BACKUP_COPY_EXPORT_)/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_EC2_METADATA_DISABLED: 'true',
    AWS_CONFIG_FILE: join(folder, 'none'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'none'),
    ...env,
  };
}

/** Runs the program in a process of its own, in this folder, with nothing of AWS in its environment. */
export function processOf(
  folder: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<CommandLineEnd> {
  const child = spawn(process.execPath, [cli, ...args], {
    cwd: folder,
    env: environment(folder, env),
    stdio: ['ignore', 'pipe', 'pipe'],
  });
  const said = { stdout: '', stderr: '' };
  for (const name of ['stdout', 'stderr'] as const) {
    child[name].setEncoding('utf8').on('data', (chunk: string) => {
      said[name] += chunk;
    });
  }
  return new Promise((resolve, reject) => {
    child.once('error', reject);
    child.once('close', (code) => resolve({ code, ...said }));
  });
}

export interface CommandLines {
  /** As {@link processOf}; but what goes to the log is not in `stderr`. */
  run(args: readonly string[], env?: Readonly<Record<string, string>>): Promise<CommandLineEnd>;
  close(): Promise<void>;
}

/** @param folder where the command lines are run */
export function openCommandLines(folder: string): CommandLines {
  const server = fileURLToPath(new URL('./command-line-server.ts', import.meta.url));
  const child = fork(server, { cwd: folder, execArgv: [], stdio: ['ignore', 'ignore', 'inherit', 'ipc'] });
  const exit = once(child, 'exit');
  const oneByOne = pLimit(1);
  return {
    run: (args, env = {}) =>
      oneByOne(async () => {
        const given: GivenCommandLine = { args, env: environment(folder, env) };
        const answer = once(child, 'message');
        child.send(given);
        const died = exit.then(([code]) => {
          throw new Error(`the process of the command lines ended with ${code}, at: ${args.join(' ')}`);
        });
        const [end] = await Promise.race([answer, died]);
        // Safe: command-line-server.ts sends nothing else.
        return end as CommandLineEnd;
      }),
    close: async () => {
      child.kill();
      await exit;
    },
  };
}

/**
 * npm run demo: starts the simulator, runs the real export against it into ./demo/lake, shows the lake, and compares it
 * with the simulator's record of everything it served. Options are passed to the simulator:
 * npm run demo -- --list-in-destination --children hidden
 */
import { type ChildProcess, spawn } from 'node:child_process';
import { readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { emptyFolder } from './demo-folder.ts';
import { compareWithTruth, show } from './demo-queries.ts';

const root = fileURLToPath(new URL('..', import.meta.url));
const folder = join(root, 'demo');
const lake = join(folder, 'lake');
const truth = join(folder, 'truth.ndjson');
const cli = join(root, 'src', 'cli.ts');
const startWithinMs = 60_000;

/** This process's environment without the settings of a real AWS account or export. */
function cleanEnvironment(): NodeJS.ProcessEnv {
  const kept = Object.entries(process.env).filter(([name]) => !/^(AWS_|BACKUP_COPY_EXPORT_)/.test(name));
  return {
    ...Object.fromEntries(kept),
    AWS_CONFIG_FILE: join(folder, 'no-aws-config'),
    AWS_SHARED_CREDENTIALS_FILE: join(folder, 'no-aws-credentials'),
    AWS_EC2_METADATA_DISABLED: 'true',
    NO_PROXY: '127.0.0.1',
    no_proxy: '127.0.0.1',
  };
}

/** Starts the simulator; resolves once it listens, with the environment that a client needs. */
async function startSimulator(
  options: readonly string[],
): Promise<{ child: ChildProcess; env: Record<string, string> }> {
  const child = spawn(
    process.execPath,
    [cli, 'simulate', '--port', '0', '--truth', truth, '--output', 'json', ...options],
    {
      env: cleanEnvironment(),
      stdio: ['ignore', 'pipe', 'inherit'],
    },
  );
  const timer = setTimeout(() => child.kill(), startWithinMs);
  try {
    for await (const line of createInterface({ input: child.stdout })) {
      // Safe: the simulator's first line is JSON with this field.
      const { env } = JSON.parse(line) as { env: Record<string, string> };
      return { child, env };
    }
  } finally {
    clearTimeout(timer);
  }
  throw new Error('The simulator stopped before it was ready; see its message above.');
}

function ended(child: ChildProcess): Promise<number> {
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code) => resolve(code ?? 1));
  });
}

function heading(text: string): void {
  process.stdout.write(`\n== ${text}\n\n`);
}

/** Prints the number of files of each table, and the first and last one. */
function tree(): void {
  for (const table of readdirSync(lake).sort()) {
    const files = readdirSync(join(lake, table), { recursive: true, encoding: 'utf8' })
      .filter((name) => statSync(join(lake, table, name)).isFile())
      .sort();
    process.stdout.write(`${table}/  ${files.length} file${files.length === 1 ? '' : 's'}\n`);
    for (const name of new Set([files[0], files.at(-1)])) {
      if (name === undefined) continue;
      process.stdout.write(
        `    ${name}  ${statSync(join(lake, table, name)).size.toLocaleString('en-US')} bytes\n`,
      );
    }
  }
}

async function demo(options: readonly string[]): Promise<number> {
  const begun = performance.now();
  emptyFolder(folder);
  heading('A simulated organization');
  const { child: simulator, env } = await startSimulator(options);
  const children = [simulator];
  const stop = (signal: NodeJS.Signals): void => {
    for (const child of children) child.kill(signal);
  };
  process.on('SIGINT', stop);
  process.on('SIGTERM', stop);
  try {
    process.stdout.write(`listens at ${env.AWS_ENDPOINT_URL_BACKUP} (process ${simulator.pid})\n`);
    process.stdout.write(
      'The simulated clock differs from this machine’s clock, so the export warns about that. This is expected.\n',
    );
    heading('backup-copy-export export --lake ./demo/lake --accounts all --log-level warn');
    const words = ['export', '--lake', lake, '--accounts', 'all', '--log-level', 'warn'];
    const exporter = spawn(process.execPath, [cli, ...words], {
      env: { ...cleanEnvironment(), ...env },
      stdio: ['ignore', 'inherit', 'inherit'],
    });
    children.push(exporter);
    const exitCode = await ended(exporter);
    if (exitCode !== 0) {
      process.stdout.write(`\nThe export ended with exit code ${exitCode}.\n`);
      return exitCode;
    }
    heading('What is in the lake');
    tree();
    heading('Queries with DuckDB');
    await show(lake, (text) => process.stdout.write(`${text}\n`));
    heading('Compared with what the simulator served');
    const differences = await compareWithTruth(lake, truth, (text) => process.stdout.write(`${text}\n`));
    const seconds = Math.round((performance.now() - begun) / 1000);
    process.stdout.write(`\n${differences === 0 ? 'Equal' : 'NOT EQUAL'}. The demo took ${seconds} s.\n`);
    process.stdout.write(
      'The lake is in ./demo/lake, and ./demo/truth.ndjson records what the simulator served. Try a question:\n\n',
    );
    process.stdout.write('./backup-copy-export query failed-copies --days 7 --lake ./demo/lake\n');
    return differences === 0 ? 0 : 1;
  } finally {
    process.off('SIGINT', stop);
    process.off('SIGTERM', stop);
    simulator.kill();
  }
}

try {
  process.exitCode = await demo(process.argv.slice(2));
} catch (error) {
  process.stderr.write(`demo: ${error instanceof Error ? error.message : String(error)}\n`);
  process.exitCode = 1;
}

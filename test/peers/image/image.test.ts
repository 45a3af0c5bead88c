import { type ChildProcess, spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, mkdtemp, readdir, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { setTimeout as wait } from 'node:timers/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { buildImage, type Containers, packageFacts } from './containers.ts';

const root = join(import.meta.dirname, '../../..');
const small = ['--accounts', '3', '--regions', '2', '--jobs-per-day', '3', '--days', '5'];
/** Uncompressed. The native DuckDB alone is 70 MB. */
const mostAddedBytes = 140e6;

let image: Containers;
let folder: string;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'bce-image-test-'));
  await chmod(folder, 0o755);
  image = await buildImage({ REVISION: 'tested' });
});

afterAll(async () => {
  await image?.close();
  await rm(folder, { recursive: true, force: true });
});

describe('the image', () => {
  it('is small', () => {
    const { size, addedSize } = image.facts;
    const megabytes = (bytes: number) => `${(bytes / 1e6).toFixed(0)} MB`;
    console.log(`image: ${megabytes(size)}, of which ${megabytes(addedSize)} above its base`);
    expect(addedSize).toBeGreaterThan(10e6);
    expect(addedSize).toBeLessThan(mostAddedBytes);
  });

  it('says what it is, and runs the program as a numbered user who is not root', async () => {
    const { version } = await packageFacts();
    expect(image.facts.labels).toMatchObject({
      'org.opencontainers.image.title': 'backup-copy-export',
      'org.opencontainers.image.licenses': 'Apache-2.0',
      'org.opencontainers.image.version': version,
      'org.opencontainers.image.revision': 'tested',
    });
    expect(image.facts.user).toBe('1000:1000');
    expect(image.facts.entrypoint).toEqual(['node', '/app/dist/src/cli.js']);
    expect(image.facts.volumes).toEqual(['/scratch']);
  });

  it('holds the production dependencies, no development dependency and no package manager', async () => {
    const { dependencies, devDependencies } = await packageFacts();
    const list = `
      const { readdirSync } = require('node:fs');
      const names = readdirSync('/app/node_modules').flatMap((name) =>
        name.startsWith('@') ? readdirSync('/app/node_modules/' + name).map((n) => name + '/' + n) : [name]);
      console.log(JSON.stringify(names));`;
    const { stdout, stderr } = await image.run({ entrypoint: 'node', args: ['-e', list] });
    expect(stderr).toBe('');
    const installed = new Set<string>(JSON.parse(stdout));
    expect(Object.keys(dependencies).filter((name) => !installed.has(name))).toEqual([]);
    const locked: { packages: Record<string, { dev?: boolean }> } = JSON.parse(
      await readFile(join(root, 'package-lock.json'), 'utf8'),
    );
    const development = Object.entries(locked.packages)
      .filter(([path, { dev }]) => dev === true && path.lastIndexOf('node_modules/') === 0)
      .map(([path]) => path.slice('node_modules/'.length));
    expect(development).toEqual(expect.arrayContaining(Object.keys(devDependencies)));
    expect(development.filter((name) => installed.has(name))).toEqual([]);
    const managers = 'for name in node npm npx yarn corepack; do command -v $name; done';
    const found = await image.run({ entrypoint: 'sh', args: ['-c', managers] });
    expect(found.stdout).toBe('/usr/local/bin/node\n');
  });

  it('holds no secret: no npm settings, no credentials in its environment or its history', async () => {
    const find =
      "find / -xdev \\( -name .npmrc -o -name credentials -o -name '.env*' \\) -not -path '/proc/*' 2>/dev/null";
    const { stdout } = await image.run({ entrypoint: 'sh', args: ['-c', find] });
    expect(stdout).toBe('');
    expect(
      image.facts.env.filter((line) => /AWS|TOKEN|KEY|PASSWORD|SECRET|REGISTRY|PROXY/i.test(line)),
    ).toEqual([]);
    expect(image.facts.history).not.toMatch(/registry=|_auth|_password/i);
  });

  it('may write to scratch and to nothing else', async () => {
    const write =
      'id -u; for f in /x /app/x /tmp/x /home/node/x; do touch $f && echo wrote $f; done; touch /scratch/x && echo scratch';
    const { stdout } = await image.run({ entrypoint: 'sh', args: ['-c', write] });
    expect(stdout).toBe('1000\nscratch\n');
  });

  it('tells its version', async () => {
    const { version } = await packageFacts();
    const { exitCode, stdout } = await image.run({ args: ['--version'] });
    expect({ exitCode, stdout: stdout.trim() }).toEqual({ exitCode: 0, stdout: version });
  });

  it('exports everything that the simulator holds, and exits 0', async () => {
    await withSimulator(small, async ({ env, truth }) => {
      const lake = await writableFolder('lake');
      const run = await image.run({
        args: ['export', '--lake', '/lake', '--accounts', 'all', '--output', 'json'],
        env,
        mounts: { '/lake': lake },
      });
      expect(run.exitCode, run.stderr).toBe(0);
      const expected = (await readFile(truth, 'utf8'))
        .trimEnd()
        .split('\n')
        .map((line): { table: string; record: { CopyJobId: string } } => JSON.parse(line))
        .filter(({ table }) => table === 'copy_jobs')
        .map(({ record }) => record.CopyJobId);
      expect(await copyJobIds(lake)).toEqual([...new Set(expected)].sort());
    });
  });

  it('ends a run with 75 within 20 seconds of SIGTERM, and the lake is whole', async () => {
    await withSimulator([...small, '--latency-ms', '1500'], async ({ env }) => {
      const lake = await writableFolder('interrupted');
      const container = await image.start({
        args: ['export', '--lake', '/lake', '--accounts', 'all', '--concurrency', '1'],
        env,
        mounts: { '/lake': lake },
      });
      await untilBegun(lake);
      const before = performance.now();
      await container.signal('SIGTERM');
      const { exitCode, stderr } = await container.ended();
      expect(exitCode, stderr).toBe(75);
      expect(performance.now() - before).toBeLessThan(20_000);
      await copyJobIds(lake);
    });
  });
});

async function withSimulator(
  args: readonly string[],
  use: (simulator: { env: Record<string, string>; truth: string }) => Promise<void>,
): Promise<void> {
  const truth = join(folder, `truth-${performance.now()}.ndjson`);
  const simulator = spawn(
    process.execPath,
    [join(root, 'src/cli.ts'), 'simulate', '--port', '0', '--truth', truth, ...args],
    { stdio: ['ignore', 'pipe', 'inherit'] },
  );
  try {
    await use({ env: await environmentOf(simulator), truth });
  } finally {
    simulator.kill();
    if (simulator.exitCode === null) await once(simulator, 'exit');
  }
}

async function environmentOf(simulator: ChildProcess): Promise<Record<string, string>> {
  if (simulator.stdout === null) throw new Error('the simulator has no stdout');
  for await (const line of createInterface({ input: simulator.stdout })) {
    const ready: { env: Record<string, string> } = JSON.parse(line);
    return ready.env;
  }
  throw new Error(`the simulator ended (${simulator.exitCode}) before it was ready`);
}

/** One that the container's user, another than this process's, may write to. */
async function writableFolder(name: string): Promise<string> {
  const path = await mkdtemp(join(folder, `${name}-`));
  await chmod(path, 0o777);
  return path;
}

/** Until the begin record is in the lake: from then on a run has something to lose. */
async function untilBegun(lake: string): Promise<void> {
  for (let tries = 0; tries < 600; tries++) {
    const names = await readdir(join(lake, '_ledger/runs'), { recursive: true }).catch(() => []);
    if (names.some((name) => name.endsWith('.begin.json'))) return;
    await wait(100);
  }
  throw new Error('no run began within a minute');
}

/** Sorted, each as often as it is in the lake. */
async function copyJobIds(lake: string): Promise<string[]> {
  const parts = (await readdir(lake, { recursive: true })).filter(
    (name) => name.startsWith('copy_jobs/') && name.endsWith('.parquet'),
  );
  if (parts.length === 0) return [];
  const connection = await (await DuckDBInstance.create()).connect();
  const files = parts.map((name) => `'${join(lake, name)}'`).join(', ');
  const result = await connection.runAndReadAll(`SELECT copy_job_id FROM read_parquet([${files}])`);
  return result
    .getRowObjects()
    .map((row) => String(row.copy_job_id))
    .sort();
}

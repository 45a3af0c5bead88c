/**
 * Runs the project's tools (npm test, npm run demo, …) under the pinned Node of node_modules/node, whatever
 * Node started this, and installs the dependencies first where they are missing or not those of
 * package-lock.json. Plain JavaScript without dependencies, for Node 20 and later.
 */
import { spawn, spawnSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { constants } from 'node:os';
import { delimiter, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const pinnedNode = join(
  root,
  'node_modules',
  'node',
  'bin',
  process.platform === 'win32' ? 'node.exe' : 'node',
);

const program = 'backup-copy-export';

/** What each task runs, in order; what follows the task's name goes to its last command. */
export const tasks = {
  test: [['vitest', 'run']],
  'test:peers': [['vitest', 'run', '--config', 'vitest.peers.config.ts']],
  'test:faults': [['node', 'test/faults/run.ts']],
  'test:kills': [['node', 'test/kills/run.ts']],
  check: [
    ['tsc', '--noEmit', '-p', '.'],
    ['depcruise', 'src', 'jobs'],
    ['biome', 'check'],
    ['markdownlint-cli2'],
  ],
  types: [['tsc', '--noEmit', '-p', '.']],
  lint: [['biome', 'check']],
  // Which folder of src/ may import which: .dependency-cruiser.cjs
  imports: [['depcruise', 'src', 'jobs']],
  // Whether every relative link of the docs leads somewhere: .markdownlint-cli2.jsonc
  links: [['markdownlint-cli2']],
  fix: [['biome', 'check', '--write']],
  build: [['tsc', '-p', 'tsconfig.build.json']],
  demo: [['node', 'scripts/demo.ts']],
  reference: [
    ['node', 'scripts/reference.ts'],
    ['node', 'deploy/quicksight/write-queries.ts'],
  ],
  // The program itself, from its sources and in the folder of whoever calls it: ./backup-copy-export
  [program]: [['node', join(root, 'src', 'cli.ts')]],
};

/**
 * The commands of a task with its arguments. `bench` runs every file of bench/, or the one that is named:
 * npm run bench -- merge
 * @param benches the names of the files in bench/, such as merge.ts
 */
export function commandsOf(task, args, benches) {
  if (task === 'bench') {
    const [name, ...rest] = args;
    const named = benches.filter((file) => name === undefined || file === `${name}.ts`).sort();
    return named.length === 0 ? null : named.map((file) => ['node', `bench/${file}`, ...rest]);
  }
  if (!Object.hasOwn(tasks, task)) return null;
  const commands = tasks[task];
  return commands.map((command, i) => (i === commands.length - 1 ? [...command, ...args] : command));
}

/**
 * Why the installed packages are not those of the lock file, or null when they are.
 * @param lock package-lock.json, parsed
 * @param installed node_modules/.package-lock.json, which npm leaves behind, parsed; null: there is none
 * @param here the platform: `{ os, cpu }` as in process.platform and process.arch
 */
export function whyInstall(lock, installed, here) {
  if (!installed) return 'nothing is installed';
  const have = installed.packages ?? {};
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === '' || wanted.link) continue;
    const found = have[path];
    if (!found) {
      if (wanted.optional && !meantFor(wanted, here)) continue;
      return `${path} is missing`;
    }
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is ${found.version}, not ${wanted.version}`;
    }
  }
  const extra = Object.keys(have).find((path) => !(path in (lock.packages ?? {})));
  return extra === undefined ? null : `${extra} is not in package-lock.json`;
}

/** Whether an optional package is for this platform. One bound to a C library is not judged: npm knows better. */
function meantFor({ os, cpu, libc }, here) {
  return (
    libc === undefined && os !== undefined && fits(os, here.os) && (cpu === undefined || fits(cpu, here.cpu))
  );
}

function fits(list, one) {
  return list.includes(one) || (list.every((item) => item.startsWith('!')) && !list.includes(`!${one}`));
}

/** The PATH without the programs of any node_modules: npm must not run under the Node it is about to replace. */
export function outsidePath(path, separator = delimiter) {
  return path
    .split(separator)
    .filter((folder) => !/(^|[\\/])node_modules([\\/]|$)/.test(folder))
    .join(separator);
}

/** The exit code that a shell gives for a child's end. */
export function exitCodeOf(code, signal) {
  return code ?? 128 + (constants.signals[signal] ?? 0);
}

function readJson(file) {
  try {
    return JSON.parse(readFileSync(join(root, file), 'utf8'));
  } catch {
    return null;
  }
}

function needed() {
  const here = { os: process.platform, cpu: process.arch };
  return whyInstall(readJson('package-lock.json') ?? {}, readJson('node_modules/.package-lock.json'), here);
}

function say(text) {
  process.stderr.write(`run: ${text}\n`);
}

function giveUp(text) {
  say(text);
  process.exit(1);
}

/** Installs under a lock, so that two tasks started at once do not remove each other's packages. */
async function install() {
  if (needed() === null) return;
  const release = await lockInstalling();
  try {
    const why = needed();
    if (why === null) return;
    say(`${why}: npm ci`);
    const { status, error } = spawnSync('npm', ['ci', '--include=dev', '--no-audit', '--no-fund'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      env: { ...process.env, PATH: outsidePath(process.env.PATH ?? '') },
      shell: process.platform === 'win32',
    });
    if (error) giveUp(`npm could not be started (${error.message}). Install npm, which comes with Node.`);
    if (status !== 0) giveUp(`npm ci failed (exit code ${status}). What it said above is the reason.`);
  } finally {
    release();
  }
}

async function lockInstalling() {
  const lock = join(root, '.cache', 'installing');
  const holder = join(lock, 'pid');
  mkdirSync(join(root, '.cache'), { recursive: true });
  for (let said = false; ; ) {
    try {
      mkdirSync(lock);
      writeFileSync(holder, String(process.pid));
      return () => rmSync(lock, { recursive: true, force: true });
    } catch (error) {
      if (error.code !== 'EEXIST') throw error;
    }
    if (!isAlive(holder)) {
      // Its holder may be between making the folder and writing its id: looked at twice.
      await pause(1000);
      if (!isAlive(holder)) rmSync(lock, { recursive: true, force: true });
      continue;
    }
    if (!said) say('another run is installing; waiting for it');
    said = true;
    await pause(500);
  }
}

function isAlive(holder) {
  try {
    process.kill(Number(readFileSync(holder, 'utf8')) || Number.NaN, 0);
    return true;
  } catch (error) {
    return error.code === 'EPERM';
  }
}

function pause(ms) {
  return new Promise((resolve) => setTimeout(resolve, ms));
}

function requirePinnedNode() {
  const { version } = readJson('node_modules/node/package.json') ?? {};
  const { status, stdout } = existsSync(pinnedNode)
    ? spawnSync(pinnedNode, ['--version'], { encoding: 'utf8' })
    : { status: null, stdout: '' };
  if (status === 0 && stdout.trim() === `v${version}`) return;
  giveUp(
    `the pinned Node ${version ?? ''} is not in node_modules/node/bin. Its package fetches it with an install ` +
      'script, and scripts were not run (npm config get ignore-scripts) or could not fetch it. ' +
      'Run: npm ci --ignore-scripts=false',
  );
}

function runOne([command, ...args], cwd) {
  const bin = [join(root, 'node_modules', 'node', 'bin'), join(root, 'node_modules', '.bin')];
  const outside = outsidePath(process.env.PATH ?? '');
  const child = spawn(command === 'node' ? pinnedNode : command, args, {
    cwd,
    stdio: 'inherit',
    env: { ...process.env, PATH: [...bin, outside].join(delimiter) },
    shell: process.platform === 'win32',
  });
  // A terminal sends Ctrl-C to the child itself; sent on, it would count as the second signal.
  const forwarded = ['SIGTERM', 'SIGHUP', 'SIGINT', 'SIGQUIT'];
  const forward = (signal) => {
    if (!['SIGINT', 'SIGQUIT'].includes(signal) || !process.stdin.isTTY) child.kill(signal);
  };
  for (const signal of forwarded) process.on(signal, forward);
  return new Promise((resolve) => {
    child.on('error', (error) => giveUp(`${command} could not be started (${error.message})`));
    child.on('close', (code, signal) => {
      for (const name of forwarded) process.off(name, forward);
      resolve(exitCodeOf(code, signal));
    });
  });
}

async function main([task = '', ...args]) {
  const benches = existsSync(join(root, 'bench')) ? readdirSync(join(root, 'bench')) : [];
  const commands = commandsOf(
    task,
    args,
    benches.filter((name) => name.endsWith('.ts')),
  );
  if (!commands) {
    giveUp(
      task === 'bench'
        ? `no such benchmark. There are: ${benches.join(', ')}`
        : `no task ${JSON.stringify(task)}. Tasks: ${[...Object.keys(tasks), 'bench'].join(', ')}`,
    );
  }
  await install();
  requirePinnedNode();
  if (task === 'build') rmSync(join(root, 'dist'), { recursive: true, force: true });
  for (const command of commands) {
    const code = await runOne(command, task === program ? process.cwd() : root);
    if (code !== 0) process.exit(code);
  }
  if (task === 'build') chmodSync(join(root, 'dist', 'src', 'cli.js'), 0o755);
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  await main(process.argv.slice(2));
}

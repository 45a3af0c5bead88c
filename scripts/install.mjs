/**
 * Installs what package-lock.json names, unless it is installed. Every npm script runs this first, so a fresh clone needs no
 * extra step. npm puts node_modules/.bin first in PATH, and with it the pinned Node. The scripts run it with `env node`: a
 * shell remembers where it found `node` for this file, and would run the same one again.
 * Plain JavaScript without dependencies, for Node 20 and later.
 */
import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/**
 * Why the installed packages are not those of the lock file, or null when they are.
 * @param lock package-lock.json, parsed
 * @param installed node_modules/.package-lock.json, which npm leaves behind, parsed; null: there is none
 * @param here the platform: `{ os, cpu }` as in process.platform and process.arch
 * @param onDisk whether a package's folder holds a package, by its path in the lock file: npm's record outlives what it records
 */
export function whyInstall(lock, installed, here, onDisk) {
  if (!installed) return 'nothing is installed';
  const have = installed.packages ?? {};
  for (const [path, wanted] of Object.entries(lock.packages ?? {})) {
    if (path === '' || wanted.link) continue;
    const found = have[path];
    if (!found && wanted.optional && !isMeantFor(wanted, here)) continue;
    if (!found || !onDisk(path)) return `${path} is missing`;
    if (found.version !== wanted.version || found.integrity !== wanted.integrity) {
      return `${path} is ${found.version}, not ${wanted.version}`;
    }
  }
  const extra = Object.keys(have).find((path) => !(path in (lock.packages ?? {})));
  return extra === undefined ? null : `${extra} is not in package-lock.json`;
}

/** Whether an optional package is for this platform. Only npm knows which C library there is. */
function isMeantFor({ os, cpu, libc }, here) {
  return (
    libc === undefined && os !== undefined && fits(os, here.os) && (cpu === undefined || fits(cpu, here.cpu))
  );
}

function fits(list, one) {
  return list.includes(one) || (list.every((item) => item.startsWith('!')) && !list.includes(`!${one}`));
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
  const onDisk = (path) => existsSync(join(root, path, 'package.json'));
  const lock = readJson('package-lock.json') ?? {};
  return whyInstall(lock, readJson('node_modules/.package-lock.json'), here, onDisk);
}

function say(text) {
  process.stderr.write(`install: ${text}\n`);
}

function giveUp(text) {
  say(text);
  process.exit(1);
}

/** Under a lock: two commands that install at once would remove each other's packages. */
async function install() {
  const release = await lockInstalling();
  try {
    const why = needed();
    if (why === null) return;
    say(`${why}: npm ci`);
    const { npm_execpath: npm = '', npm_node_execpath: node = process.execPath } = process.env;
    const [command, ...first] = /npm-cli\.[cm]?js$/.test(npm) ? [node, npm] : ['npm'];
    const { status, error } = spawnSync(command, [...first, 'ci', '--include=dev'], {
      cwd: root,
      stdio: ['ignore', 2, 2],
      shell: process.platform === 'win32' && command === 'npm',
    });
    if (error) giveUp(`npm did not start (${error.message}). Install npm, which comes with Node.`);
    if (status !== 0) giveUp(`npm ci failed (exit code ${status}). Its output above gives the reason.`);
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
      // Its holder may have made the folder and not yet written its id: look twice.
      await pause(1000);
      if (!isAlive(holder)) rmSync(lock, { recursive: true, force: true });
      continue;
    }
    if (!said) say('another command is installing; waiting for it');
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

/** The package `node` fetches its program with an install script, which npm may have been told not to run. */
function requirePinnedNode() {
  const { version } = readJson('node_modules/node/package.json') ?? {};
  const program = join(root, 'node_modules/node/bin', process.platform === 'win32' ? 'node.exe' : 'node');
  if (version !== undefined && existsSync(program)) return;
  giveUp(
    `Node ${version ?? ''} is not in node_modules/node/bin. Install scripts are switched off (npm config get ignore-scripts), ` +
      'or one of them failed. Run: npm ci --ignore-scripts=false',
  );
}

if (process.argv[1] && import.meta.url === pathToFileURL(process.argv[1]).href) {
  if (needed() !== null) await install();
  requirePinnedNode();
}

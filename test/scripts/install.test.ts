import { type SpawnSyncReturns, spawnSync } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, test } from 'vitest';
import { type Lock, whyInstall } from '../../scripts/install.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const here = { os: 'linux', cpu: 'x64' };
const lock: Lock = {
  packages: {
    '': { version: '0.1.0' },
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/for-mac': {
      version: '1.0.0',
      integrity: 'sha512-m',
      optional: true,
      os: ['darwin'],
      cpu: ['arm64'],
    },
    'node_modules/for-us': {
      version: '1.0.0',
      integrity: 'sha512-u',
      optional: true,
      os: ['linux'],
      cpu: ['x64'],
    },
  },
};
const installed: Lock = {
  packages: {
    'node_modules/a': { version: '1.0.0', integrity: 'sha512-a' },
    'node_modules/for-us': { version: '1.0.0', integrity: 'sha512-u', optional: true },
  },
};

/** What is installed, but for one package. */
function but(path: string, change: object | null): Lock {
  const { [path]: _, ...others } = installed.packages ?? {};
  return { packages: change === null ? others : { ...others, [path]: { ...change } } };
}

const everything = () => true;

describe('packages are installed anew', () => {
  test('not when they are those of the lock file, without those for other platforms', () => {
    expect(whyInstall(lock, installed, here, everything)).toBeNull();
  });

  test.each<readonly [string, Lock | null, RegExp]>([
    ['nothing is installed', null, /nothing is installed/],
    ['one is missing', but('node_modules/a', null), /node_modules\/a is missing/],
    ['one for this platform is missing', but('node_modules/for-us', null), /for-us is missing/],
    [
      'one has another version',
      but('node_modules/a', { version: '2.0.0', integrity: 'sha512-a' }),
      /2\.0\.0, not 1/,
    ],
    [
      'one has other content',
      but('node_modules/a', { version: '1.0.0', integrity: 'sha512-b' }),
      /node_modules\/a/,
    ],
    ['there is one too many', but('node_modules/b', { version: '1.0.0' }), /node_modules\/b is not in/],
  ])('when %s', (_, have, why) => {
    expect(whyInstall(lock, have, here, everything)).toMatch(why);
  });

  test.each(['node_modules/a', 'node_modules/for-us'])(
    'when npm has recorded %s, and its folder is gone',
    (gone) => {
      expect(whyInstall(lock, installed, here, (path) => path !== gone)).toBe(`${gone} is missing`);
    },
  );

  test('and what is installed here is in step', () => {
    const read = (file: string): Lock => JSON.parse(readFileSync(join(root, file), 'utf8'));
    const platform = { os: process.platform, cpu: process.arch };
    const onDisk = (path: string) => existsSync(join(root, path, 'package.json'));
    const record = read('node_modules/.package-lock.json');
    expect(whyInstall(read('package-lock.json'), record, platform, onDisk)).toBeNull();
  });
});

describe('a clone', () => {
  let clone: string;
  beforeEach(() => {
    clone = mkdtempSync(join(tmpdir(), 'backup-copy-export-clone-'));
    cpSync(join(root, 'scripts/install.mjs'), join(clone, 'scripts/install.mjs'));
    cpSync(join(root, 'backup-copy-export'), join(clone, 'backup-copy-export'));
    write('package-lock.json', JSON.stringify(locked));
    write('src/cli.ts', 'console.log("the program", process.argv.slice(2).join(" "));');
  });
  afterEach(() => rmSync(clone, { recursive: true, force: true }));

  const node = 'node_modules/node';
  const locked: Lock = { packages: { '': {}, [node]: { version: '24.0.0' } } };

  function write(path: string, text: string, mode = 0o755): void {
    mkdirSync(dirname(join(clone, path)), { recursive: true });
    writeFileSync(join(clone, path), text, { mode });
  }

  /** What npm leaves behind when it has installed the one package. */
  const record = () => write('node_modules/.package-lock.json', JSON.stringify(locked));
  const pinned = () => {
    write(`${node}/package.json`, '{"version":"24.0.0"}');
    write(`${node}/bin/node`, `#!/bin/sh\nexec '${process.execPath}' "$@"\n`);
  };

  /** An npm that says what it was asked, and installs if it is meant to. */
  function npm(installs: string): NodeJS.ProcessEnv {
    write('npm-cli.js', `console.error('npm', ...process.argv.slice(2)); ${installs}`);
    return { ...process.env, npm_execpath: join(clone, 'npm-cli.js'), npm_node_execpath: process.execPath };
  }

  const install = (env: NodeJS.ProcessEnv): SpawnSyncReturns<string> =>
    spawnSync(process.execPath, [join(clone, 'scripts/install.mjs')], { encoding: 'utf8', env });

  test('whose packages are all there is left alone', () => {
    record();
    pinned();
    expect(install(npm('process.exit(1)'))).toMatchObject({ status: 0, stdout: '', stderr: '' });
  });

  test('whose package was recorded and is gone gets it back', () => {
    record();
    const copies = `const fs = require('node:fs');
      fs.mkdirSync('${node}/bin', { recursive: true });
      fs.writeFileSync('${node}/package.json', '{"version":"24.0.0"}');
      fs.writeFileSync('${node}/bin/node', '');`;
    const { status, stderr } = install(npm(copies));
    expect(stderr).toBe(`install: ${node} is missing: npm ci\nnpm ci --include=dev\n`);
    expect(status).toBe(0);
  });

  test('that npm cannot install says so', () => {
    expect(install(npm('process.exitCode = 7'))).toMatchObject({
      status: 1,
      stderr: expect.stringContaining('npm ci failed (exit code 7)'),
    });
  });

  test('whose Node was not fetched says how to fetch it', () => {
    record();
    write(`${node}/package.json`, '{"version":"24.0.0"}');
    expect(install(npm(''))).toMatchObject({
      status: 1,
      stderr: expect.stringMatching(/Node 24\.0\.0 is not in .*npm ci --ignore-scripts=false/s),
    });
  });

  test('runs the program in the folder of whoever calls it, under the pinned Node', () => {
    record();
    pinned();
    const { stdout, status } = spawnSync(join(clone, 'backup-copy-export'), ['plan', '--lake', './a b'], {
      cwd: tmpdir(),
      encoding: 'utf8',
    });
    expect([status, stdout]).toEqual([0, 'the program plan --lake ./a b\n']);
  });
});

test('every script installs first', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const others = Object.keys(scripts).filter(
    (name) => !String(scripts[name]).startsWith('node scripts/install.mjs && '),
  );
  // They run other scripts.
  expect(others).toEqual(['ci', 'prepack']);
});

test('a script runs the Node that was just installed: the shell must look it up again', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(join(root, 'package.json'), 'utf8'),
  );
  const commands = Object.values(scripts).flatMap((script) => script.split(' && ').slice(1));
  expect(commands.filter((command) => command.startsWith('env node ')).length).toBeGreaterThan(3);
  expect(commands.filter((command) => command.startsWith('node '))).toEqual([]);
});

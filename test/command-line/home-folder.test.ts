import { spawn } from 'node:child_process';
import { chmodSync, mkdirSync, statSync } from 'node:fs';
import { hostname } from 'node:os';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { provideHome } from '../../src/command-line/home-folder.ts';
import { userOfThisMachine } from '../../src/shared/machine-user.ts';
import { type Lab, openLab } from '../support/lab.ts';

const noUser = () => {
  throw Object.assign(new Error('uv_os_homedir returned ENOENT'), { code: 'ERR_SYSTEM_ERROR' });
};

describe('a home folder', () => {
  test.each([
    ['stays as HOME says', { HOME: '/home/somebody' }, () => '/root', '/home/somebody'],
    ['is left to the system where HOME is not set', {}, () => '/root', undefined],
    ['is left to the system where HOME is empty', { HOME: '' }, () => '/root', undefined],
    ['is the root folder where the system knows no such user', {}, noUser, '/'],
    ['is the root folder where HOME is empty, too', { HOME: '' }, noUser, '/'],
    ['is the root folder where the system says nothing', {}, () => '', '/'],
  ])('%s', (_, environment: Record<string, string>, homeOfUser, expected) => {
    provideHome(environment, homeOfUser);
    expect(environment.HOME).toBe(expected);
  });
});

test('a user that the system does not know has a number', () => {
  expect(userOfThisMachine(() => 'ada')).toBe(`ada@${hostname()}`);
  expect(userOfThisMachine(noUser)).toBe(`uid ${process.getuid?.() ?? 'unknown'}@${hostname()}`);
});

/** A module that Node loads first, and after which nobody has a home. */
const homeless = `data:text/javascript,${encodeURIComponent(`
  import os from 'node:os';
  import { syncBuiltinESMExports } from 'node:module';
  os.homedir = () => {
    if (process.env.HOME) return process.env.HOME;
    throw new Error('uv_os_homedir returned ENOENT');
  };
  os.userInfo = () => {
    throw new Error('uv_os_get_passwd returned ENOENT');
  };
  syncBuiltinESMExports();`)}`;

const cli = fileURLToPath(new URL('../../src/cli.ts', import.meta.url));
/** Only root may run a program as somebody else, who then has to be able to read it. */
const others =
  process.getuid?.() === 0 && foldersOf(cli).every((path) => (statSync(path).mode & 0o005) === 5);

function foldersOf(path: string): readonly string[] {
  const folder = dirname(path);
  return folder === path ? [] : [folder, ...foldersOf(folder)];
}

let lab: Lab;
/** Node keeps what it has compiled here, for each user apart. */
let compiled: string;
beforeAll(async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  chmodSync(lab.folder, 0o755);
  compiled = join(lab.folder, 'compiled');
  mkdirSync(compiled);
  chmodSync(compiled, 0o777);
  await lab.run({ lake: join(lab.folder, 'asked') });
});
afterAll(() => lab.close());

describe.each([
  ['that the system does not know', {}, ['--import', homeless]],
  ...(others ? [['54321, without an entry in /etc/passwd', { uid: 54_321, gid: 54_321 }, []] as const] : []),
] as const)('credentials in the environment suffice a user %s and without HOME', (name, user, ofNode) => {
  test.each([
    'export --accounts all --lake ./lake',
    'plan --accounts all --lake ./lake',
    'query failing-targets --lake ../asked',
    'status --lake ../asked',
    'verify --lake ../asked',
    'repair --lake ../asked',
  ])('%s', async (words) => {
    const folder = join(lab.folder, `${name} ${words}`.replaceAll('/', '-'));
    mkdirSync(folder);
    chmodSync(folder, 0o777);
    const { HOME: _, ...environment } = lab.environment;
    const child = spawn(process.execPath, [...ofNode, cli, ...words.split(' ')], {
      ...user,
      cwd: folder,
      env: { PATH: process.env.PATH, TMPDIR: folder, NODE_COMPILE_CACHE: compiled, ...environment },
      stdio: ['ignore', 'ignore', 'pipe'],
    });
    let stderr = '';
    child.stderr.on('data', (chunk: Buffer) => {
      stderr += chunk.toString();
    });
    const code = await new Promise((resolve) => child.on('close', resolve));
    expect(stderr).not.toMatch(/redentials|ENOENT/);
    expect(code).toBe(0);
  });
});

import { spawnSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { describe, expect, test } from 'vitest';
import { countTests } from '../../scripts/count-tests.mjs';
import { commandsOf, exitCodeOf, type Lock, outsidePath, tasks, whyInstall } from '../../scripts/run.mjs';

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

describe('packages are installed anew', () => {
  test('not when they are those of the lock file, without those for other platforms', () => {
    expect(whyInstall(lock, installed, here)).toBeNull();
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
    expect(whyInstall(lock, have, here)).toMatch(why);
  });

  test('and what is installed here is in step', () => {
    const read = (file: string): Lock =>
      JSON.parse(readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8'));
    const platform = { os: process.platform, cpu: process.arch };
    expect(
      whyInstall(read('package-lock.json'), read('node_modules/.package-lock.json'), platform),
    ).toBeNull();
  });
});

test('npm is looked for outside of any node_modules', () => {
  expect(
    outsidePath('/x/node_modules/.bin:/usr/bin:/x/node_modules/node/bin:/my_node_modules_2/bin', ':'),
  ).toBe('/usr/bin:/my_node_modules_2/bin');
});

test('a child that a signal ended has the exit code that a shell would give', () => {
  expect([exitCodeOf(0, null), exitCodeOf(64, null), exitCodeOf(null, 'SIGTERM')]).toEqual([0, 64, 143]);
});

test('every script of package.json that names a task names one that there is', () => {
  const { scripts }: { scripts: Record<string, string> } = JSON.parse(
    readFileSync(new URL('../../package.json', import.meta.url), 'utf8'),
  );
  const named = Object.values(scripts).flatMap((script) => /run\.mjs (\S+)/.exec(script)?.[1] ?? []);
  expect(named.length).toBeGreaterThan(5);
  expect(named.filter((task) => commandsOf(task, [], ['merge.ts']) === null)).toEqual([]);
});

test('arguments go to the last command of a task', () => {
  expect(commandsOf('test', ['test/cli', '-t', 'x y'], [])).toEqual([
    ['vitest', 'run', 'test/cli', '-t', 'x y'],
  ]);
  expect(commandsOf('check', ['src'], [])?.at(0)).toEqual(tasks.check?.at(0));
  expect(commandsOf('check', ['src'], [])?.at(-1)).toEqual(['biome', 'check', 'src']);
});

test('bench runs every benchmark, or the one that is named', () => {
  const benches = ['merge.ts', 'drain.ts'];
  expect(commandsOf('bench', [], benches)).toEqual([
    ['node', 'bench/drain.ts'],
    ['node', 'bench/merge.ts'],
  ]);
  expect(commandsOf('bench', ['merge', '--rows', '5'], benches)).toEqual([
    ['node', 'bench/merge.ts', '--rows', '5'],
  ]);
  expect(commandsOf('bench', ['other'], benches)).toBeNull();
});

test('an unknown task is refused', () => {
  const script = fileURLToPath(new URL('../../scripts/run.mjs', import.meta.url));
  const { status, stderr } = spawnSync(process.execPath, [script, 'nope'], { encoding: 'utf8' });
  expect(status).toBe(1);
  expect(stderr).toMatch(/no task "nope"\. Tasks: test/);
});

describe('the tests of a report are counted', () => {
  const report = {
    numPassedTests: 3,
    numFailedTests: 1,
    numPendingTests: 1,
    numTodoTests: 1,
    testResults: [],
  };

  test('passed, failed and skipped', () => {
    expect(countTests(JSON.stringify(report))).toEqual({ passed: 3, failed: 1, skipped: 2 });
  });

  test('a file that could not be loaded counts as failed', () => {
    const testResults = [
      { status: 'failed', assertionResults: [] },
      { status: 'failed', assertionResults: [{ status: 'failed' }] },
    ];
    expect(countTests(JSON.stringify({ ...report, testResults })).failed).toBe(2);
  });

  test.each([null, '', '{', '{"numPassedTests":0,"testResults":[]}'])('%j counts as failed', (text) => {
    expect(countTests(text)).toEqual({ passed: 0, failed: 1, skipped: 0 });
  });
});

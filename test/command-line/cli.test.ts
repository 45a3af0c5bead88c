import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, test } from 'vitest';
import { allJobs } from '../../src/config/option.ts';
import { commonOptionNames, exportOptionNames } from '../../src/config/options.ts';
import { simulateOptions } from '../../src/config/simulate-options.ts';
import { exitCodes } from '../../src/shared/exit-codes.ts';
import { openCommandLines, processOf } from '../support/command-lines.ts';

const folder = mkdtempSync(join(tmpdir(), 'backup-copy-export-cli-'));
const commandLines = openCommandLines(folder);
afterAll(async () => {
  await commandLines.close();
  rmSync(folder, { recursive: true, force: true });
});

/** Runs the program as a person does. */
const run = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  processOf(folder, args, env);
/** For what ends before a job begins. */
const quickly = commandLines.run;

test('--version is the version of package.json, alone on stdout', async () => {
  const { version } = JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8'));
  expect(await run(['--version'])).toEqual({ code: 0, stdout: `${version}\n`, stderr: '' });
});

test('--help names every job and every exit code', async () => {
  const { code, stdout, stderr } = await run(['--help']);
  expect([code, stderr]).toEqual([0, '']);
  expect(allJobs.length).toBeGreaterThan(4);
  for (const job of allJobs) expect(stdout).toMatch(new RegExp(`^ +backup-copy-export ${job}\\b`, 'm'));
  for (const one of Object.keys(exitCodes)) expect(stdout).toMatch(new RegExp(`^ +${one}  \\w`, 'm'));
});

test('help shows the same as --help, also of a command', async () => {
  for (const words of [[], ['export']]) {
    const { code, stdout } = await quickly([...words, 'help']);
    expect({ code, stdout }).toEqual({ code: 0, stdout: (await quickly([...words, '--help'])).stdout });
  }
});

test.each(['export', 'plan'])('%s --help names every option', async (job) => {
  const { code, stdout } = await quickly([job, '--help']);
  expect(code).toBe(0);
  for (const name of ['config', ...commonOptionNames, ...exportOptionNames]) {
    expect(stdout).toMatch(new RegExp(`^ +--${name}\\b`, 'm'));
  }
});

test.each([
  [['export', '--lake', './x', '--nope=1'], 64],
  [['simulate', '--config', 'none.yaml'], 78],
  [['plan', '--help'], 0],
] as const)('%j is answered by a process of its own as by one that has had others', async (args, code) => {
  const alone = await run(args);
  expect(alone.code).toBe(code);
  expect(await quickly(args)).toEqual(alone);
  expect(await quickly(args)).toEqual(alone);
});

describe('a wrong command line ends with 64, one line on stderr and nothing on stdout', () => {
  test.each<readonly [string, readonly string[], RegExp]>([
    ['no job', [], /No command was named\. Name one of export, plan, simulate/],
    ['an unknown command', ['summary'], /There is no command "summary"\. Name one of export/],
    [
      'an unknown option',
      ['export', '--lake', './x', '--nope=1'],
      /Unknown option: --nope\. See .* export --help/,
    ],
    [
      'an option in another spelling',
      ['export', '--lake', './x', '--roleName', 'y'],
      /Unknown option: --roleName\b/,
    ],
    [
      'a negated option',
      ['export', '--lake', './x', '--no-allow-unsafe-store'],
      /Unknown option: --no-allow-unsafe-store/,
    ],
    ['something too many', ['export', '--lake', './x', 'extra'], /Unknown argument: extra/],
    ['something too many behind dashes', ['plan', '--lake', './x', '--', 'extra'], /Unknown argument: extra/],
    ['no lake', ['export'], /--lake is required\. Add --lake/],
    ['no lake to plan for', ['plan'], /--lake is required\. Add --lake/],
    [
      'an option without its value',
      ['export', '--lake', '--tables', 'copy_jobs'],
      /--lake is empty\. Give it/,
    ],
    [
      'a bad value',
      ['plan', '--lake', './x', '--deadline', 'soon'],
      /--deadline: "soon" is not a duration\. Write/,
    ],
    ['a bad switch', ['export', '--lake', './x', '--allow-unsafe-store=maybe'], /neither true nor false/],
    [
      'an empty switch',
      ['export', '--lake', './x', '--allow-unsafe-store='],
      /--allow-unsafe-store is empty/,
    ],
    ['an option given twice', ['export', '--lake', './x', '--lake', './y'], /--lake is set 2 times/],
    ['an option of another job', ['export', '--lake', './x', '--port', '1'], /Unknown option: --port/],
    [
      'a bad log level',
      ['export', '--lake', './x', '--log-level', 'loud'],
      /--log-level: "loud" is not a valid choice/,
    ],
    ['a bad option of simulate', ['simulate', '--accounts', 'many'], /--accounts: "many" is not a whole/],
    ['a bad choice of simulate', ['simulate', '--children', 'maybe'], /--children: .*Use one of listed, hid/],
    [
      'a bad log level of simulate',
      ['simulate', '--log-level', 'loud'],
      /--log-level: "loud" is not a valid choice/,
    ],
    ['a bad output of simulate', ['simulate', '--output', 'xml'], /--output: "xml" is not a valid choice/],
    ['an option of simulate twice', ['simulate', '--seed', '1', '--seed', '2'], /--seed is set 2 times/],
    ['an unknown short option', ['-v'], /Unknown option: -v\. See/],
    ['an unknown short option of a job', ['export', '--lake', './x', '-q'], /Unknown option: -q\. See/],
    ['an unknown option without a job', ['--nope', '--log-level', 'info'], /Unknown option: --nope\. See/],
  ])('%s', async (_, args, message) => {
    const { code, stdout, stderr } = await quickly(args);
    expect(stderr).toMatch(message);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/^backup-copy-export: [^\n]+\n$/);
  });

  test.each([
    [['export', '--account', '1'], '--accounts'],
    [['plan', '--roleName', 'x'], '--role-name'],
    [['catalog', 'ddl', '--databse', 'x'], '--database'],
    [['query', 'failed-copies', '--day', '7'], '--days'],
    [['simulate', '--fault', 'x'], '--faults'],
    [['--acounts', 'x'], '--accounts'],
    [['exprot'], 'export'],
    [['simulator'], 'simulate'],
  ])('%j: the nearest that there is, is named', async (args, meant) => {
    const { code, stderr } = await quickly(args);
    expect([code, stderr]).toEqual([64, expect.stringContaining(`Did you mean ${meant}?`)]);
  });

  test('several of them are told at once, each on a line of its own', async () => {
    const args = ['export', '--account', '1', '--lake', 's3:/bucket/x', '--regions', 'useast1'];
    const { code, stderr } = await run(args, { BACKUP_COPY_EXPORT_DEADLINE: 'so\non' });
    expect(code).toBe(64);
    expect(stderr.split('\n')).toEqual([
      'backup-copy-export: 4 options are wrong. Correct them:',
      expect.stringMatching(/^ {2}Unknown option: --account\. Did you mean --accounts\?/),
      expect.stringMatching(/^ {2}--lake: "s3:\/bucket\/x" .*Did you mean s3:\/\/bucket\/x\?/),
      expect.stringMatching(/^ {2}--regions: "useast1" is not a region name/),
      expect.stringMatching(/^ {2}BACKUP_COPY_EXPORT_DEADLINE: "so\\non" is not a duration/),
      '',
    ]);
  });

  test.each([
    [
      'regions',
      'eu-west-1,us-est-1,mars-1',
      /--regions: "us-est-1" is an unknown region. Did you mean us-east-1/,
    ],
    ['accounts', '111122223333,1234,444455556666', /--accounts: "1234" is not an account id/],
    ['exclude-accounts', '111122223333,1234', /--exclude-accounts: "1234" is not an account id/],
    ['tables', 'copy_jobs,copyjobs', /--tables: "copyjobs" is not a valid choice/],
    [
      'organizational-units',
      'ou-ab12-cd34ef56,Prod',
      /--organizational-units: "Prod" is not an organizational unit id/,
    ],
    ['aggregation-periods', 'ONE_DAY,TWO_DAYS', /--aggregation-periods: "TWO_DAYS" is not a valid choice/],
  ])('the wrong item of a list, and not the right ones: --%s %s', async (name, value, message) => {
    const { code, stderr } = await quickly(['export', '--lake', './lake', `--${name}`, value]);
    expect([code, stderr]).toEqual([64, expect.stringMatching(message)]);
  });

  test.each(['export', 'plan', 'simulate'])('an unknown variable, for %s', async (job) => {
    const { code, stdout, stderr } = await quickly([job], { BACKUP_COPY_EXPORT_LAKES: 'x' });
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(
      /^backup-copy-export: The environment variable BACKUP_COPY_EXPORT_LAKES .*--help[^\n]*\n$/,
    );
  });
});

describe('a bad configuration file ends with 78', () => {
  test.each(['export', 'plan', 'simulate'])('one that is missing, for %s', async (job) => {
    const { code, stdout, stderr } = await quickly([job, '--config', 'none.yaml']);
    expect([code, stdout]).toEqual([78, '']);
    expect(stderr).toMatch(/none\.yaml cannot be read \(ENOENT\)\. Check/);
  });

  test('one with an unquoted account id', async () => {
    writeFileSync(join(folder, 'unquoted.yaml'), 'lake: ./x\naccounts: [012345678901]\n');
    const { code, stderr } = await run(['export'], { BACKUP_COPY_EXPORT_CONFIG: 'unquoted.yaml' });
    expect(code).toBe(78);
    expect(stderr).toMatch(/drops a leading zero/);
  });
});

// The concurrent tests wait: for a host that does not answer, or for credentials that nobody has.
test.concurrent('what goes wrong in the run is one JSON line on stderr, with its exit code, and nothing on stdout', async () => {
  // Nothing listens on port 1: the run ends when it asks who it is.
  const args = [
    'export',
    '--lake',
    './waiting-0',
    '--regions',
    'us-east-1',
    '--endpoint-url',
    'http://127.0.0.1:1',
  ];
  const { code, stdout, stderr } = await run(args, {
    AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
    AWS_SECRET_ACCESS_KEY: 'not-a-real-secret-key',
    AWS_REGION: 'us-east-1',
  });
  expect([code, stdout]).toEqual([75, '']);
  const lines = stderr
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line));
  const fatal = lines.filter(({ level }) => level === 'fatal');
  expect(fatal).toHaveLength(1);
  expect(fatal[0]).toMatchObject({ exit_code: 75, err: { name: 'UnavailableError' } });
  expect(fatal[0].err.stack).toBeUndefined();
  expect(stderr).not.toContain('not-a-real-secret-key');
});

test.each(['export', 'plan'])(
  '%s blames the variable of a proxy that is no address, not the credentials',
  async (job) => {
    const args = [job, '--lake', './lake', '--regions', 'us-east-1', '--log-format', 'pretty'];
    const { code, stderr } = await run(args, {
      AWS_ACCESS_KEY_ID: 'AKIAEXAMPLE000000000',
      AWS_SECRET_ACCESS_KEY: 'not-a-real-secret-key',
      AWS_REGION: 'us-east-1',
      https_proxy: 'http://user:sesame@proxy:port',
    });
    expect(code).toBe(64);
    expect(stderr).toMatch(/https_proxy in the environment is not the address of a proxy/);
    expect(stderr).not.toMatch(/sesame|redentials/);
  },
);

test.concurrent('no credentials at all end with 77', async () => {
  const args = [
    'export',
    '--lake',
    './waiting-1',
    '--regions',
    'us-east-1',
    '--endpoint-url',
    'http://127.0.0.1:1',
  ];
  const { code, stdout, stderr } = await run(args, {
    AWS_REGION: 'us-east-1',
    BACKUP_COPY_EXPORT_LOG_FORMAT: 'pretty',
  });
  expect([code, stdout]).toEqual([77, '']);
  expect(stderr).toMatch(/FATAL: .*credentials/i);
});

test.concurrent('a failing program with a silent log still says why', async () => {
  const args = [
    'plan',
    '--lake',
    './waiting-2',
    '--endpoint-url',
    'http://127.0.0.1:1',
    '--log-level',
    'silent',
  ];
  const { code, stderr } = await run(args, { AWS_REGION: 'us-east-1' });
  expect(code).toBe(77);
  expect(stderr).toMatch(/^backup-copy-export: [^\n]+\n$/);
});

test('simulate takes its options from the environment and the file too, and flags win', async () => {
  writeFileSync(join(folder, 'simulate.yaml'), 'port: 99999999\naccounts: 3\n');
  const { code, stderr } = await quickly(['simulate', '--config', 'simulate.yaml', '--accounts', '2']);
  expect(code).toBe(78);
  expect(stderr).toMatch(/port in the configuration file .*simulate\.yaml: "99999999" is out of range/);
  const other = await quickly(['simulate', '--config', 'simulate.yaml', '--port', '0'], {
    BACKUP_COPY_EXPORT_SEED: '-5',
  });
  expect(other.code).toBe(64);
  expect(other.stderr).toMatch(/BACKUP_COPY_EXPORT_SEED: "-5" is out of range/);
});

test('simulate --help names every option', async () => {
  const { code, stdout } = await quickly(['simulate', '--help']);
  expect(code).toBe(0);
  for (const name of ['config', ...commonOptionNames, ...Object.keys(simulateOptions)]) {
    expect(stdout).toMatch(new RegExp(`^ +--${name}\\b`, 'm'));
  }
});

test('the environment is judged wherever the job stands on the command line', async () => {
  const { code, stderr } = await quickly(['--log-level', 'debug', 'simulate'], {
    BACKUP_COPY_EXPORT_FOO: '1',
  });
  expect(code).toBe(64);
  expect(stderr).toMatch(/The environment variable BACKUP_COPY_EXPORT_FOO/);
});

test.concurrent('in a log for people, what ends the run is said once', async () => {
  const args = [
    'plan',
    '--lake',
    './waiting-3',
    '--endpoint-url',
    'http://127.0.0.1:1',
    '--log-format',
    'pretty',
  ];
  const { code, stderr } = await run(args, { AWS_REGION: 'us-east-1' });
  expect(code).toBe(77);
  const [, said = ''] = /FATAL: (.*?)\./.exec(stderr) ?? [];
  expect(said.length).toBeGreaterThan(10);
  expect(stderr.split(said)).toHaveLength(2);
});

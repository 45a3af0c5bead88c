import { once } from 'node:events';
import { readFile, rm, writeFile } from 'node:fs/promises';
import { createServer } from 'node:http';
import { join } from 'node:path';
import { parse } from 'csv-parse/sync';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { ownOptionNames } from '../../src/config/options.ts';
import { findQuestion } from '../../src/query/named-questions.ts';
import { questionHelp } from '../../src/query/question-help.ts';
import { loadQuestions } from '../../src/questions/questions.ts';
import { type Lab, openLab } from '../support/lab.ts';
import { ask } from './program.ts';
import { newLake } from './written-lake.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab({ days: 4 });
  await lab.run();
});
afterAll(() => lab.close());

test('the days that are asked for do not take the lake its now', async () => {
  const sql = 'SELECT count(*) AS n FROM lake_time WHERE as_of IS NOT NULL';
  const ended = await ask([sql, `--lake=${lab.lake}`, '--to=2000-01-01', '--format=csv']);
  expect([ended.code, ended.stdout]).toEqual([0, 'n\n1\n']);
});

test('SQL over a local lake is answered as CSV when nobody watches, whatever the time zone', async () => {
  const { code, stdout, stderr } = await ask([
    'SELECT copy_job_id, creation_time FROM copy_jobs ORDER BY 1',
    `--lake=${lab.lake}`,
  ]);
  expect([code, stderr]).toEqual([0, '']);
  const expected = (await lab.table('copy_jobs'))
    .map((row) => [String(row.copy_job_id), new Date(Number(row.creation_time)).toISOString()])
    .sort();
  expect(parse(stdout, { from_line: 2 })).toEqual(expected);
});

test('every named question is answered, and takes its parameters as options', async () => {
  const { code, stdout, stderr } = await ask(['success-rate-by-day', '--days=2', '--format=json'], {
    env: { BACKUP_COPY_EXPORT_LAKE: lab.lake },
  });
  expect([code, stderr]).toEqual([0, '']);
  const short: unknown[] = JSON.parse(stdout);
  const whole = await ask(['success-rate-by-day', '--output=json', `--lake=${lab.lake}`]);
  const all: unknown[] = JSON.parse(whole.stdout);
  expect(short.length).toBeGreaterThan(0);
  expect(all.slice(0, short.length)).toEqual(short);
  expect(all.length).toBeGreaterThan(short.length);
  const names = loadQuestions().map(({ name }) => name);
  const input = `${names.join('\n')}\n`;
  const asked = await ask([`--lake=${lab.lake}`], { input });
  expect(asked.code).toBe(0);
  // Of those without rows it is said what that is worth; of the others nothing.
  expect(asked.stderr).toMatch(/^(backup-copy-export: no rows; read through [^\n]+\n)*$/);
});

test('--list is an index: one line for each question, without a lake', async () => {
  const { code, stdout } = await ask(['--list']);
  expect(code).toBe(0);
  const lines = stdout.trimEnd().split('\n');
  expect(lines.map((line) => line.split(/ {2,}/))).toEqual(
    loadQuestions().map(({ name, title }) => [name, title]),
  );
  expect(JSON.parse((await ask(['--list', '--output=json'])).stdout)).toEqual(loadQuestions());
});

describe('the text of a question', () => {
  test.each([
    ['rpo', '--help'],
    ['--lake', 'x', 'rpo', '--help'],
    ['--help', 'rpo'],
    ['rpo', '--list'],
  ])(
    'is what query %s %s prints: title, how to read it, parameters, columns and an example',
    async (...args) => {
      const rpo = findQuestion('rpo');
      const { code, stdout } = await ask(args);
      expect(code).toBe(0);
      const words = stdout.replace(/\s+/g, ' ');
      expect(stdout).toMatch(/^rpo: RPO/);
      expect(words).toContain(rpo.about);
      for (const { name, about } of rpo.parameters) {
        expect(words).toContain(`--${name} N`);
        expect(words).toContain(about);
      }
      expect(stdout).toMatch(/^ {2}rpo_hours\b/m);
      expect(words).toContain('backup-copy-export query rpo --days');
      expect(Math.max(...stdout.split('\n').map((line) => line.length))).toBeLessThanOrEqual(100);
    },
  );

  test.each(loadQuestions())('$name can be shown at any width', async (question) => {
    const text = await questionHelp(question, 60);
    const broken = text.split('\n').filter((line) => stringWidth(line) > 60 && !line.includes('query '));
    expect(broken).toEqual([]);
  });

  test('of a question that there is not is an error that names the nearest', async () => {
    const { code, stderr, stdout } = await ask(['silent-rule', '--help']);
    expect([code, stdout]).toEqual([64, '']);
    expect(stderr).toMatch(/no question "silent-rule"\. Did you mean silent-rules\?/);
  });
});

test('--help names every option', async () => {
  const { code, stdout } = await ask(['--help']);
  expect(code).toBe(0);
  for (const name of ownOptionNames('query')) expect(stdout).toMatch(new RegExp(`^ +--${name}\\b`, 'm'));
});

test('an unknown variable is an error', async () => {
  const { code, stderr } = await ask(['SELECT 1'], { env: { BACKUP_COPY_EXPORT_LAKES: 'x' } });
  expect([code, stderr]).toEqual([
    64,
    expect.stringMatching(/The environment variable BACKUP_COPY_EXPORT_LAKES/),
  ]);
});

test('no parameter of a question has the name of an option', () => {
  const taken: readonly string[] = [...ownOptionNames('query'), 'config', 'output', 'help', 'version', 'sql'];
  const parameters = loadQuestions().flatMap((question) => question.parameters.map(({ name }) => name));
  expect(parameters.filter((name) => taken.includes(name))).toEqual([]);
});

test('statements are read from stdin when there is no terminal', async () => {
  const { code, stdout } = await ask([`--lake=${lab.lake}`], { input: 'SELECT 1 AS a;\nSELECT\n2 AS b' });
  expect([code, stdout]).toEqual([0, 'a\n1\nb\n2\n']);
});

test('--from and --to name the days, both included', async () => {
  const days = async (...args: string[]): Promise<string[]> => {
    const sql = 'SELECT DISTINCT creation_date FROM copy_jobs ORDER BY 1';
    const { stdout } = await ask([sql, `--lake=${lab.lake}`, ...args]);
    return stdout.trim().split('\n').slice(1);
  };
  const all = await days();
  expect(await days(`--from=${all[1]}`, `--to=${all[2]}`)).toEqual(all.slice(1, 3));
});

test('--output-file takes the answer, as Parquet where it ends so', async () => {
  const file = join(lab.folder, 'answer.parquet');
  const { code, stdout } = await ask(['FROM copy_jobs', `--lake=${lab.lake}`, `--output-file=${file}`]);
  expect([code, stdout]).toEqual([0, '']);
  expect((await readFile(file)).subarray(-4).toString()).toBe('PAR1');
  await rm(file);
});

test('--output-file takes one answer: a second is refused, and the first stays', async () => {
  const file = join(lab.folder, 'answer.csv');
  const input = 'SELECT 1 AS a;\nSELECT 2 AS b;\n';
  const { code, stderr } = await ask([`--lake=${lab.lake}`, `--output-file=${file}`], { input });
  expect([code, stderr]).toEqual([64, expect.stringMatching(/answer\.csv already contains the result/)]);
  expect(await readFile(file, 'utf8')).toBe('a\n1\n');
  await rm(file);
});

test('a switch does not take the SQL behind it for its value, nor is SQL that begins with a comment an option', async () => {
  const { code, stdout } = await ask(['--raw', 'SELECT 1 AS a', `--lake=${lab.lake}`]);
  expect([code, stdout]).toEqual([0, 'a\n1\n']);
  const commented = await ask(['-- of all\nSELECT 2 AS b', '--raw', 'false', `--lake=${lab.lake}`]);
  expect([commented.code, commented.stdout]).toEqual([0, 'b\n2\n']);
});

test('an interruption while a store is asked ends with 75', async () => {
  const asked = Promise.withResolvers<void>();
  const silent = createServer(() => asked.resolve()).listen(0, '127.0.0.1');
  await once(silent, 'listening');
  const address = silent.address();
  if (address === null || typeof address === 'string') throw new Error('no port');
  try {
    const ended = ask(['FROM copy_jobs', '--lake=s3://bucket/lake'], {
      env: {
        AWS_ACCESS_KEY_ID: 'a',
        AWS_SECRET_ACCESS_KEY: 'b',
        AWS_REGION: 'us-east-1',
        BACKUP_COPY_EXPORT_S3_ENDPOINT_URL: `http://127.0.0.1:${address.port}`,
      },
      interruptedAfter: asked.promise,
    });
    const { code, stderr, stdout } = await ended;
    expect([code, stdout]).toEqual([75, '']);
    expect(stderr).toMatch(/^backup-copy-export: [^\n]*interrupted[^\n]*\n$/);
  } finally {
    silent.closeAllConnections();
    silent.close();
  }
});

test('the options come from a file too', async () => {
  const config = join(lab.folder, 'query.yaml');
  await writeFile(config, `lake: ${lab.lake}\nformat: json\n`);
  const { code, stdout } = await ask(['SELECT 1 AS a', `--config=${config}`]);
  expect([code, JSON.parse(stdout)]).toEqual([0, [{ a: 1 }]]);
});

test('an empty lake answers with the columns and no rows', async () => {
  const lake = await newLake();
  try {
    const { code, stdout } = await ask(['SELECT state, run_id FROM copy_jobs', `--lake=${lake.folder}`]);
    expect([code, stdout]).toEqual([0, 'state,run_id\n']);
  } finally {
    await lake.close();
  }
});

describe('what is wrong ends with its exit code and one line', () => {
  test.each<readonly [string, number, readonly string[], RegExp]>([
    ['an unknown table', 64, ['SELECT * FROM copy_job'], /copy_job does not exist! Did you mean "copy_jobs"/],
    ['an unknown column', 64, ['SELECT stat FROM copy_jobs'], /column "stat" not found.*"state"/],
    ['no SQL', 64, ['SELECT FROM WHERE'], /has a syntax error: syntax error/],
    ['empty SQL', 64, [' '], /The query is empty/],
    ['SQL that writes', 64, ["COPY (SELECT 1) TO 'x'"], /may do more than read/],
    ['a value that cannot be', 64, ["SELECT 'x'::INTEGER"], /Conversion Error/],
    [
      'an unknown question',
      64,
      ['succes-rate-by-day'],
      /no question "succes-rate-by-day"\. Did you mean success-rate-by-day\?/,
    ],
    ['a bad parameter', 64, ['success-rate-by-day', '--days=many'], /--days .*cannot be "many"/],
    ['a parameter without a question', 64, ['SELECT 1', '--days=3'], /--days is a parameter of a question/],
    ['an unknown option', 64, ['SELECT 1', '--no-such'], /Unknown option: --no-such/],
    ['a parameter without its value', 64, ['resource-history', '--resource'], /--resource has no value/],
    ['Parquet to stdout', 64, ['SELECT 1', '--format=parquet'], /Name one with --output-file/],
    ['days the wrong way round', 64, ['SELECT 1', '--from=2026-11-02', '--to=2026-11-01'], /is after --to/],
    ['no lake there', 74, ['SELECT 1', '--lake=./nothing-here'], /There is no lake in .*nothing-here/],
    [
      'too little memory',
      74,
      ['SELECT list(range) FROM range(30000000)', '--memory-limit=64MB'],
      /more memory than 61 MiB.*--memory-limit/,
    ],
    [
      'too little scratch',
      74,
      [
        'SELECT max(x) FROM (SELECT hash(range) AS h, repeat(range::VARCHAR, 9) AS x FROM range(3000000) ORDER BY h)',
        '--memory-limit=64MB',
        '--scratch-limit=5MB',
      ],
      /more scratch space than --scratch-limit/,
    ],
    [
      'too little time while rows come',
      75,
      ['SELECT * FROM range(3000000000)', '--timeout=300ms', '--format=json', '--output-file=cut.json'],
      /did not finish within 0\.3 s/,
    ],
    [
      'too little time',
      75,
      ['SELECT count(*) FROM range(1000000000) a, range(100000) b', '--timeout=200ms'],
      /did not finish within 0\.2 s/,
    ],
  ])('%s', async (_, code, args, message) => {
    const lake = args.some((arg) => arg.startsWith('--lake')) ? [] : [`--lake=${lab.lake}`];
    const ended = await ask([...args, ...lake], { cwd: lab.folder });
    expect(ended.stderr).toMatch(message);
    expect(ended.stderr).toMatch(/^backup-copy-export: [^\n]+\n$/);
    expect([ended.code, ended.stdout]).toEqual([code, '']);
  });
});

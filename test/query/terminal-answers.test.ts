/** What `query` shows at a terminal: every question over an odd lake, at several widths. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import type { DuckDBValue } from '@duckdb/node-api';
import pino from 'pino';
import stringWidth from 'string-width';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { questionRequest } from '../../src/query/named-questions.ts';
import { runQuery } from '../../src/query/query.ts';
import { parseQuerySettings } from '../../src/query/query-settings.ts';
import { asText, type Rows, rowsOf } from '../../src/query/result-formats.ts';
import { openSession, type Session } from '../../src/query/session.ts';
import { loadQuestions, type Question } from '../../src/questions/questions.ts';
import { writeOddLake } from '../support/answers/odd-lake.ts';
import { fakeTerminal } from '../telemetry/terminal.ts';
import { newLake, type WrittenLake } from './written-lake.ts';

let folder: string;
let odd: WrittenLake;
let lake: string;
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-terminal-'));
  odd = await newLake();
  lake = odd.folder;
  await writeOddLake(lake, 7, 'duckdb');
});
afterAll(async () => {
  await odd.close();
  await rm(folder, { recursive: true, force: true });
});

interface Looked {
  readonly columns?: number;
  readonly isTTY?: boolean;
  readonly lake?: string;
  readonly flags?: Readonly<Record<string, string>>;
  readonly values?: Readonly<Record<string, string>>;
}

/** One answer at a terminal that is long enough for all of it. */
async function look(what: string, options: Looked = {}) {
  const { columns = 80, isTTY = true, values = {} } = options;
  const stdout = Object.assign(fakeTerminal({ isTTY, columns }), { rows: 100_000 });
  const notes: string[] = [];
  const asked = /\s/.test(what) ? { sql: what, lookBack: null } : questionRequest(what, values);
  await runQuery(settingsWith(options), asked, {
    ...io(notes),
    stdin: new PassThrough(),
    stdout,
    stderr: new PassThrough(),
    env: { PAGER: '' },
  });
  return { text: stdout.written(), lines: stdout.written().trimEnd().split('\n'), notes };
}

function settingsWith(options: Looked = {}) {
  return parseQuerySettings({
    flags: { lake: options.lake ?? lake, scratch: join(folder, 'scratch'), ...options.flags },
    env: {},
    cwd: folder,
    temporaryFolder: folder,
    readFile: () => '',
  });
}

function io(notes: string[]) {
  return {
    log: pino({ level: 'silent' }),
    note: (line: string) => notes.push(line),
    signal: new AbortController().signal,
    today: '2026-03-01',
  };
}

const widest = (lines: readonly string[]): number => Math.max(...lines.map((line) => stringWidth(line)));

/** All questions are asked in one session, as at the prompt: it opens the lake once. */
let session: Session;
beforeAll(async () => {
  session = await openSession(settingsWith(), io([]), undefined);
});
afterAll(() => session.close());

interface Asked {
  readonly columns: Rows['columns'];
  readonly all: readonly (readonly DuckDBValue[])[];
}

const answers = new Map<string, Promise<Asked>>();

/** The rows of a question of all days, asked once for all widths. */
function rowsFor(question: Question): Promise<Asked> {
  const rows = answers.get(question.name) ?? askedFor(question);
  answers.set(question.name, rows);
  return rows;
}

async function askedFor({ name, parameters }: Question): Promise<Asked> {
  const asked = questionRequest(name, parameters.some((one) => one.name === 'days') ? { days: '500' } : {});
  return await session.ask(asked.lookBack, new AbortController().signal, async (reader) => {
    const { sql } = await reader.check(asked.sql);
    const { columns, batches } = rowsOf(await reader.connection.stream(sql));
    const all: (readonly DuckDBValue[])[] = [];
    for await (const batch of batches) all.push(...batch);
    return { columns, all };
  });
}

/** As a terminal of that width shows it; nothing where there are no rows. */
async function answerTo(question: Question, width: number): Promise<string> {
  const { columns, all } = await rowsFor(question);
  let count = 0;
  const onEnd = (rows: number) => {
    count = rows;
  };
  const options = { raw: false, terminal: true, width, onCut: () => {}, onEnd };
  const batches = (async function* () {
    yield all;
  })();
  let text = '';
  for await (const piece of asText('table', { columns, batches }, options)) text += piece;
  return count === 0 ? '' : text;
}

describe.each([80, 120])('at %d columns', (columns) => {
  test.each(loadQuestions().map((question) => [question.name, question] as const))(
    'the answer to %s breaks no line',
    async (_, question) => {
      const text = await answerTo(question, columns);
      expect(widest(text.split('\n'))).toBeLessThanOrEqual(columns);
      expect(text).not.toMatch(/(?!\n)[\p{Cc}\u202e]/u);
    },
  );
});

test('most questions have something to show in this lake', async () => {
  const shown = await Promise.all(loadQuestions().map((question) => answerTo(question, 80)));
  expect(shown.filter((text) => text !== '').length).toBeGreaterThan(12);
});

test('what fits is a table, what does not is one block for each row, and a wider terminal makes it a table again', async () => {
  const narrow = await look('success-rate-by-day', { columns: 40 });
  expect(narrow.text).toMatch(/^── row 1 ─+\ncreation_date +\S*/);
  expect(narrow.text).toMatch(/\n── row 2 ─/);
  const wide = await look('success-rate-by-day', { columns: 120 });
  expect(wide.lines[0]).toMatch(/^creation_date +jobs +completed/);
});

test.each([30, 80])('SELECT * of a table with 50 columns fits %d columns too', async (columns) => {
  const { lines } = await look('SELECT * FROM copy_jobs LIMIT 20', { columns });
  expect(widest(lines)).toBeLessThanOrEqual(columns);
  expect(lines.join(' ')).toMatch(/ 20 rows; values/);
});

test('sizes, ages and instants are short, and numbers of no unit stay as they are', async () => {
  const { text } = await look(
    `SELECT 9300000000000000 AS bytes, 42::BIGINT AS backup_size_in_bytes, 718.44 AS rpo_hours,
     2.5::DOUBLE AS hours_taken, 45000 AS duration_ms, NULL::DOUBLE AS repair_hours, -1 AS delete_after_days,
     9007199254740991 AS jobs, 88.42 AS success_percent, TIMESTAMP '2026-11-20 01:52:58.372' AS creation_time`,
    { columns: 60 },
  );
  const shown = Object.fromEntries(
    text
      .split('\n')
      .slice(1, -2)
      .map((line) => line.split(/ {2,}/)),
  );
  expect(shown).toEqual({
    bytes: '9.3 PB',
    backup_size_in_bytes: '42 B',
    rpo_hours: '29 d 22 h',
    hours_taken: '2 h 30 min',
    duration_ms: '45 s',
    repair_hours: undefined,
    delete_after_days: '-1',
    jobs: '9007199254740991',
    success_percent: '88.42',
    creation_time: '2026-11-20 01:52Z',
  });
});

test('what is shortened keeps its ends, and the last line says how to see it whole', async () => {
  const arn = 'arn:aws:kms:eu-west-1:111122223333:key/012dbab3-2411-400a-b384-2eb1c31c7056';
  const sql = `SELECT '${arn}' AS key_arn, 'aaaaaaaa${'-'.repeat(60)}zzzzzzzz' AS id`;
  const { lines } = await look(sql, { columns: 60 });
  expect(lines[2]).toMatch(/^kms….*2eb1c31c7056 {2}aaaaaaaa.*….*zzzzzzzz$/);
  expect(lines[3]).toBe('1 row; values are cut to fit, --wide shows them in full');
  const whole = await look(sql, { columns: 60, flags: { wide: 'true' } });
  expect(whole.text).toContain(arn);
});

test('a long message goes on in further lines, and keeps its end when it is too long for them', async () => {
  const { lines, text } = await look(
    `SELECT status_message, * EXCLUDE (status_message) FROM copy_jobs WHERE length(status_message) > 5000 LIMIT 1`,
  );
  expect(widest(lines)).toBeLessThanOrEqual(80);
  expect(text).toMatch(/status_message +long/);
  expect(text).toMatch(/…/);
});

test('wide characters take two columns each', async () => {
  const { lines } = await look(`SELECT repeat('日本', 60) AS a, repeat('👩‍👩‍👧', 40) AS b, 'x' AS c`);
  expect(widest(lines)).toBeLessThanOrEqual(80);
  const rule = lines[1] ?? '';
  expect(stringWidth(lines[2] ?? '')).toBe(stringWidth(rule));
});

describe('an answer without rows', () => {
  const line =
    /^no rows; read through 2026-03-01 02:30Z, (\d+) targets without a good drain[^;]*; query targets-without-good-drain lists them$/;

  test('says through when the lake was read, and how many targets were not', async () => {
    const { text, lines, notes } = await look('SELECT * FROM copy_jobs WHERE false');
    expect(widest(lines)).toBeLessThanOrEqual(80);
    const said = text.trimEnd().replaceAll('\n', ' ');
    expect(said).toMatch(line);
    expect(notes).toEqual([]);
    const [, told] = line.exec(said) ?? [];
    const named = await look(
      `SELECT count(DISTINCT (account_id, region)) AS n FROM target_drains, lake_time
       WHERE last_good_drain_time IS NULL OR last_good_drain_time < as_of - INTERVAL 2 DAY`,
      { columns: 200 },
    );
    expect(named.lines[2]?.trim()).toBe(told);
  });

  test.each(['csv', 'json'])('says so beside %s, not in it', async (format) => {
    const { text, notes } = await look('SELECT state FROM copy_jobs WHERE false', { flags: { format } });
    expect(text).toBe(format === 'csv' ? 'state\n' : '[]\n');
    expect(notes).toEqual([expect.stringMatching(line)]);
  });

  test('says so of a file too', async () => {
    const path = join(folder, 'none.parquet');
    const { notes } = await look('SELECT state FROM copy_jobs WHERE false', {
      flags: { 'output-file': path },
    });
    expect(notes).toEqual([expect.stringMatching(line)]);
  });

  test('of no table of the lake is just no rows', async () => {
    expect((await look('SELECT 1 AS a WHERE false')).text).toBe('no rows\n');
  });

  test('of a lake that no run has ended in says that', async () => {
    const empty = await newLake();
    try {
      const { text } = await look('SELECT * FROM copy_jobs', { lake: empty.folder });
      expect(text).toBe('no rows; no export has finished in this lake yet, so it may be incomplete\n');
    } finally {
      await empty.close();
    }
  });
});

test('a table that goes into a pipe is as it always was', async () => {
  const sql = `SELECT 9300000000000000 AS bytes, repeat('x', 100) AS text`;
  const { text } = await look(sql, { isTTY: false, columns: 80, flags: { format: 'table' } });
  expect(text).toMatch(/^┌─+┬─+┐\n│ +bytes │ text/);
  expect(text).toContain('9300000000000000');
  expect(text).toContain('x'.repeat(100));
});

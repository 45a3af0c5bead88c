import { mkdtemp, readFile, rm, stat } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { setTimeout as sleep } from 'node:timers/promises';
import { describe, expect, test } from 'vitest';
import { runPrompt } from '../../src/query/prompt.ts';
import { completer } from '../../src/query/prompt-completion.ts';
import { historyFile, readHistory, writeHistory } from '../../src/query/prompt-history.ts';
import { splitStatements } from '../../src/query/split-statements.ts';
import { UnavailableError, UsageError } from '../../src/shared/errors.ts';

/** A prompt, with keys to type and what it ran. */
function opened(
  options: {
    readonly terminal?: boolean;
    readonly history?: readonly string[];
    /** Another program, such as a pager, that statements give the terminal to. */
    readonly other?: (input: PassThrough) => void;
  } = {},
) {
  const input = new PassThrough();
  const output = new PassThrough();
  const errors = new PassThrough();
  const said = { output: '', errors: '' };
  output.on('data', (chunk: Buffer) => {
    said.output += chunk.toString();
  });
  errors.on('data', (chunk: Buffer) => {
    said.errors += chunk.toString();
  });
  const ran: string[] = [];
  let kept: readonly string[] = [];
  const ended = runPrompt({
    input,
    output,
    errors,
    terminal: options.terminal ?? true,
    history: options.history ?? [],
    onHistory: (lines) => {
      kept = lines;
    },
    tables: new Map([['copy_jobs', ['copy_job_id', 'creation_time']]]),
    questions: ['success-rate-by-day'],
    width: () => 80,
    questionHelp: async ({ title }) => `the text of: ${title}\n`,
    run: async ({ sql }, signal, lend) => {
      ran.push(sql);
      if (options.other) await lend(async () => options.other?.(input));
      if (sql === 'bad') throw new UsageError('The query is bad', 'Write a good one.');
      if (sql !== 'endless') return;
      await new Promise((_, reject) => {
        signal.addEventListener('abort', () => reject(new UnavailableError('It was interrupted', 'Again.')));
      });
    },
    stopping: new AbortController().signal,
  });
  const type = (keys: string): void => {
    input.write(keys);
  };
  return { type, input, ended, ran, said, kept: () => kept };
}

async function until(condition: () => boolean): Promise<void> {
  for (let turn = 0; turn < 1000; turn += 1) {
    if (condition()) return;
    await sleep(10);
  }
  throw new Error('what was waited for did not come');
}

describe('at the prompt', () => {
  test('statements go over many lines, up to a semicolon that is one', async () => {
    const { type, ended, ran, said } = opened();
    type("select ';' as a, -- ;\r");
    type('1\r');
    await until(() => said.output.split(' ...> ').length > 2);
    expect(ran).toEqual([]);
    type('; select 2; select\r');
    type('3;\r.quit\r');
    await ended;
    expect(ran).toEqual(["select ';' as a, -- ;\n1", 'select 2', 'select\n3']);
  });

  test('an error is said, and the prompt goes on', async () => {
    const { type, ended, ran, said } = opened();
    type('bad;\r');
    type('select 1;\r.quit\r');
    await ended;
    expect(said.errors).toBe('The query is bad. Write a good one.\n');
    expect(ran).toEqual(['bad', 'select 1']);
  });

  test('Ctrl-C stops the query and not the prompt; without a query it drops what was typed', async () => {
    const { type, ended, ran, said } = opened();
    type('endless;\r');
    await until(() => ran.length === 1);
    type('\u0003');
    await until(() => said.errors === 'It was interrupted. Again.\n');
    type('select\r');
    await until(() => said.output.includes(' ...> '));
    type('half a line\u0003');
    type('select 2;\r.quit\r');
    await ended;
    expect(ran).toEqual(['endless', 'select 2']);
  });

  test('a question runs by its name, with its parameters', async () => {
    const { type, ended, ran, said } = opened();
    type('success-rate-by-day --days 3\r');
    type('success-rate-by-day --dais 3;\r.quit\r');
    await ended;
    expect(ran).toHaveLength(1);
    expect(ran[0]).toMatch(/SELECT[\s\S]*\b3\b/);
    expect(said.errors).toMatch(/success-rate-by-day has no parameter dais/);
  });

  test('a question may end with a semicolon, its values stand in quotes, and what is no parameter is an error', async () => {
    const { type, ended, ran, said } = opened();
    type('success-rate-by-day;\r');
    type("success-rate-by-day --days '3';\r");
    type('success-rate-by-day 3\r');
    type('success-rate-by-day --days\r');
    type('success-rate-by-day --days 1 --days 2\r.quit\r');
    await ended;
    expect(ran).toEqual([expect.stringMatching(/\b30\b/), expect.stringMatching(/ 3 \*/)]);
    expect(said.errors).toMatch(
      /"3" is not a parameter of success-rate-by-day.*\n--days has no value.*\n--days is set 2 times/,
    );
  });

  test('.tables, .questions and .help say what there is; another command is an error', async () => {
    const { type, ended, said } = opened();
    type('.tables\r.questions\r.help\r.read x\r.quit\r');
    await ended;
    expect(said.output).toMatch(/^copy_jobs\r?$/m);
    expect(said.output).toMatch(/^success-rate-by-day {2,}Share of copies that succeeded, by day\r?$/m);
    expect(said.output).toContain('Ctrl-C stops');
    expect(said.errors).toBe(
      'There is no command .read x. The commands are .help, .tables, .questions, .quit.\n',
    );
  });

  test.each(['help', 'help;', '?', '\\?', 'HELP', '.help'])('%s helps', async (word) => {
    const { type, ended, ran, said } = opened();
    type(`${word}\r.quit\r`);
    await ended;
    expect(said.output).toContain('Ctrl-C stops');
    expect([ran, said.errors]).toEqual([[], '']);
  });

  test.each(['exit', 'quit', 'exit;', 'QUIT', '\\q', '.exit', '.quit'])('%s leaves', async (word) => {
    const { type, ended, ran, said } = opened();
    type(`${word}\rselect 1;\r`);
    await ended;
    expect([ran, said.errors]).toEqual([[], '']);
  });

  test('help with the name of a question says what it means; of another name it says what may be meant', async () => {
    const { type, ended, said } = opened();
    type('help rpo\r.help silent-rule\rexit\r');
    await ended;
    expect(said.output).toContain('the text of: RPO');
    expect(said.errors).toMatch(/no question "silent-rule"\. Did you mean silent-rules\?/);
  });

  test('while a pager has the terminal, nothing is read from it, and it is given back', async () => {
    const seen: (boolean | string)[] = [];
    const { type, input, ended, ran } = opened({
      other: (terminal) => seen.push(terminal.isPaused(), 'read by the pager'),
    });
    Object.assign(input, { setRawMode: (raw: boolean) => seen.push(raw) });
    type('select 1;\r');
    await until(() => seen.length >= 4);
    type('exit\r');
    await ended;
    expect(ran).toEqual(['select 1']);
    // The last is readline's own, which gives the terminal back to the shell.
    expect(seen.slice(-5)).toEqual([false, true, 'read by the pager', true, false]);
  });

  test('in the middle of a statement such a word is part of it', async () => {
    const { type, ended, ran } = opened();
    type('select 1 as\rquit\r;\rexit\r');
    await ended;
    expect(ran).toEqual(['select 1 as\nquit']);
  });

  test('Tab completes what has been begun', async () => {
    const { type, ended, ran, said } = opened();
    type('select creation_t');
    // A tab in the middle of what is pasted is a tab.
    await until(() => said.output.endsWith('creation_t'));
    type('\t');
    await until(() => said.output.endsWith('ime'));
    type(' from copy_jobs;\r.quit\r');
    await ended;
    expect(ran).toEqual(['select creation_time from copy_jobs']);
  });

  test('what was typed before comes back with the arrow, and what is typed is kept', async () => {
    const { type, ended, ran, kept } = opened({ history: ['select 41;'] });
    type('\u001b[A\r');
    type('select 42;\r');
    await until(() => ran.length === 2);
    type('\u0004');
    await ended;
    expect(ran).toEqual(['select 41', 'select 42']);
    expect(kept()).toEqual(['select 42;', 'select 41;']);
  });
});

describe('without a terminal', () => {
  test('statements are read from the input, the last one also without a semicolon, and no prompt is written', async () => {
    const { input, ended, ran, said } = opened({ terminal: false });
    input.end('select 1;\nselect\n2');
    await ended;
    expect(ran).toEqual(['select 1', 'select\n2\n']);
    expect(said.output).toBe('');
  });

  test('the first error is the end', async () => {
    const { input, ended, ran } = opened({ terminal: false });
    input.end('bad;\nselect 1;\n');
    await expect(ended).rejects.toThrow('The query is bad');
    expect(ran).toEqual(['bad']);
  });

  test('a command that there is not is such an error', async () => {
    const { input, ended, ran } = opened({ terminal: false });
    input.end('.read x\nselect 1;\n');
    await expect(ended).rejects.toThrow('There is no command .read x');
    expect(ran).toEqual([]);
  });

  test.each(['', '\n \n'])('an input that asks nothing is an error, not a silence: %j', async (typed) => {
    const { input, ended } = opened({ terminal: false });
    input.end(typed);
    await expect(ended).rejects.toThrow('There is no query');
  });
});

test('history is kept for the user alone, newest last, and read back newest first', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-history-'));
  try {
    const file = historyFile({ XDG_STATE_HOME: folder });
    expect(await readHistory(file)).toEqual([]);
    expect(await writeHistory(file, ['select 2;', 'select 1;'])).toBe(true);
    expect(await readFile(file, 'utf8')).toBe('select 1;\nselect 2;\n');
    expect(await readHistory(file)).toEqual(['select 2;', 'select 1;']);
    expect((await stat(file)).mode & 0o077).toBe(0);
    expect(await writeHistory(join(file, 'below', 'a-file'), [])).toBe(false);
  } finally {
    await rm(folder, { recursive: true });
  }
});

test('completion offers names and keywords in the case that was begun', () => {
  const complete = completer(['copy_jobs', 'copy_job_id', 'success-rate-by-day']);
  expect(complete('select copy_')).toEqual([['copy_job_id', 'copy_jobs'], 'copy_']);
  expect(complete('SEL')).toEqual([['SELECT'], 'SEL']);
  expect(complete('sel')).toEqual([['select'], 'sel']);
  expect(complete('success-r')).toEqual([['success-rate-by-day'], 'success-r']);
  expect(complete('.t')).toEqual([['.tables'], '.t']);
  expect(complete('select ')).toEqual([[], '']);
});

test('statements end at semicolons outside of texts, names and comments', () => {
  expect(splitStatements(`a ';' ";" $$;$$ $x$;$$;$x$ -- ;\n/* ; */ b; ; -- nothing\n;c`)).toEqual({
    statements: [`a ';' ";" $$;$$ $x$;$$;$x$ -- ;\n/* ; */ b`],
    rest: 'c',
  });
  expect(splitStatements("a 'not ended; b;")).toEqual({ statements: [], rest: "a 'not ended; b;" });
});

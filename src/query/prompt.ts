/**
 * The prompt. It takes SQL over several lines up to `;`, names of questions, and a few commands that begin with a dot.
 * Without a terminal it runs statements from the input one after another, and stops at the first that fails.
 */
import { createInterface, type Interface } from 'node:readline/promises';
import type { Readable, Writable } from 'node:stream';
import type { Question } from '../questions/questions.ts';
import { ReportedError, UsageError } from '../shared/errors.ts';
import { printable } from '../telemetry/printable.ts';
import { findQuestion, isName, questionIndex, typedRequest } from './named-questions.ts';
import { completer, dotCommands } from './prompt-completion.ts';
import { historyLines } from './prompt-history.ts';
import { splitStatements } from './split-statements.ts';
import type { QueryRequest } from './write-result.ts';

export interface PromptOptions {
  readonly input: Readable & { readonly setRawMode?: (raw: boolean) => void };
  readonly output: Writable;
  /** Receives errors and notes. */
  readonly errors: Writable;
  /** Whether a person types: with editing, completion and history, and without stopping at the first error. */
  readonly terminal: boolean;
  /** Newest first. */
  readonly history: readonly string[];
  readonly onHistory: (lines: readonly string[]) => void;
  /** Tables and views, with their columns. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  readonly questions: readonly string[];
  /** The terminal's width; null without a terminal. */
  readonly width: () => number | null;
  /** The full text of a question. */
  readonly questionHelp: (question: Question) => Promise<string>;
  /**
   * Runs one statement; rejects if it fails. Ctrl-C aborts it.
   * @param lend gives the terminal to another program, such as a pager, while `use` runs
   */
  readonly run: (
    asked: QueryRequest,
    signal: AbortSignal,
    lend: (use: () => Promise<void>) => Promise<void>,
  ) => Promise<void>;
  /** Ends the prompt. */
  readonly stopping: AbortSignal;
}

const help = `Type SQL on one or more lines and end it with a semicolon,
or type the name of a question, for example: failed-copies --days 7
  .tables      list tables and views
  .questions   list the named questions
  .help NAME   explain a question, its columns and parameters
  .help        show this help (also: help, ?)
  .quit        quit (also: exit, quit, \\q, Ctrl-D)
Ctrl-C stops a running query or clears the line. Tab completes names.
`;

/** Resolves at the end of the input or on .quit. Without a terminal it rejects at the first error, or if the input is empty. */
export async function runPrompt(options: PromptOptions): Promise<void> {
  const { input, output, errors, terminal, stopping } = options;
  const names = [...options.tables.keys(), ...[...options.tables.values()].flat(), ...options.questions];
  const lines = createInterface({
    input,
    ...(terminal ? { output } : {}),
    terminal,
    history: [...options.history],
    historySize: terminal ? historyLines : 0,
    removeHistoryDuplicates: true,
    completer: completer(names),
  });
  let running: AbortController | null = null;
  let typed = '';
  let silent = true;
  const ask = (): void => {
    lines.setPrompt(typed === '' ? 'lake> ' : ' ...> ');
    if (terminal) lines.prompt();
  };
  lines.on('history', (kept: readonly string[]) => options.onHistory(kept));
  lines.on('SIGINT', () => {
    if (running !== null) return running.abort();
    typed = '';
    output.write('^C\n');
    // Ctrl-U clears the line.
    lines.write(null, { ctrl: true, name: 'u' });
    ask();
  });
  const close = (): void => lines.close();
  stopping.addEventListener('abort', close);
  if (stopping.aborted) close();

  const attempt = async (what: () => Promise<void>): Promise<void> => {
    try {
      await what();
    } catch (error) {
      if (!terminal || !(error instanceof ReportedError)) throw error;
      errors.write(`${printable(error.message)}\n`);
    }
  };
  // Without the pause, the prompt would read what is typed for the other program.
  const lend = async (use: () => Promise<void>): Promise<void> => {
    lines.pause();
    if (terminal) input.setRawMode?.(false);
    try {
      await use();
    } finally {
      if (terminal) input.setRawMode?.(true);
      lines.resume();
    }
  };
  const run = (asked: QueryRequest): Promise<void> =>
    attempt(async () => {
      running = new AbortController();
      try {
        await options.run(asked, AbortSignal.any([running.signal, stopping]), lend);
      } finally {
        running = null;
      }
    });
  const runSql = (sql: string): Promise<void> => run({ sql, lookBack: null });

  try {
    ask();
    for await (const line of lines) {
      const alone = typed === '' ? commandIn(line) : '';
      if (line.trim() !== '') silent = false;
      if (alone === '.quit') break;
      if (alone.startsWith('.')) await attempt(() => command(alone, options));
      else if (options.questions.includes(alone.split(/[\s;]/)[0] ?? '')) {
        await attempt(async () => run(typedRequest(alone)));
      } else {
        typed = await runWhole(`${typed}${line}\n`, runSql);
      }
      ask();
    }
    if (!terminal && typed !== '') await runSql(typed);
    if (!terminal && silent && !stopping.aborted) {
      throw new UsageError(
        'There is no query: the command line has none, and standard input is empty',
        'Write SQL or the name of a question (see query --list), or run query on a terminal.',
      );
    }
  } finally {
    stopping.removeEventListener('abort', close);
    closed(lines);
  }
}

/** Runs the complete statements; returns the beginning of the next one. */
async function runWhole(text: string, run: (sql: string) => Promise<void>): Promise<string> {
  const { statements, rest } = splitStatements(text);
  for (const statement of statements) await run(statement);
  return rest;
}

/** Commands of other prompts that people try first. None of these words begins a SQL statement. */
const otherWords: Readonly<Record<string, (typeof dotCommands)[number]>> = {
  help: '.help',
  '?': '.help',
  '\\?': '.help',
  '\\h': '.help',
  exit: '.quit',
  '.exit': '.quit',
  quit: '.quit',
  '\\q': '.quit',
};

/** The prompt's own command for a line that uses another name for it; otherwise the line unchanged. */
function commandIn(line: string): string {
  const [, word = '', name = ''] = /^(\S+?)(?:\s+([\w-]+))?\s*;?$/.exec(line.trim()) ?? [];
  const meant = Object.hasOwn(otherWords, word.toLowerCase()) ? otherWords[word.toLowerCase()] : undefined;
  if (meant === undefined || (name !== '' && meant !== '.help')) return line.trim();
  return name === '' ? meant : `${meant} ${name}`;
}

async function command(line: string, { output, tables, width, questionHelp }: PromptOptions): Promise<void> {
  const [word, name, more] = line.split(/\s+/);
  if (word === '.help' && name !== undefined && more === undefined && isName(name)) {
    output.write(await questionHelp(findQuestion(name)));
  } else if (line === '.help') output.write(help);
  else if (line === '.tables') output.write(`${[...tables.keys()].join('\n')}\n`);
  else if (line === '.questions') output.write(questionIndex(width()));
  else throw new UsageError(`There is no command ${line}`, `The commands are ${dotCommands.join(', ')}.`);
}

function closed(lines: Interface): void {
  lines.close();
}

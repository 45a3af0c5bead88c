/**
 * The prompt: statements over as many lines as they need, until `;`; questions by their names; a few commands with a
 * dot. Without a terminal, statements are read from the input one after another, and the first that fails is the end.
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
  /** Errors and remarks. */
  readonly errors: Writable;
  /** Whether a person types: editing, completion, history, and no end at the first error. */
  readonly terminal: boolean;
  /** Newest first. */
  readonly history: readonly string[];
  readonly onHistory: (lines: readonly string[]) => void;
  /** Tables and views, with their columns. */
  readonly tables: ReadonlyMap<string, readonly string[]>;
  readonly questions: readonly string[];
  /** Of the terminal; null where there is none. */
  readonly width: () => number | null;
  /** A question's whole text. */
  readonly questionHelp: (question: Question) => Promise<string>;
  /**
   * Runs one statement, and rejects when it cannot; aborted by Ctrl-C.
   * @param lend gives the terminal to another program, such as a pager, for as long as `use` takes
   */
  readonly run: (
    asked: QueryRequest,
    signal: AbortSignal,
    lend: (use: () => Promise<void>) => Promise<void>,
  ) => Promise<void>;
  /** Ends the prompt. */
  readonly stopping: AbortSignal;
}

const help = `Write SQL, over one line or many, and end it with ;
Or the name of a question, such as: failed-copies --days 7
  .tables      tables and views
  .questions   the questions, a line each
  .help NAME   how to read a question’s answer, its columns and parameters
  .help        this text; help and ? too
  .quit        leave; exit, quit, \\q and Ctrl-D too
Ctrl-C stops a query that runs, or drops what was typed. Tab completes.
`;

/** Resolves at the end of the input or with .quit; without a terminal, rejects with the first error, and when nothing was asked. */
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
    // Ctrl-U: what stands on the line is gone.
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
  // Else what is typed for the other program would be read here.
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
        'Nothing was asked: there is no SQL behind query, and none in its standard input',
        'Write SQL or the name of a question (query --list), or start it at a terminal.',
      );
    }
  } finally {
    stopping.removeEventListener('abort', close);
    closed(lines);
  }
}

/** Runs the statements that are whole; what is left is the beginning of the next. */
async function runWhole(text: string, run: (sql: string) => Promise<void>): Promise<string> {
  const { statements, rest } = splitStatements(text);
  for (const statement of statements) await run(statement);
  return rest;
}

/** What other prompts call their commands, and what a person tries first: words that begin no SQL. */
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

/** A line as a command of this prompt where it is one under another name; else as it is. */
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
  else throw new UsageError(`There is no command ${line}`, `There are ${dotCommands.join(', ')}.`);
}

function closed(lines: Interface): void {
  lines.close();
}

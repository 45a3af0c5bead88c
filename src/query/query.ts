/** The `query` job: runs one query, or opens the prompt. */
import type { Readable, Writable } from 'node:stream';
import wrapAnsi from 'wrap-ansi';
import { loadQuestions, loadViews } from '../questions/questions.ts';
import { ReportedError, UnavailableError, UsageError } from '../shared/errors.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import { columnsOf, type TerminalStream } from '../telemetry/screen.ts';
import { show } from './pager.ts';
import { runPrompt } from './prompt.ts';
import { historyFile, readHistory, writeHistory } from './prompt-history.ts';
import type { QuerySettings } from './query-settings.ts';
import { questionHelp } from './question-help.ts';
import type { TextOptions } from './result-formats.ts';
import { checkAlone, openSession, type Session, type SessionIo } from './session.ts';
import { answer, type Destination, type QueryRequest } from './write-result.ts';

/** What the job receives from the process. */
export interface QueryIo extends SessionIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: TerminalStream;
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @param asked null opens the prompt */
export async function runQuery(
  settings: QuerySettings,
  asked: QueryRequest | null,
  io: QueryIo,
): Promise<void> {
  const names = asked === null ? undefined : (await checkAlone(asked.sql)).names;
  const session = await openSession(settings, io, names).catch((error: unknown) => {
    throw io.signal.aborted && !(error instanceof ReportedError) ? interrupted(error) : error;
  });
  try {
    const limits = { timeoutMs: settings.timeoutMs, signal: io.signal };
    const options = textOptions(settings, io);
    if (asked === null) await prompt(session, settings, io);
    else {
      const shown = destination(settings, io, (text) => show(text, { ...io, signal: io.signal }));
      const rows = await answer(session, asked, shown, limits, options);
      if (rows === 0) await tellNoRows(session, asked, shown, io.note, limits.signal);
    }
  } finally {
    await session.close();
  }
  if (io.signal.aborted) throw interrupted();
}

function interrupted(cause?: unknown): UnavailableError {
  return new UnavailableError('The query was interrupted', 'Run it again.', { cause });
}

async function prompt(session: Session, settings: QuerySettings, io: QueryIo): Promise<void> {
  const terminal = io.stdin.isTTY === true && io.stdout.isTTY === true;
  const keeps = terminal && settings.history ? historyFile(io.env) : null;
  let history = keeps === null ? [] : await readHistory(keeps);
  const tables = await session.ask(null, io.signal, async ({ connection }) => {
    const reader = await connection.runAndReadAll(
      `SELECT table_name, list(column_name ORDER BY column_index) FROM duckdb_columns()
       WHERE NOT internal GROUP BY table_name ORDER BY table_name`,
    );
    return new Map(
      reader
        .getRowsJS()
        .map(([name, columns]) => [String(name), (Array.isArray(columns) ? columns : []).map(String)]),
    );
  });
  let answered = false;
  if (terminal)
    io.stdout.write(`${session.url}: end SQL with a semicolon; type help for help, exit to quit\n`);
  await runPrompt({
    input: io.stdin,
    output: io.stdout,
    errors: io.stderr,
    terminal,
    history,
    onHistory: (lines) => {
      history = [...lines];
    },
    tables,
    questions: loadQuestions().map(({ name }) => name),
    width: () => (terminal ? columnsOf(io.stdout) : null),
    questionHelp: (question) => questionHelp(question, Math.min(columnsOf(io.stdout), 100)),
    run: async (asked, signal, lend) => {
      if (answered && settings.outputFile !== null) {
        throw new UsageError(
          `${settings.outputFile} already contains the result of the previous query`,
          'Run one query with --output-file.',
        );
      }
      const shown = destination(settings, io, (text) => lend(() => show(text, { ...io, signal })));
      const limits = { timeoutMs: settings.timeoutMs, signal };
      const rows = await answer(session, asked, shown, limits, textOptions(settings, io));
      if (rows === 0) await tellNoRows(session, asked, shown, io.note, signal);
      answered = true;
    },
    stopping: io.signal,
  });
  if (keeps !== null && !(await writeHistory(keeps, history)))
    io.note(`the prompt’s history could not be saved in ${keeps}`);
}

/** For a result without rows, says how complete the lake is: nothing happened, or nobody could look. */
async function tellNoRows(
  session: Session,
  { sql }: QueryRequest,
  destination: Destination,
  note: (line: string) => void,
  signal: AbortSignal,
): Promise<void> {
  const say = (line: string) =>
    destination.kind === 'screen' ? destination.show(`${wrapAnsi(line, destination.width)}\n`) : note(line);
  const { names } = await checkAlone(sql);
  if (!lakeNames().some((name) => names.has(name))) return void (await say('no rows'));
  let coverage: string;
  try {
    coverage = await session.coverage(signal);
  } catch (error) {
    if (signal.aborted) throw error;
    coverage = `the lake’s coverage could not be read: ${error instanceof Error ? error.message : String(error)}`;
  }
  await say(`no rows; ${coverage}`);
}

function lakeNames(): readonly string[] {
  return [...lakeTables, ...loadViews()].map(({ name }) => name);
}

/** @param shows shows text on a terminal */
function destination(
  { format, outputFile }: QuerySettings,
  { stdout }: QueryIo,
  shows: (text: string) => Promise<void>,
): Destination {
  if (outputFile !== null) return { kind: 'file', path: outputFile, format: format ?? formatOf(outputFile) };
  const chosen = format ?? (stdout.isTTY === true ? 'table' : 'csv');
  if (chosen === 'parquet') throw new Error('settings let Parquet through without a file');
  if (chosen === 'table' && stdout.isTTY === true)
    return { kind: 'screen', show: shows, width: columnsOf(stdout) };
  return { kind: 'stream', stream: stdout, format: chosen };
}

/** By the file's extension; CSV for an unknown one. */
function formatOf(path: string): 'csv' | 'json' | 'parquet' {
  if (path.endsWith('.parquet')) return 'parquet';
  return path.endsWith('.json') ? 'json' : 'csv';
}

/** Looks up the width for every result, because a terminal may have been resized. */
function textOptions({ raw, wide }: QuerySettings, io: QueryIo): Omit<TextOptions, 'onEnd'> {
  const terminal = io.stdout.isTTY === true;
  return {
    raw,
    terminal,
    width: terminal && !wide ? columnsOf(io.stdout) : null,
    onCut: (shown) =>
      io.note(
        `only the first ${shown.toLocaleString('en-US')} rows are shown; --format csv, json or parquet writes all of them`,
      ),
  };
}

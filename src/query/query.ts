/** The job: one answer, or a prompt. */
import type { Readable, Writable } from 'node:stream';
import { ReportedError, UnavailableError, UsageError } from '../errors.ts';
import { loadQuestions } from '../questions/questions.ts';
import { type Asked, answer, type Destination } from './answer.ts';
import { historyFile, readHistory, writeHistory } from './history.ts';
import { runPrompt } from './prompt.ts';
import type { TextOptions } from './rows.ts';
import { checkAlone, openSession, type Session, type SessionIo } from './session.ts';
import type { QuerySettings } from './settings.ts';

/** What the job gets from its surroundings. */
export interface QueryIo extends SessionIo {
  readonly stdin: Readable & { readonly isTTY?: boolean };
  readonly stdout: Writable & { readonly isTTY?: boolean };
  readonly stderr: Writable;
  readonly env: Readonly<Record<string, string | undefined>>;
}

/** @param asked null: a prompt */
export async function runQuery(settings: QuerySettings, asked: Asked | null, io: QueryIo): Promise<void> {
  const names = asked === null ? undefined : (await checkAlone(asked.sql)).names;
  const session = await openSession(settings, io, names).catch((error: unknown) => {
    throw io.signal.aborted && !(error instanceof ReportedError) ? interrupted(error) : error;
  });
  try {
    const limits = { timeoutMs: settings.timeoutMs, signal: io.signal };
    const options = textOptions(settings, io);
    if (asked !== null) await answer(session, asked, destination(settings, io), limits, options);
    else await prompt(session, settings, io);
  } finally {
    await session.close();
  }
  if (io.signal.aborted) throw interrupted();
}

function interrupted(cause?: unknown): UnavailableError {
  return new UnavailableError('The program was interrupted', 'Start it again.', { cause });
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
  if (terminal) io.stdout.write(`${session.url}: SQL ends with ; and .help helps\n`);
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
    run: async (asked, signal) => {
      if (answered && settings.outputFile !== null) {
        throw new UsageError(
          `${settings.outputFile} holds the answer to what was asked before`,
          'Ask one thing where --output-file is given.',
        );
      }
      await answer(
        session,
        asked,
        destination(settings, io),
        { timeoutMs: settings.timeoutMs, signal },
        textOptions(settings, io),
      );
      answered = true;
    },
    stopping: io.signal,
  });
  if (keeps !== null && !(await writeHistory(keeps, history)))
    io.note(`what was typed could not be kept in ${keeps}`);
}

function destination({ format, outputFile }: QuerySettings, { stdout }: QueryIo): Destination {
  if (outputFile !== null) return { kind: 'file', path: outputFile, format: format ?? formatOf(outputFile) };
  const chosen = format ?? (stdout.isTTY === true ? 'table' : 'csv');
  if (chosen === 'parquet') throw new Error('settings let Parquet through without a file');
  return { kind: 'stream', stream: stdout, format: chosen };
}

/** By the file's ending; CSV when it says nothing. */
function formatOf(path: string): 'csv' | 'json' | 'parquet' {
  if (path.endsWith('.parquet')) return 'parquet';
  return path.endsWith('.json') ? 'json' : 'csv';
}

function textOptions({ raw }: QuerySettings, io: QueryIo): TextOptions {
  return {
    raw,
    terminal: io.stdout.isTTY === true,
    onCut: (shown) =>
      io.note(`only the first ${shown} rows are shown: --format csv, json or parquet gives all`),
  };
}

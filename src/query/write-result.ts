/** Runs one statement and writes its rows to a terminal, a stream or a file. */
import { randomUUID } from 'node:crypto';
import { once } from 'node:events';
import { createWriteStream } from 'node:fs';
import { copyFile, rename, rm, stat } from 'node:fs/promises';
import type { Writable } from 'node:stream';
import { finished } from 'node:stream/promises';
import { quoteText } from '../lake/engines/sql-text.ts';
import type { LookBack } from '../questions/question-sql.ts';
import { ScratchError, UsageError } from '../shared/errors.ts';
import { writeOut } from '../shared/standard-output.ts';
import { type QueryLimits, withinLimits } from './engine-limits.ts';
import { asText, rowsOf, type TextFormat, type TextOptions } from './result-formats.ts';
import type { Session } from './session.ts';
import { withoutLeadingComments } from './split-statements.ts';

export type Destination =
  /** A terminal: shows the whole result, in a pager if needed. */
  | { readonly kind: 'screen'; readonly show: (text: string) => Promise<void>; readonly width: number }
  | { readonly kind: 'stream'; readonly stream: Writable; readonly format: TextFormat }
  | { readonly kind: 'file'; readonly path: string; readonly format: TextFormat | 'parquet' };

/** A query: SQL, and how far back it reads. */
export interface QueryRequest {
  readonly sql: string;
  /** The question's; null for a person's own SQL. */
  readonly lookBack: LookBack | null;
}

/**
 * A file appears complete or not at all; a terminal shows nothing if there are no rows.
 * @returns the number of rows written; null if the reader closed the stream early
 */
export async function answer(
  session: Session,
  asked: QueryRequest,
  destination: Destination,
  limits: QueryLimits,
  options: Omit<TextOptions, 'onEnd'>,
): Promise<number | null> {
  let rows: number | null = null;
  const counting = {
    ...options,
    onEnd: (count: number) => {
      rows = count;
    },
  };
  if (destination.kind === 'screen') {
    const text: string[] = [];
    await writtenText(session, asked, 'table', limits, counting, async (piece) => text.push(piece) > 0);
    if (rows !== 0) await destination.show(text.join(''));
    return rows;
  }
  if (destination.kind === 'stream') {
    const { stream, format } = destination;
    await writtenText(session, asked, format, limits, counting, (piece) => writeOut(stream, piece));
    return rows;
  }
  const { path, format } = destination;
  const there = await stat(path).catch(() => null);
  if (there !== null && !there.isFile()) {
    // A rename would replace a device with a file; as root, even /dev/null.
    throw new UsageError(
      `--output-file ${path} exists and is not a regular file`,
      'Name a file, or remove the option to write to stdout.',
    );
  }
  const unfinished = `${path}.${randomUUID()}.tmp`;
  try {
    if (format === 'parquet') rows = await writeParquet(session, asked, limits, unfinished);
    else await writeText(session, asked, format, limits, counting, unfinished);
    await rename(unfinished, path);
    return rows;
  } catch (error) {
    await rm(unfinished, { force: true });
    if (!(error instanceof Error) || !('syscall' in error)) throw error;
    throw new ScratchError(
      `The result cannot be written to ${path} (${'code' in error ? String(error.code) : error.message})`,
      'Check that the folder exists, its permissions and free disk space.',
      { cause: error },
    );
  }
}

/** @param write writes a piece; returns false if the reader has closed the stream */
async function writtenText(
  session: Session,
  { sql, lookBack }: QueryRequest,
  format: TextFormat,
  limits: QueryLimits,
  options: TextOptions,
  write: (piece: string) => Promise<boolean>,
): Promise<void> {
  await session.ask(lookBack, limits.signal, async (reader, went) => {
    const statement = await reader.check(sql);
    await withinLimits(reader.connection, limits, async () => {
      const result = await reader.connection.stream(statement.sql);
      for await (const piece of asText(format, rowsOf(result), options)) {
        went();
        if (!(await write(piece))) return;
      }
    });
  });
}

async function writeText(
  session: Session,
  asked: QueryRequest,
  format: TextFormat,
  limits: QueryLimits,
  options: TextOptions,
  path: string,
): Promise<void> {
  const file = createWriteStream(path, { flags: 'wx' });
  await once(file, 'open');
  // `finished` throws later errors.
  file.on('error', () => undefined);
  const write = (text: string): Promise<boolean> =>
    new Promise((resolve) => {
      file.write(text, (error) => resolve(error === null || error === undefined));
    });
  try {
    const plain = { ...options, terminal: false, width: null };
    await writtenText(session, asked, format, limits, plain, write);
    file.end();
    await finished(file);
  } finally {
    file.destroy();
  }
}

async function writeParquet(
  session: Session,
  { sql, lookBack }: QueryRequest,
  limits: QueryLimits,
  path: string,
): Promise<number> {
  return await session.ask(lookBack, limits.signal, async (reader) => {
    const statement = await reader.check(sql);
    if (!statement.isQuery) {
      throw new UsageError('The result of EXPLAIN cannot be written as Parquet', 'Use another --format.');
    }
    // The statement was parsed by itself, so it cannot close this parenthesis. Its last line may be a comment.
    const rows = /^(?:desc|show|summarize)/i.test(withoutLeadingComments(statement.sql))
      ? `FROM (${statement.sql}\n)`
      : statement.sql;
    const copy = `COPY (${rows}\n) TO ${quoteText(reader.outputFile)} (FORMAT parquet, COMPRESSION zstd)`;
    const { rowsChanged } = await withinLimits(reader.connection, limits, () => reader.connection.run(copy));
    await copyFile(reader.outputFile, path);
    await rm(reader.outputFile, { force: true });
    return rowsChanged;
  });
}

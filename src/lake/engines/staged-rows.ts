/** Reads staged lines (staged-line.ts) as rows. */
import { EngineError } from '../../shared/errors.ts';
import type { Row, Table, Value } from '../../tables/table.ts';
import { bytesIn } from '../staged-files.ts';
import { stagedColumns } from '../staged-line.ts';

/** Rows have no nulls. @throws EngineError when a line has another number of values than the table has columns; ScratchError */
export async function* stagedRows(table: Table, file: string): AsyncGenerator<Row> {
  const columns = stagedColumns(table);
  for await (const values of linesOf(table, file)) {
    if (values.length !== columns.length) throw notOneOf(table);
    const row: Record<string, Value> = {};
    for (const [at, { name }] of columns.entries()) {
      const value = values[at] ?? null;
      if (value !== null) row[name] = value;
    }
    yield row;
  }
}

async function* linesOf(table: Table, file: string): AsyncGenerator<readonly Value[]> {
  let text = '';
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const bytes of bytesIn(file)) {
    text += decoder.decode(bytes, { stream: true });
    let at = 0;
    for (;;) {
      const line = lineAt(table, text, at);
      if (line === null) break;
      yield line.values;
      at = line.end;
    }
    text = text.slice(at);
  }
  if (text !== '') throw notOneOf(table);
}

interface Line {
  readonly values: readonly Value[];
  readonly end: number;
}

/** Null: it is not whole. */
function lineAt(table: Table, text: string, begin: number): Line | null {
  const values: Value[] = [];
  for (let at = begin; ; ) {
    const isQuoted = text[at] === '"';
    const end = isQuoted ? quotedEnd(text, at) : plainEnd(text, at);
    if (end === -1) return null;
    const value = text.slice(at, end);
    values.push(isQuoted ? value.slice(1, -1).replaceAll('""', '"') : plainValue(value));
    if (text[end] === '\n') return { values, end: end + 1 };
    if (text[end] !== ',') throw notOneOf(table);
    at = end + 1;
  }
}

/** -1: the text ends before, or there. */
function quotedEnd(text: string, begin: number): number {
  for (let at = begin + 1; ; at += 2) {
    at = text.indexOf('"', at);
    if (at === -1 || at + 1 === text.length) return -1;
    if (text[at + 1] !== '"') return at + 1;
  }
}

function plainEnd(text: string, begin: number): number {
  for (let at = begin; at < text.length; at += 1) if (text[at] === ',' || text[at] === '\n') return at;
  return -1;
}

function plainValue(text: string): Value {
  if (text === '') return null;
  if (text === 'true' || text === 'false') return text === 'true';
  return Number(text);
}

function notOneOf(table: Table): EngineError {
  return new EngineError(
    `A staged line is not a row of ${table.name}`,
    'Check whether somebody changed files in the scratch folder, then run again. If not, this is a bug: please report it.',
  );
}

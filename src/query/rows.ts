/** Rows of a result as the engine gives them, batch by batch, and as text in one of the formats for people and programs. */
import type { DuckDBResult, DuckDBType, DuckDBValue } from '@duckdb/node-api';
import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';
import { printable } from '../telemetry/printable.ts';
import { isNumber, jsonOf, textOf } from './values.ts';

export interface Rows {
  readonly columns: readonly { readonly name: string; readonly type: DuckDBType }[];
  readonly batches: AsyncIterable<readonly (readonly DuckDBValue[])[]>;
}

export type TextFormat = 'table' | 'csv' | 'json';

export interface TextOptions {
  /** Leave texts in CSV as they are. */
  readonly raw: boolean;
  /** What is written goes to a terminal. */
  readonly terminal: boolean;
  /** Told how many rows a table does not show. */
  readonly onCut: (shown: number) => void;
}

/** A table is laid out as a whole, so that it has to end somewhere. */
export const tableRows = 1000;
const cellLength = 120;

export function rowsOf(result: DuckDBResult): Rows {
  const names = result.deduplicatedColumnNames();
  return {
    columns: result.columnTypes().map((type, at) => ({ name: names[at] ?? '', type })),
    batches: result.yieldRows(),
  };
}

/** The result in pieces, each to be written as it is. */
export function asText(format: TextFormat, rows: Rows, options: TextOptions): AsyncIterable<string> {
  switch (format) {
    case 'table':
      return asTable(rows, options);
    case 'csv':
      return asCsv(rows, options);
    case 'json':
      return asJson(rows);
  }
}

async function* asTable({ columns, batches }: Rows, { onCut }: TextOptions): AsyncGenerator<string> {
  const table = new Table({
    head: columns.map(({ name }) => cell(name)),
    colAligns: columns.map(({ type }) => (isNumber(type) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  let cut = false;
  for await (const batch of batches) {
    const room = tableRows - table.length;
    for (const row of batch.slice(0, room)) table.push(row.map((value) => cell(textOf(value) ?? '')));
    cut = batch.length > room;
    if (cut) break;
  }
  yield `${table.toString()}\n`;
  if (cut) onCut(tableRows);
}

function cell(text: string): string {
  const characters = [...printable(text.slice(0, 4 * cellLength))];
  return characters.length > cellLength || text.length > 4 * cellLength
    ? `${characters.slice(0, cellLength - 1).join('')}…`
    : characters.join('');
}

async function* asCsv({ columns, batches }: Rows, { raw, terminal }: TextOptions): AsyncGenerator<string> {
  const text = (value: string): string => {
    if (raw) return value;
    const harmless = withoutFormula(value);
    return terminal ? printable(harmless) : harmless;
  };
  yield csvLines([columns.map(({ name }) => text(name))]);
  for await (const batch of batches) {
    yield csvLines(
      batch.map((row) =>
        row.map((value, at) => {
          const written = textOf(value);
          const type = columns[at]?.type;
          return written === null || (type !== undefined && isNumber(type)) ? written : text(written);
        }),
      ),
    );
  }
}

/**
 * A text that a spreadsheet would take for a formula, with an apostrophe before it, which spreadsheets take for "this
 * is text" (https://owasp.org/www-community/attacks/CSV_Injection; CWE-1236). Also the wide forms of East Asia.
 */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

/** RFC 4180 with line feeds. No value is an empty cell; an empty text is one in quotes. */
function csvLines(rows: readonly (readonly (string | null)[])[]): string {
  return stringify(
    // The package asks for arrays that it could write to; it does not.
    rows as (string | null)[][],
    { record_delimiter: 'unix', quoted_match: /^$|[\r\n]/ },
  );
}

async function* asJson({ columns, batches }: Rows): AsyncGenerator<string> {
  let before = '[';
  for await (const batch of batches) {
    let text = '';
    for (const row of batch) {
      const object = Object.fromEntries(columns.map(({ name }, at) => [name, jsonOf(row[at] ?? null)]));
      text += `${before}\n${escaped(JSON.stringify(object))}`;
      before = ',';
    }
    yield text;
  }
  yield before === '[' ? '[]\n' : '\n]\n';
}

/** The control characters that JSON allows in texts and a terminal obeys, as escapes of JSON: the same text. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

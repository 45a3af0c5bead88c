/** Writes the rows of a result as a table, CSV or JSON, batch by batch. */
import type { DuckDBResult, DuckDBValue } from '@duckdb/node-api';
import Table from 'cli-table3';
import { stringify } from 'csv-stringify/sync';
import wrapAnsi from 'wrap-ansi';
import { printable } from '../telemetry/printable.ts';
import { fitted } from './fit-to-width.ts';
import { cellOf, isInstant, type ResultColumn } from './terminal-cells.ts';
import { isNumber, jsonOf, textOf } from './value-text.ts';

export interface Rows {
  readonly columns: readonly ResultColumn[];
  readonly batches: AsyncIterable<readonly (readonly DuckDBValue[])[]>;
}

export type TextFormat = 'table' | 'csv' | 'json';

export interface TextOptions {
  /** Leave text in CSV unchanged. */
  readonly raw: boolean;
  /** The output goes to a terminal. */
  readonly terminal: boolean;
  /** The terminal's width, which a table is fitted to; null: as wide as its values. */
  readonly width: number | null;
  /** Called with the number of rows shown if a table is cut. */
  readonly onCut: (shown: number) => void;
  /** Called at the end with the number of rows written. */
  readonly onEnd: (rows: number) => void;
}

/** A table is laid out as a whole, so its number of rows has a limit. */
const tableRows = 1000;
const cellLength = 120;

export function rowsOf(result: DuckDBResult): Rows {
  const names = result.deduplicatedColumnNames();
  return {
    columns: result.columnTypes().map((type, at) => ({ name: names[at] ?? '', type })),
    batches: result.yieldRows(),
  };
}

/** The result in pieces, to be written one after another. */
export function asText(format: TextFormat, rows: Rows, options: TextOptions): AsyncIterable<string> {
  switch (format) {
    case 'table':
      return asTable(rows, options);
    case 'csv':
      return asCsv(rows, options);
    case 'json':
      return asJson(rows, options);
  }
}

async function* asTable(
  { columns, batches }: Rows,
  { width, onCut, onEnd }: TextOptions,
): AsyncGenerator<string> {
  const rows: (readonly DuckDBValue[])[] = [];
  let cut = false;
  for await (const batch of batches) {
    const room = tableRows - rows.length;
    rows.push(...batch.slice(0, room));
    cut = batch.length > room;
    if (cut) break;
  }
  yield width === null ? wholeTable(columns, rows) : fittedTable(columns, rows, width);
  if (cut) onCut(tableRows);
  onEnd(rows.length);
}

function wholeTable(columns: Rows['columns'], rows: readonly (readonly DuckDBValue[])[]): string {
  const table = new Table({
    head: columns.map(({ name }) => cell(name)),
    colAligns: columns.map(({ type }) => (isNumber(type) ? 'right' : 'left')),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map((value) => cell(textOf(value) ?? ''))));
  return `${table.toString()}\n`;
}

function fittedTable(
  columns: Rows['columns'],
  rows: readonly (readonly DuckDBValue[])[],
  width: number,
): string {
  const cells = rows.map((row) => columns.map((column, at) => cellOf(row[at] ?? null, column)));
  const shown = columns.map(({ name, type }) => ({
    name: printable(name),
    align: isNumber(type) ? ('right' as const) : ('left' as const),
    cuttable: !isNumber(type) && !isInstant(type),
  }));
  const { text, cut } = fitted(shown, cells, width);
  const counted = rows.length === 1 ? '1 row' : `${rows.length.toLocaleString('en-US')} rows`;
  const hint = cut ? '; values are cut to fit, --wide shows them in full' : '';
  return `${text}${wrapAnsi(counted + hint, width)}\n`;
}

function cell(text: string): string {
  const characters = [...printable(text.slice(0, 4 * cellLength))];
  return characters.length > cellLength || text.length > 4 * cellLength
    ? `${characters.slice(0, cellLength - 1).join('')}…`
    : characters.join('');
}

async function* asCsv(
  { columns, batches }: Rows,
  { raw, terminal, onEnd }: TextOptions,
): AsyncGenerator<string> {
  let count = 0;
  const text = (value: string): string => {
    const written = raw ? value : withoutFormula(value);
    return terminal ? printable(written) : written;
  };
  yield csvLines([columns.map(({ name }) => text(name))]);
  for await (const batch of batches) {
    count += batch.length;
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
  onEnd(count);
}

/**
 * Puts an apostrophe before text that a spreadsheet would run as a formula; spreadsheets then read it as text
 * (https://owasp.org/www-community/attacks/CSV_Injection; CWE-1236). Covers the full-width forms too.
 */
function withoutFormula(text: string): string {
  return /^[=+\-@\t\r\n\uff1d\uff0b\uff0d\uff20]/.test(text) ? `'${text}` : text;
}

/** RFC 4180 with line feeds. Null is an empty cell; empty text is a pair of quotes. */
function csvLines(rows: readonly (readonly (string | null)[])[]): string {
  return stringify(
    // Safe: the package's type wants mutable arrays, but it does not change them.
    rows as (string | null)[][],
    { record_delimiter: 'unix', quoted_match: /^$|[\r\n]/ },
  );
}

async function* asJson({ columns, batches }: Rows, { onEnd }: TextOptions): AsyncGenerator<string> {
  let before = '[';
  let count = 0;
  for await (const batch of batches) {
    count += batch.length;
    let text = '';
    for (const row of batch) {
      const object = Object.fromEntries(columns.map(({ name }, at) => [name, jsonOf(row[at] ?? null)]));
      text += `${before}\n${escaped(JSON.stringify(object))}`;
      before = ',';
    }
    yield text;
  }
  yield before === '[' ? '[]\n' : '\n]\n';
  onEnd(count);
}

/** Escapes control characters that JSON allows but a terminal would obey. The text stays the same. */
function escaped(json: string): string {
  return json.replace(
    /[\u007f-\u009f\u2028\u2029\u202a-\u202e\u2066-\u2069]/g,
    (found) => `\\u${(found.codePointAt(0) ?? 0).toString(16).padStart(4, '0')}`,
  );
}

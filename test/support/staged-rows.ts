/** Staged lines: read by other means than the program's, and written. */
import type { JobLinesOptions } from '../../src/lake/job-lines.ts';
import type { PartLines } from '../../src/lake/page-lines.ts';
import { lineOf, stagedColumns } from '../../src/lake/staged-line.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import type { Row, Table, Value } from '../../src/tables/table.ts';

/** The values of each line, as they stand there. @param bytes whole lines */
export function linesIn(bytes: Uint8Array): readonly (readonly string[])[] {
  const text = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  const lines: string[][] = [[]];
  let read = 0;
  for (const [whole, value = '', end] of text.matchAll(/("(?:[^"]|"")*"|[^",\n]*)([,\n])/gy)) {
    lines.at(-1)?.push(value);
    if (end === '\n') lines.push([]);
    read += whole.length;
  }
  if (read < text.length || lines.pop()?.length !== 0) throw new Error(`no whole lines: ${text}`);
  return lines;
}

/** The row of a line, without nulls. */
export function rowIn(table: Table, values: readonly string[]): Row {
  const columns = stagedColumns(table);
  if (values.length !== columns.length) throw new Error(`${values.length} values: ${values}`);
  return Object.fromEntries(
    columns
      .map(({ name }, at) => [name, valueIn(values[at] ?? '')] as const)
      .filter(([, value]) => value !== null),
  );
}

function valueIn(text: string): Value {
  if (text === '') return null;
  return text.startsWith('"') ? text.slice(1, -1).split('""').join('"') : JSON.parse(text);
}

export function rowsIn(table: Table, bytes: Uint8Array): readonly Row[] {
  return linesIn(bytes).map((values) => rowIn(table, values));
}

/** The copy jobs that were staged. */
export function stagedRows(parts: readonly PartLines[]): Row[] {
  return parts.flatMap(({ bytes }) => rowsIn(copyJobs, Buffer.concat(bytes)));
}

/** Rows as lines. */
export function linesOf(table: Table, rows: readonly Row[]): string {
  return rows.map((row) => `${lineOf(table, row).join('')}\n`).join('');
}

/** No job was seen on another day before. */
export const undated: JobLinesOptions['creationDates'] = {
  firstDate: (_bucket, _id, created) => created,
  isFirstDate: () => true,
  load: async () => undefined,
};

/**
 * Reads a query's file. The comment at its beginning describes the query:
 *
 *     -- title: one line
 *     -- about: a paragraph on how to read the result,
 *     --   which may go on in further lines
 *     -- parameter: days integer default 7 — what it means
 *     -- reads: every day; or, as here, a parameter's days before the newest run's: :days, or :days + 1
 *     -- column: bytes bytes 1024 — what it means, where it is computed: its name, unit (or -), an example
 */

export interface Parameter {
  /** Used after a colon in the SQL, and after `--` on the command line. */
  readonly name: string;
  readonly type: 'integer' | 'text';
  readonly default: string;
  readonly about: string;
}

/** How far back a question reads: every day, or a parameter's number of days (plus `more`) before the newest run. */
export type Reads = 'every day' | { readonly parameter: string; readonly more: number };

/** The description of a computed column. A column that is taken from a table is described there. */
export interface ComputedColumn {
  readonly name: string;
  /** '' if it has none. */
  readonly unit: string;
  readonly example: string;
  readonly about: string;
}

export interface QueryFile {
  readonly title: string;
  readonly about: string;
  readonly parameters: readonly Parameter[];
  readonly columns: readonly ComputedColumn[];
  /** Null if the file does not say. */
  readonly reads: Reads | null;
  /** One SELECT, without the leading comment and without a semicolon. */
  readonly sql: string;
}

/** @throws Error that names the file and what is wrong with it */
export function readQueryFile(name: string, text: string): QueryFile {
  const lines = text.split('\n');
  const end = lines.findIndex((line) => !line.startsWith('--'));
  const facts = factsOf(name, end === -1 ? lines : lines.slice(0, end));
  const one = (key: string): string => {
    const [value, second] = facts.filter(([found]) => found === key).map(([, said]) => said);
    if (value === undefined || second !== undefined) throw wrong(name, `needs exactly one “-- ${key}:”`);
    return value;
  };
  const sql = (end === -1 ? '' : lines.slice(end).join('\n')).trim();
  if (sql === '' || sql.includes(';')) throw wrong(name, 'needs one SELECT, without a semicolon');
  const parameters = facts.filter(([key]) => key === 'parameter').map(([, said]) => parameterOf(name, said));
  const columns = facts.filter(([key]) => key === 'column').map(([, said]) => columnOf(name, said));
  const reads = facts.some(([key]) => key === 'reads') ? readsOf(name, one('reads')) : null;
  return { title: one('title'), about: one('about'), parameters, columns, reads, sql };
}

function factsOf(name: string, lines: readonly string[]): (readonly [key: string, value: string])[] {
  const facts: [string, string][] = [];
  for (const line of lines) {
    const begun = /^-- (title|about|parameter|column|reads): (.+)$/.exec(line);
    const more = /^-- {3}(\S.*)$/.exec(line);
    const last = facts.at(-1);
    if (begun) facts.push([begun[1] ?? '', (begun[2] ?? '').trim()]);
    else if (more && last) last[1] += ` ${(more[1] ?? '').trim()}`;
    else throw wrong(name, `has an unknown line in its first comment: ${line}`);
  }
  return facts;
}

function parameterOf(file: string, text: string): Parameter {
  const match = /^([a-z][a-z0-9_]*) (integer|text) default (\S*) — (.+)$/.exec(text);
  const [, name, type, fallback, about] = match ?? [];
  if (name === undefined || fallback === undefined || about === undefined) {
    throw wrong(file, `has an invalid parameter line: ${text}`);
  }
  return { name, type: type === 'integer' ? 'integer' : 'text', default: fallback, about };
}

function columnOf(file: string, text: string): ComputedColumn {
  const match = /^([a-z][a-z0-9_]*) (\S+) (.+?) — (.+)$/.exec(text);
  const [, name, unit, example, about] = match ?? [];
  if (name === undefined || unit === undefined || example === undefined || about === undefined) {
    throw wrong(file, `has an invalid column line: ${text}`);
  }
  return { name, unit: unit === '-' ? '' : unit, example, about };
}

function readsOf(file: string, text: string): Reads {
  if (text === 'every day') return text;
  const [, parameter, more = '0'] = /^:([a-z][a-z0-9_]*)(?: \+ (\d+))?$/.exec(text) ?? [];
  if (parameter === undefined) throw wrong(file, `has an invalid reads line: ${text}`);
  return { parameter, more: Number(more) };
}

function wrong(file: string, what: string): Error {
  return new Error(`The query file ${file} ${what}. Correct the file.`);
}

/**
 * Which SQL may be asked: one statement that reads. The engine's own locks (no file but the lake's parts, no setting
 * can change) hold besides; but some of its table functions write files or turn logging on in spite of them, and
 * `..` in a path passes its check. So a statement is parsed by the engine, and its tree is gone through: only known
 * table functions, and no table by the name of a file.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteText } from '../lake/engines/sql-text.ts';
import { UsageError } from '../shared/errors.ts';
import { splitStatements, withoutLeadingComments } from './split-statements.ts';

export interface Statement {
  /** One statement, without a semicolon. */
  readonly sql: string;
  /** The names of tables and views in it, as written; names of its own CTEs among them. */
  readonly names: ReadonlySet<string>;
  /** Whether it is a query that can stand inside another: no EXPLAIN. */
  readonly isQuery: boolean;
}

/** Table functions that make rows of their arguments, or tell of the catalog. Everything else is refused. */
const allowedTableFunctions: ReadonlySet<string> = new Set([
  ...['range', 'generate_series', 'unnest', 'repeat', 'repeat_row', 'json_each', 'json_tree'],
  ...[
    'duckdb_columns',
    'duckdb_functions',
    'duckdb_keywords',
    'duckdb_tables',
    'duckdb_types',
    'duckdb_views',
  ],
  'pragma_table_info',
]);

const kinds = 'SELECT, WITH, FROM, VALUES, EXPLAIN, DESCRIBE, SHOW and SUMMARIZE';

/** @throws UsageError for what is no statement, more than one, or one that does more than read */
export async function checkStatement(connection: DuckDBConnection, text: string): Promise<Statement> {
  const { statements, rest } = splitStatements(text);
  const all = rest === '' ? statements : [...statements, rest.trim()];
  const [sql] = all;
  if (sql === undefined) throw new UsageError('There is no SQL in the query', `Write one of ${kinds}.`);
  if (all.length > 1) {
    throw new UsageError(`The query holds ${all.length} statements`, 'Ask one at a time.');
  }
  // What follows EXPLAIN has to be a query by itself: EXPLAIN ANALYZE runs it, whatever it is.
  const explain =
    /^explain\b(?:\s+(?<word>analyze)\b|\s*\(\s*(?:(?<first>analyze)\b|format\b)[^()]*\))?(?<query>[\s\S]+)$/i.exec(
      withoutLeadingComments(sql),
    );
  const query = explain?.groups?.query ?? sql;
  const tree = await parsed(connection, query);
  const names = new Set<string>();
  visit(tree, names);
  if (explain === null) return { sql: query, names, isQuery: true };
  const { word, first } = explain.groups ?? {};
  const analyze = word === undefined && first === undefined ? '' : 'ANALYZE ';
  return { sql: `EXPLAIN ${analyze}${query}`, names, isQuery: false };
}

/** The engine's own tree of a query; it makes one of nothing that does more than read. */
async function parsed(connection: DuckDBConnection, sql: string): Promise<unknown> {
  const reader = await connection.runAndReadAll(`SELECT json_serialize_sql(${quoteText(sql)})`);
  const [[text] = []] = reader.getRowsJS();
  const tree: unknown = JSON.parse(String(text));
  if (!isObject(tree)) throw new Error('the engine gave no tree of a statement');
  if (tree.error === true) {
    const message = String(tree.error_message);
    if (tree.error_type === 'parser') {
      throw new UsageError(
        `The query is not SQL that the engine understands: ${message}`,
        'Correct it; the dialect is DuckDB’s.',
      );
    }
    throw new UsageError(
      'The query is not one that is known to only read',
      `Write one of ${kinds}, without PIVOT. To keep the result, use --format and --output-file.`,
    );
  }
  if (!Array.isArray(tree.statements) || tree.statements.length !== 1) {
    throw new UsageError('The query does not hold exactly one statement', 'Ask one at a time.');
  }
  return tree.statements;
}

function visit(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, names);
    return;
  }
  if (!isObject(node)) return;
  if (node.type === 'TABLE_FUNCTION' && isObject(node.function)) {
    const name = String(node.function.function_name).toLowerCase();
    if (!allowedTableFunctions.has(name)) {
      throw new UsageError(
        `The query calls ${name}, which is not a function that queries may use`,
        'Read the tables copy_jobs, copy_job_summaries and export_coverage, and the views; files are not read by name.',
      );
    }
  }
  if (node.type === 'BASE_TABLE' || node.type === 'SHOW_REF') nameOf(node.table_name, names);
  for (const value of Object.values(node)) visit(value, names);
}

function nameOf(tableName: unknown, names: Set<string>): void {
  if (typeof tableName !== 'string' || tableName === '') return;
  if (/[./\\:*?[\]]/.test(tableName)) {
    throw new UsageError(
      `There is no table ${JSON.stringify(tableName)}`,
      'Read the tables copy_jobs, copy_job_summaries and export_coverage, and the views; files are not read by name.',
    );
  }
  names.add(tableName.replace(/^"(.*)"$/, '$1').toLowerCase());
}

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null;
}

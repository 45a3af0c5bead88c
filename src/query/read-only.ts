/**
 * Allows only a single SQL statement that reads. The engine is locked too (it opens only the lake's parts, and settings
 * cannot change), but some of its table functions write files or enable logging despite the lock, and `..` in a path
 * passes its check. So the engine parses the statement, and its tree may contain only known table functions and no table
 * that is named like a file.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { quoteText } from '../lake/engines/sql-text.ts';
import { UsageError } from '../shared/errors.ts';
import { isJsonObject } from '../shared/json-object.ts';
import { splitStatements, withoutLeadingComments } from './split-statements.ts';

export interface Statement {
  /** One statement, without a semicolon. */
  readonly sql: string;
  /** The names of its tables and views in lower case, including its own CTEs. */
  readonly names: ReadonlySet<string>;
  /** Whether it can be a subquery; EXPLAIN cannot. */
  readonly isQuery: boolean;
}

/** Table functions that make rows from their arguments or list the catalog. All others are refused. */
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

/** @throws UsageError unless the text is exactly one statement that only reads */
export async function checkStatement(connection: DuckDBConnection, text: string): Promise<Statement> {
  const { statements, rest } = splitStatements(text);
  const all = rest === '' ? statements : [...statements, rest.trim()];
  const [sql] = all;
  if (sql === undefined) throw new UsageError('The query is empty', `Begin it with one of ${kinds}.`);
  if (all.length > 1) {
    throw new UsageError(`The query has ${all.length} statements`, 'Run one at a time.');
  }
  // Check the statement after EXPLAIN by itself, because EXPLAIN ANALYZE runs it, whatever it is.
  const explain =
    // Options are words only: a quoted one could hold what the engine then reads as the end of the options.
    /^explain\b(?:\s+(?<word>analyze)\b|\s*\((?<options>\s*(?:analyze|format)\b[\w\s,]*)\))?(?<query>[\s\S]+)$/i.exec(
      withoutLeadingComments(sql),
    );
  const query = explain?.groups?.query ?? sql;
  const tree = await parsed(connection, query);
  const names = new Set<string>();
  visit(tree, names);
  if (explain === null) return { sql: query, names, isQuery: true };
  const { word, options } = explain.groups ?? {};
  const how = word === undefined ? (options === undefined ? '' : `(${options}) `) : 'ANALYZE ';
  return { sql: `EXPLAIN ${how}${query}`, names, isQuery: false };
}

/** The engine's syntax tree of a query. It makes none for a statement that does more than read. */
async function parsed(connection: DuckDBConnection, sql: string): Promise<unknown> {
  const reader = await connection.runAndReadAll(`SELECT json_serialize_sql(${quoteText(sql)})`);
  const [[text] = []] = reader.getRowsJS();
  const tree: unknown = JSON.parse(String(text));
  if (!isJsonObject(tree)) throw new Error('the engine gave no tree of a statement');
  if (tree.error === true) {
    const message = String(tree.error_message);
    if (tree.error_type === 'parser') {
      throw new UsageError(
        `The query has a syntax error: ${message}`,
        'Correct it; the SQL dialect is DuckDB’s.',
      );
    }
    throw new UsageError(
      'The query may do more than read, which is not allowed',
      `Begin it with one of ${kinds}, and do not use PIVOT. To save the result, use --format and --output-file.`,
    );
  }
  if (!Array.isArray(tree.statements) || tree.statements.length !== 1) {
    throw new UsageError('The query is not exactly one statement', 'Run one at a time.');
  }
  return tree.statements;
}

function visit(node: unknown, names: Set<string>): void {
  if (Array.isArray(node)) {
    for (const one of node) visit(one, names);
    return;
  }
  if (!isJsonObject(node)) return;
  if (node.type === 'TABLE_FUNCTION' && isJsonObject(node.function)) {
    const name = String(node.function.function_name).toLowerCase();
    if (!allowedTableFunctions.has(name)) {
      throw new UsageError(
        `The query calls ${name}, which queries must not use`,
        'Query the tables that docs/reference/tables.md lists, and the views; files cannot be read by name.',
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
      'Query the tables that docs/reference/tables.md lists, and the views; files cannot be read by name.',
    );
  }
  names.add(tableName.replace(/^"(.*)"$/, '$1').toLowerCase());
}

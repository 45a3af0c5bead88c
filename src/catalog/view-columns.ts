/** Finds the columns of views: their types, and the table column or expression that each comes from. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import type { Column, ColumnType, PartitionColumn, Table } from '../tables/table.ts';
import { trinoName } from './sql-literals.ts';
import type { View } from './statements.ts';

export interface ViewColumn {
  readonly name: string;
  /** As DuckDB names it. */
  readonly type: string;
  /** The table column that it shows, or of which it is the minimum or maximum; null: computed. */
  readonly source: { readonly table: string; readonly column: Column | PartitionColumn } | null;
  /** The SQL of a computed column; null for a column that is shown unchanged. */
  readonly expression: string | null;
}

const duckdbTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_MS',
};

/** The columns of every view, by view name. DuckDB parses the SQL and creates the views over empty tables. */
export async function viewColumns(
  tables: readonly Table[],
  views: readonly View[],
): Promise<ReadonlyMap<string, readonly ViewColumn[]>> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    for (const { name, columns, partitions } of tables) {
      const defined = [
        ...columns.map((column) => `${trinoName(column.name)} ${duckdbTypes[column.type]}`),
        ...partitions.map((column) => `${trinoName(column.name)} VARCHAR`),
      ];
      await connection.run(`CREATE TABLE ${name} (${defined.join(', ')})`);
    }
    const trees = new Map<string, Select>();
    const found = new Map<string, readonly ViewColumn[]>();
    for (const view of views) {
      await connection.run(`CREATE VIEW ${trinoName(view.name)} AS ${view.sql}`);
      trees.set(view.name, await parsed(connection, view.sql));
      found.set(view.name, await columnsOf(connection, view.name, tables, trees));
    }
    return found;
  } finally {
    instance.closeSync();
  }
}

async function columnsOf(
  connection: DuckDBConnection,
  view: string,
  tables: readonly Table[],
  trees: ReadonlyMap<string, Select>,
): Promise<readonly ViewColumn[]> {
  const described = await connection.runAndReadAll(`DESCRIBE ${trinoName(view)}`);
  const columns: ViewColumn[] = [];
  for (const { column_name: name, column_type: type } of described.getRowObjectsJS()) {
    const { source, node } = traced({ view }, String(name), tables, trees);
    const expression = node === null ? null : await textOf(connection, node);
    columns.push({ name: String(name), type: String(type), source, expression });
  }
  return columns;
}

/** The parts of DuckDB's serialized syntax tree (json_serialize_sql) that are used here. */
interface Select {
  readonly select_list: readonly Expression[];
  readonly from_table: From;
}
interface Expression {
  readonly class: string;
  readonly alias: string;
  readonly column_names?: readonly string[];
  readonly function_name?: string;
  readonly children?: readonly Expression[];
}
interface From {
  readonly type: string;
  readonly alias?: string;
  readonly table_name?: string;
  readonly subquery?: { readonly node: Select };
  /** Of a join. */
  readonly left?: From;
  readonly right?: From;
}

interface Traced {
  readonly source: ViewColumn['source'];
  /** The expression found on the way; null if the column is shown unchanged. */
  readonly node: Expression | null;
}

/**
 * Follows a column through views, subqueries and, if it is qualified, joins. It stops at a union or an expression.
 */
function traced(
  from: { readonly view: string } | { readonly select: Select },
  name: string,
  tables: readonly Table[],
  trees: ReadonlyMap<string, Select>,
): Traced {
  const select = 'select' in from ? from.select : trees.get(from.view);
  const item = select?.select_list?.find((one) => (one.alias || one.column_names?.at(-1)) === name);
  if (select === undefined || item === undefined) return { source: null, node: null };
  const isExtreme = ['min', 'max'].includes(item.function_name ?? '') && item.children?.length === 1;
  const reference = isExtreme ? item.children?.[0] : item;
  const below = reference?.class === 'COLUMN_REF' ? reference.column_names?.at(-1) : undefined;
  if (below === undefined) return { source: null, node: item };
  const relation = relationNamed(select.from_table, reference?.column_names?.at(-2));
  const found = lookup(relation, below, tables, trees);
  // If the column cannot be followed further, the expression here describes it best.
  const node = isExtreme || (found.source === null && found.node === null) ? item : found.node;
  return { source: found.source, node };
}

/** The side of a join that a column is qualified with; the relation itself if there is no join. */
function relationNamed(relation: From, name: string | undefined): From {
  const { left, right } = relation;
  if (left === undefined || right === undefined || name === undefined) return relation;
  const sides = [relationNamed(left, name), relationNamed(right, name)];
  return (
    sides.find((side) => side.left === undefined && (side.alias || side.table_name) === name) ?? relation
  );
}

function lookup(
  { type, table_name: relation, subquery }: From,
  name: string,
  tables: readonly Table[],
  trees: ReadonlyMap<string, Select>,
): Traced {
  if (type === 'SUBQUERY' && subquery !== undefined)
    return traced({ select: subquery.node }, name, tables, trees);
  if (type !== 'BASE_TABLE' || relation === undefined) return { source: null, node: null };
  const table = tables.find((one) => one.name === relation);
  const column = [...(table?.columns ?? []), ...(table?.partitions ?? [])].find((one) => one.name === name);
  if (table !== undefined && column !== undefined)
    return { source: { table: table.name, column }, node: null };
  return traced({ view: relation }, name, tables, trees);
}

/** Parses SQL. Removes positions, which are 2^64 − 1 when unknown: too large for a JavaScript number, and not needed. */
async function parsed(connection: DuckDBConnection, sql: string): Promise<Select> {
  const reader = await connection.runAndReadAll('SELECT json_serialize_sql($1::VARCHAR) AS tree', [sql]);
  const text = String(reader.getRowObjectsJS()[0]?.tree).replace(
    /"query_location":\d+/g,
    '"query_location":0',
  );
  // Safe: DuckDB's own function wrote it, and every field is checked before it is used.
  const tree = JSON.parse(text) as { readonly statements?: readonly { readonly node: Select }[] };
  const node = tree.statements?.[0]?.node;
  if (node === undefined) throw new Error(`DuckDB cannot parse: ${sql}`);
  return node;
}

async function textOf(connection: DuckDBConnection, expression: Expression): Promise<string> {
  const select = await parsed(connection, 'SELECT 1');
  const node = { ...select, select_list: [{ ...expression, alias: '' }] };
  const tree = JSON.stringify({ error: false, statements: [{ node, named_param_map: [] }] });
  const reader = await connection.runAndReadAll('SELECT json_deserialize_sql($1::JSON) AS text', [tree]);
  return String(reader.getRowObjectsJS()[0]?.text)
    .replace(/^SELECT /, '')
    .replaceAll(/count(_star)?\(\)/g, 'count(*)')
    .replace(/\s+/g, ' ');
}

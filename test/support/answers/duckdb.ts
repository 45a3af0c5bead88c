/** A lake with its views in DuckDB, made of the SQL files and nothing else of the program. */
import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { sqlTypes } from '../../../src/lake/engines/sql-text.ts';
import { loadViews } from '../../../src/questions/questions.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import type { Answer } from './facts.ts';

export interface Asked {
  readonly columns: readonly string[];
  /** As DuckDB names them. */
  readonly types: readonly string[];
  readonly rows: readonly Answer[];
}

/** Each with the column of the days that can be left out; what the runs say of themselves is always whole. */
const tables = {
  copy_jobs: 'creation_date',
  copy_job_summaries: 'start_date',
  export_coverage: null,
  export_reconciliation: 'run_date',
};
const emptyReconciliation = [
  ...exportReconciliation.columns.map(({ name, type }) => `${name} ${sqlTypes[type]}`),
  'run_date VARCHAR',
].join(', ');
/** Answers must not depend on the session's. */
const timeZone = 'Asia/Kathmandu';

export type InDuckDb = Awaited<ReturnType<typeof openInDuckDb>>;

/** @param from the first day that is there */
export async function openInDuckDb(lake: string, from = '0000-01-01') {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1', memory_limit: '1GB' });
  const connection = await instance.connect();
  await connection.run(`SET TimeZone = '${timeZone}'`).catch(() => undefined);
  for (const [table, day] of Object.entries(tables)) {
    // A lake in which nothing could be compared has none.
    if (table === exportReconciliation.name && !existsSync(join(lake, table))) {
      await connection.run(`CREATE TABLE ${table} (${emptyReconciliation})`);
      continue;
    }
    const glob = join(lake, table, '**', '*.parquet').replaceAll("'", "''");
    await connection.run(
      `CREATE TABLE ${table} AS SELECT * FROM read_parquet('${glob}', hive_partitioning = true, hive_types_autocast = false, union_by_name = true) WHERE ${day === null ? 'true' : `${day} >= '${from}'`}`,
    );
  }
  for (const { name, sql } of loadViews()) await connection.run(`CREATE VIEW ${name} AS ${sql}`);
  const connections = [connection];
  let kept: Promise<DuckDBConnection> | undefined;
  return {
    ask: (sql: string): Promise<Asked> => asked(connection, sql),
    /**
     * Asks the same lake with a table in place of each view, which has the rows that the view had. DuckDB puts the text of
     * every view into the plan of a question: that takes most of the time. Whoever asks here asks the views themselves too.
     */
    askTables: async (sql: string): Promise<Asked> => {
      kept ??= instance.connect().then(async (other) => {
        connections.push(other);
        await keepViews(other);
        return other;
      });
      return await asked(await kept, sql);
    },
    close: () => {
      for (const one of connections) one.closeSync();
      instance.closeSync();
    },
  };
}

/** Makes a table of each view, which this connection then finds in the view's place. */
async function keepViews(connection: DuckDBConnection): Promise<void> {
  await connection.run(`SET TimeZone = '${timeZone}'`).catch(() => undefined);
  await connection.run('CREATE SCHEMA kept');
  for (const { name } of loadViews()) {
    await connection.run(`CREATE TABLE kept.${name} AS SELECT * FROM main.${name}`);
  }
  await connection.run(`SET search_path = 'kept,main'`);
}

async function asked(connection: DuckDBConnection, sql: string): Promise<Asked> {
  const result = await connection.runAndReadAll(sql);
  const columns = result.columnNames();
  const rows = result
    .getRows()
    .map((row) => Object.fromEntries(row.map((value, index) => [columns[index] ?? '', plain(value)])));
  return { columns, types: result.columnTypes().map(String), rows };
}

/** Times become milliseconds since the epoch, decimals become text. */
function plain(value: unknown): string | number | boolean | null {
  if (value === null || typeof value === 'string' || typeof value === 'boolean') return value;
  if (typeof value === 'number') return value;
  if (typeof value === 'bigint' && BigInt(Number(value)) === value) return Number(value);
  if (typeof value === 'object') {
    if ('milliseconds' in value) return Number(value.milliseconds);
    if ('micros' in value && Number(value.micros) % 1000 === 0) return Number(value.micros) / 1000;
    if ('scale' in value && value.scale === 0) return String(value);
  }
  throw new Error(`no answer may hold a ${typeof value}: ${String(value)}`);
}

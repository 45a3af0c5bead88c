/** A lake in DuckDB's memory: every table and view, without a row until some are added. */
import { DuckDBInstance } from '@duckdb/node-api';
import { loadViews } from '../../src/questions/questions.ts';
import { copyJobSummaries } from '../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../src/tables/export-reconciliation.ts';
import type { ColumnType } from '../../src/tables/table.ts';

const sqlTypes: Readonly<Record<ColumnType, string>> = {
  text: 'VARCHAR',
  bigint: 'BIGINT',
  boolean: 'BOOLEAN',
  timestamp: 'TIMESTAMP_MS',
};

export interface MemoryLake {
  /** The names and QuickSight's types of a query's columns, in order. */
  columnsOf(sql: string): Promise<ReadonlyMap<string, string>>;
  /** @param row its columns in SQL; those that are not said are null */
  add(table: string, row: Readonly<Record<string, string>>): Promise<void>;
  /** The rows, their values as text. */
  rowsOf(sql: string): Promise<readonly (readonly (string | null)[])[]>;
  /** The first column of the first row, as text. */
  valueOf(sql: string): Promise<string>;
  close(): void;
}

/** @param database the schema to put tables and views in */
export async function openMemoryLake(database: string): Promise<MemoryLake> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  await connection.run(`CREATE SCHEMA "${database}"`);
  await connection.run(`USE "${database}"`);
  for (const { name, columns, partitions } of [
    copyJobs,
    copyJobSummaries,
    exportCoverage,
    exportReconciliation,
  ]) {
    const all = [
      ...columns.map((column) => `"${column.name}" ${sqlTypes[column.type]}`),
      ...partitions.map((partition) => `"${partition.name}" VARCHAR`),
    ];
    await connection.run(`CREATE TABLE "${name}" (${all.join(', ')})`);
  }
  for (const { name, sql } of loadViews()) await connection.run(`CREATE VIEW "${name}" AS ${sql}`);
  return {
    columnsOf: async (sql) => {
      const rows = (await connection.runAndReadAll(`DESCRIBE ${sql}`)).getRows();
      return new Map(rows.map(([name, type]) => [String(name), quickSightType(String(type))]));
    },
    add: async (table, row) => {
      const columns = Object.keys(row).join('", "');
      await connection.run(`INSERT INTO "${table}" ("${columns}") VALUES (${Object.values(row).join(', ')})`);
    },
    rowsOf: async (sql) => {
      const rows = (await connection.runAndReadAll(sql)).getRows();
      return rows.map((row) => row.map((value) => (value === null ? null : String(value))));
    },
    valueOf: async (sql) => String((await connection.runAndReadAll(sql)).getRows()[0]?.[0]),
    close: () => {
      connection.closeSync();
      instance.closeSync();
    },
  };
}

/**
 * Athena's bigint, double, date, … as QuickSight has them; a sum of bigints is a hugeint in DuckDB only.
 * https://docs.aws.amazon.com/quicksight/latest/user/supported-data-types-and-values.html
 */
function quickSightType(type: string): string {
  if (type === 'VARCHAR') return 'STRING';
  if (type === 'BOOLEAN') return 'BOOLEAN';
  if (/^(BIGINT|INTEGER|HUGEINT)$/.test(type)) return 'INTEGER';
  if (/^(DOUBLE|DECIMAL.*)$/.test(type)) return 'DECIMAL';
  if (/^(DATE|TIMESTAMP(_MS)?)$/.test(type)) return 'DATETIME';
  return `unknown: ${type}`;
}

import type { DuckDBConnection } from '@duckdb/node-api';

/** Runs a query of DuckDB and returns all its rows. */
export async function rowsOf(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly (readonly unknown[])[]> {
  return (await connection.runAndReadAll(sql)).getRows();
}

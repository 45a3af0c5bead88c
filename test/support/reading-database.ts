/** One DuckDB for all that the tests of a process read: to start one takes as long as to read a small part. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';

let database: Promise<DuckDBInstance> | undefined;

/** A connection of its own, to be closed. Nothing of a file that was read is kept: tests replace files. */
export async function connectToRead(): Promise<DuckDBConnection> {
  database ??= DuckDBInstance.create(':memory:', { threads: '1', enable_external_file_cache: 'false' });
  return await (await database).connect();
}

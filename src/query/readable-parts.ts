/** For a report that must say what it can of a damaged lake: finds the parts that can be read, and names the others. */
import type { DuckDBConnection } from '@duckdb/node-api';
import type { Table } from '../tables/table.ts';
import { isOutOfResources } from './engine-errors.ts';
import type { Part } from './lake-parts.ts';
import { type CheckedLake, checkParts } from './part-check.ts';
import { tableSql } from './table-view.ts';
import type { UnreadObjects } from './unread-objects.ts';

export interface ReadableParts {
  readonly lake: CheckedLake;
  /** Whether every page is decoded, and not only the footer. Slow: only after a query has failed. */
  readonly pages: boolean;
  readonly unread: UnreadObjects;
}

/** Those of a table's parts that can be read and belong to their keys. Halves the list until what is wrong stands alone. */
export async function readableParts(
  connection: DuckDBConnection,
  table: Table,
  parts: readonly Part[],
  options: ReadableParts,
): Promise<readonly Part[]> {
  try {
    const sql = await tableSql(connection, table, parts);
    await checkParts(connection, table, parts, options.lake);
    if (options.pages) await connection.run(`SELECT max(hash(one_row)) FROM (${sql}) AS one_row`);
    return parts;
  } catch (error) {
    if (isOutOfResources(error)) throw error;
    const [first] = parts;
    if (first === undefined) throw error;
    if (parts.length === 1) {
      options.unread.add(first.key, error);
      return [];
    }
    const half = Math.ceil(parts.length / 2);
    return [
      ...(await readableParts(connection, table, parts.slice(0, half), options)),
      ...(await readableParts(connection, table, parts.slice(half), options)),
    ];
  }
}

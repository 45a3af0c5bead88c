/** The parts of one partition, divided anew among buckets. Every row stays as it is, in DuckDB's SQL. */
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import { EngineError } from '../../shared/errors.ts';
import type { Table } from '../../tables/table.ts';
import { bucketOf } from '../layout.ts';
import { placementMetadata } from '../part-placement.ts';
import { rowsOf } from './duckdb-rows.ts';
import { copySql, existingSql, partSql, readPartSql } from './merge-sql.ts';
import { quoteText } from './sql-text.ts';

export interface SplitRequest {
  readonly table: Table;
  readonly partition: Readonly<Record<string, string>>;
  /** The present parts as local files, by their buckets. */
  readonly existing: ReadonlyMap<number, string>;
  readonly from: number;
  readonly to: number;
  /** The file for a new part; for a joined one, of the new part and the present one of the same bucket. */
  readonly output: (bucket: number, kind: 'new' | 'joined') => string;
  readonly metadata: Readonly<Record<string, string>>;
  readonly memoryLimitBytes: number;
  /** For what does not fit into memory. */
  readonly spill: string;
}

export interface SplitPart {
  readonly bucket: number;
  readonly rows: number;
}

export interface Split {
  /** Buckets without rows have no part. */
  readonly parts: readonly SplitPart[];
  /** Those that have neither all rows of their present part nor only rows of it. */
  readonly joined: readonly SplitPart[];
  readonly rows: number;
}

/** @throws EngineError when a part cannot be read, or has rows of another bucket */
export async function splitParts(request: SplitRequest): Promise<Split> {
  const instance = await DuckDBInstance.create(':memory:', {
    threads: '1',
    temp_directory: request.spill,
    preserve_insertion_order: 'false',
    autoinstall_known_extensions: 'false',
    autoload_known_extensions: 'false',
    allow_community_extensions: 'false',
  });
  try {
    return await split(await instance.connect(), request);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      `The parts of ${request.table.name} cannot be divided: ${error instanceof Error ? error.message : String(error)}`,
      'If the message names memory, raise --memory-limit or --scratch-limit. Nothing was changed in the tables.',
      { cause: error },
    );
  } finally {
    instance.closeSync();
  }
}

async function split(connection: DuckDBConnection, request: SplitRequest): Promise<Split> {
  const { table, partition, existing, from, to, output, metadata, memoryLimitBytes } = request;
  await connection.run("SET TimeZone = 'UTC'");
  await connection.run(`SET memory_limit = '${memoryLimitBytes}B'`);
  let isFirst = true;
  for (const [bucket, file] of existing) {
    const columns = await rowsOf(connection, `DESCRIBE SELECT * FROM ${readPartSql(file)}`);
    const present = new Map(columns.map(([name, type]) => [String(name), String(type)]));
    await connection.run(existingSql(table, file, present));
    const rows = `SELECT *, ${bucket} AS present_bucket FROM existing`;
    await connection.run(isFirst ? `CREATE TEMP TABLE present AS ${rows}` : `INSERT INTO present ${rows}`);
    await connection.run('DROP VIEW existing');
    isFirst = false;
  }
  if (isFirst) return { parts: [], joined: [], rows: 0 };
  const owners = await rowsOf(connection, 'SELECT DISTINCT account_id, present_bucket FROM present');
  for (const [account, bucket] of owners) {
    if (account === null || bucketOf(String(account), from) !== Number(bucket)) {
      throw new EngineError(
        `A part of ${table.name} in bucket ${String(bucket)} has rows of account ${String(account)}, which belong to another bucket`,
        'Run verify, and restore the part (docs/recovery.md). Nothing was changed in the tables.',
      );
    }
  }
  await connection.run('CREATE TEMP TABLE owners (account_id VARCHAR, new_bucket INTEGER)');
  const accounts = [...new Set(owners.map(([account]) => String(account)))];
  for (const account of accounts) {
    await connection.run(`INSERT INTO owners VALUES (${quoteText(account)}, ${bucketOf(account, to)})`);
  }
  const columns = 'present.* EXCLUDE (present_bucket)';
  // What the SQL of a merge reads: kept rows, and no others.
  await connection.run(`CREATE TEMP VIEW merged AS SELECT ${columns} FROM present WHERE false`);
  await connection.run(
    `CREATE TEMP VIEW verdicts AS SELECT ${columns}, 'unchanged' AS verdict FROM present WHERE false`,
  );
  const write = async (bucket: number, kind: 'new' | 'joined', where: string): Promise<SplitPart> => {
    await connection.run(
      `CREATE OR REPLACE TEMP VIEW kept AS SELECT ${columns} FROM present JOIN owners USING (account_id) WHERE ${where}`,
    );
    const placement = placementMetadata(table, partition, { bucket, buckets: to });
    const sql = copySql(partSql(table, partition), output(bucket, kind), { ...metadata, ...placement });
    return { bucket, rows: Number((await rowsOf(connection, sql))[0]?.[0]) };
  };
  const parts: SplitPart[] = [];
  const joined: SplitPart[] = [];
  for (let bucket = 0; bucket < to; bucket += 1) {
    if (!accounts.some((account) => bucketOf(account, to) === bucket)) continue;
    parts.push(await write(bucket, 'new', `new_bucket = ${bucket}`));
    if (!existing.has(bucket) || from % to === 0 || to % from === 0) continue;
    joined.push(await write(bucket, 'joined', `new_bucket = ${bucket} OR present_bucket = ${bucket}`));
  }
  const [[all] = []] = await rowsOf(connection, 'SELECT count(*) FROM present');
  const rows = Number(all);
  const written = parts.reduce((sum, part) => sum + part.rows, 0);
  if (written !== rows) {
    throw new EngineError(
      `${rows} rows of ${table.name} became ${written} when they were divided`,
      'This is a bug in the program: please report it. Nothing was changed in the tables.',
    );
  }
  return { parts, joined, rows };
}

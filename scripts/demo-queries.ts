/** What the demo asks of the lake, with the DuckDB that anyone could point at it. */
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import Table from 'cli-table3';

function quoted(text: string): string {
  return `'${text.replaceAll("'", "''")}'`;
}

function parts(lake: string, table: string): string {
  return `read_parquet(${quoted(join(lake, table, '**', '*.parquet'))}, hive_partitioning = true, hive_types_autocast = false, union_by_name = true)`;
}

async function withDuckDB<T>(use: (connection: DuckDBConnection) => Promise<T>): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { memory_limit: '512MB', threads: '2' });
  const connection = await instance.connect();
  try {
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Prints a few questions and their answers. */
export async function show(lake: string, print: (text: string) => void): Promise<void> {
  const jobs = parts(lake, 'copy_jobs');
  const questions: readonly (readonly [string, string])[] = [
    [
      'Jobs by state',
      `SELECT state, count(*) AS jobs, min(creation_date) AS first_day, max(creation_date) AS last_day
       FROM ${jobs} GROUP BY state ORDER BY jobs DESC`,
    ],
    [
      'Copies that failed, by reason',
      `SELECT message_category, count(*) AS jobs, count(DISTINCT account_id) AS accounts
       FROM ${jobs} WHERE state = 'FAILED' GROUP BY message_category ORDER BY jobs DESC LIMIT 5`,
    ],
    [
      'Where copies go',
      `SELECT is_cross_account, is_cross_region, count(*) AS jobs,
              round(sum(backup_size_in_bytes) / 1e12, 1) AS terabytes
       FROM ${jobs} GROUP BY ALL ORDER BY jobs DESC`,
    ],
    [
      'What the run says about itself',
      `SELECT table_name, status, count(*) AS targets FROM ${parts(lake, 'export_coverage')}
       GROUP BY ALL ORDER BY ALL`,
    ],
  ];
  await withDuckDB(async (connection) => {
    for (const [title, sql] of questions) {
      const reader = await connection.runAndReadAll(sql);
      const table = new Table({ head: reader.columnNames(), style: { head: [], border: [], compact: true } });
      table.push(...reader.getRows().map((row) => row.map((value) => String(value))));
      print(`${title}\n${table.toString()}\n`);
    }
  });
}

/** Every job id, and every daily count, of the lake against the truth file; the number of differences. */
export async function compareWithTruth(
  lake: string,
  truth: string,
  print: (text: string) => void,
): Promise<number> {
  const served = (table: string, columns: string): string =>
    `SELECT ${columns} FROM read_ndjson(${quoted(truth)}, columns = {"table": 'VARCHAR', region: 'VARCHAR',
       account_id: 'VARCHAR', aggregation_period: 'VARCHAR', record: 'JSON'}) WHERE "table" = ${quoted(table)}`;
  const comparisons: readonly (readonly [string, string, string])[] = [
    [
      'copy jobs, by id',
      `SELECT copy_job_id AS one FROM ${parts(lake, 'copy_jobs')}`,
      `SELECT DISTINCT one FROM (${served('copy_jobs', `record->>'CopyJobId' AS one`)})`,
    ],
    [
      'daily counts, by account, region, state, resource type, category, day and number',
      `SELECT concat_ws('|', account_id, region, state, resource_type, message_category,
                        epoch_ms(start_time) // 1000, job_count) AS one
       FROM ${parts(lake, 'copy_job_summaries')}`,
      `SELECT one FROM (${served(
        'copy_job_summaries',
        `concat_ws('|', coalesce(record->>'AccountId', account_id), coalesce(record->>'Region', region),
           record->>'State', record->>'ResourceType', record->>'MessageCategory',
           CAST((record->>'StartTime')::DOUBLE AS BIGINT), record->>'Count') AS one`,
      )} AND aggregation_period = 'ONE_DAY')`,
    ],
  ];
  return withDuckDB(async (connection) => {
    let differences = 0;
    for (const [title, ours, theirs] of comparisons) {
      const reader = await connection.runAndReadAll(
        `WITH ours AS (${ours}), theirs AS (${theirs})
         SELECT (SELECT count(*) FROM ours), (SELECT count(*) FROM theirs),
                (SELECT count(*) FROM (FROM theirs EXCEPT ALL FROM ours)),
                (SELECT count(*) FROM (FROM ours EXCEPT ALL FROM theirs))`,
      );
      const [inLake = 0, inTruth = 0, missing = 0, surplus = 0] = (reader.getRows()[0] ?? []).map(Number);
      print(
        `${title}: ${inLake.toLocaleString('en-US')} in the lake, ${inTruth.toLocaleString('en-US')} served, ` +
          `${missing} missing, ${surplus} too many`,
      );
      differences += missing + surplus;
    }
    return differences;
  });
}

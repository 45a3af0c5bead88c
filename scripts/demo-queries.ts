/** The demo's queries over the lake, run with plain DuckDB. */
import { join } from 'node:path';
import { type DuckDBConnection, DuckDBInstance } from '@duckdb/node-api';
import Table from 'cli-table3';
import { copyJobSummaries } from '../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../src/tables/copy-jobs.ts';
import type { Column } from '../src/tables/table.ts';

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

/** Runs a few queries and prints their results. */
export async function show(lake: string, print: (text: string) => void): Promise<void> {
  const jobs = parts(lake, 'copy_jobs');
  const questions: readonly (readonly [string, string])[] = [
    [
      'Jobs by state',
      `SELECT state, count(*) AS jobs, min(creation_date) AS first_day, max(creation_date) AS last_day
       FROM ${jobs} GROUP BY state ORDER BY jobs DESC`,
    ],
    [
      'Failed copies by reason',
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
      'Coverage of the run',
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

/** SQL for a column as text, in the lake and in the record that was served: equal text means equal values. */
function bothSides({
  name,
  type,
  origin,
}: Column): { readonly lake: string; readonly served: string } | null {
  if (origin.kind !== 'api') return null;
  const lake = `"${name}"`;
  const served = `fields[${quoted(origin.field)}]`;
  // Some records have no account: then it is the source vault's, or the one that was queried.
  const vault = `nullif(split_part(fields['SourceBackupVaultArn'], ':', 5), '')`;
  if (name === 'account_id') return { lake, served: `coalesce(${served}, ${vault}, account_id)` };
  if (name === 'region') return { lake, served: `coalesce(${served}, region)` };
  // Maps are unordered.
  const entries = (json: string): string =>
    `list_sort(map_entries((${json})::JSON::MAP(VARCHAR, BIGINT)))::VARCHAR`;
  if (name === 'child_jobs_in_state') return { lake: entries(lake), served: entries(served) };
  if (type === 'timestamp') {
    return {
      lake: `epoch_ms(${lake})::VARCHAR`,
      served: `round((${served})::DOUBLE * 1000)::BIGINT::VARCHAR`,
    };
  }
  return { lake: `${lake}::VARCHAR`, served };
}

/** Compares every job and daily count in the lake with the truth file, in every column from AWS; returns the differences. */
export async function compareWithTruth(
  lake: string,
  truth: string,
  print: (text: string) => void,
): Promise<number> {
  const comparisons = [
    { title: 'copy jobs', table: copyJobs, which: 'true' },
    { title: 'daily counts', table: copyJobSummaries, which: `aggregation_period = 'ONE_DAY'` },
  ].map(({ title, table, which }) => {
    const columns = table.columns.flatMap((column) => bothSides(column) ?? []);
    const names = table.columns.flatMap(({ origin }) => (origin.kind === 'api' ? [origin.field] : []));
    // Compares digests, because millions of rows of text would need too much memory.
    const digest = (side: 'lake' | 'served'): string =>
      `md5(to_json([${columns.map((column) => column[side]).join(', ')}])::VARCHAR)`;
    // All fields in one call, because each call of a JSON function allocates its own memory.
    const paths = names.map((name) => quoted(`$.${name}`)).join(', ');
    const fields = `map([${names.map(quoted).join(', ')}], json_extract_string(record, [${paths}]))`;
    // Both accounts may list a cross-account copy, but it is one job.
    const served = `SELECT DISTINCT ${digest('served')} AS one FROM (
       SELECT account_id, region, ${fields} AS fields FROM read_ndjson(${quoted(truth)},
         columns = {"table": 'VARCHAR', region: 'VARCHAR', account_id: 'VARCHAR', aggregation_period: 'VARCHAR',
                    record: 'JSON'}) WHERE "table" = ${quoted(table.name)} AND ${which})`;
    return [
      `${title}, in all ${columns.length} columns from AWS`,
      `SELECT ${digest('lake')} AS one FROM ${parts(lake, table.name)}`,
      served,
    ] as const;
  });
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
          `${missing} missing or different, ${surplus} unexpected or different`,
      );
      differences += missing + surplus;
    }
    return differences;
  });
}

/**
 * What the coverage of all runs says about each table, account and region. The engine sums it up, so that memory grows
 * with the number of targets, not with the number of nights. The view lost_intervals reads the same rows the same way.
 */
import type { DuckDBConnection } from '@duckdb/node-api';
import { watermarkName } from '../ledger/watermarks.ts';
import type { DrainedTable } from '../tables/table.ts';
import type { Interval } from './intervals.ts';

/** How an attempt ended: a status of the coverage, or UNFINISHED where the run died before it wrote one. */
export interface Attempt {
  readonly runId: string;
  readonly asOf: number;
  readonly status: string;
  readonly errorName: string | null;
  readonly errorMessage: string | null;
}

/** One table of one target. Times in milliseconds since the epoch. */
export interface DrainFacts {
  readonly table: DrainedTable;
  readonly accountId: string;
  readonly region: string;
  /** The first and the latest run that planned it. */
  readonly firstAsked: number;
  readonly lastAsked: number;
  /** The latest run that read it well. */
  readonly lastGood: number | null;
  /** The first run after that which did not; null: the latest did, or had nothing to ask. */
  readonly failingSince: number | null;
  /** The latest attempt; runs whose window was empty (--until) do not count, unless there is no other. */
  readonly last: Attempt;
  /** Creation times that good drains prove, and times between two runs that found the region disabled. */
  readonly proven: readonly Interval[];
}

/** One run, as far as its coverage is written. */
export interface EndedRun {
  readonly runId: string;
  readonly asOf: number;
  /** By table: what the run took AWS to have deleted. */
  readonly rememberedFrom: Readonly<Partial<Record<DrainedTable, number>>>;
}

export interface CoverageFacts {
  readonly drains: readonly DrainFacts[];
  /** Ascending by as-of. */
  readonly runs: readonly EndedRun[];
  /** The newest name of each account. */
  readonly accountNames: ReadonlyMap<string, string>;
}

/** Rows of versions without remembered_from: 30 days for jobs, 14 for counts, as in the view lost_intervals. */
const asked = `
  SELECT
    table_name, account_id, region, account_name, run_id, as_of, status, error_name, error_message,
    coalesce(remembered_from, as_of - CASE WHEN table_name = 'copy_job_summaries' THEN INTERVAL 14 DAY ELSE INTERVAL 30 DAY END)
      AS remembered_from,
    window_from,
    coalesce(window_to, as_of) AS read_to,
    status IN ('OK', 'OK_EMPTY') AS is_good,
    status = 'REGION_DISABLED' AS is_disabled,
    coalesce(status = 'SKIPPED' AND error_name = 'EmptyWindow', false) AS had_nothing_to_ask
  FROM export_coverage
  WHERE table_name IN ('copy_jobs', 'copy_job_summaries')
    AND account_id IS NOT NULL AND region IS NOT NULL AND status IS NOT NULL AND run_id IS NOT NULL
    AND as_of <= make_timestamp_ms(CAST($now AS BIGINT))`;

const drainsSql = `
WITH asked AS (${asked}),
good AS (
  SELECT table_name, account_id, region, max(as_of) AS last_good
  FROM asked WHERE is_good GROUP BY ALL
),
spans AS (
  SELECT
    asked.table_name, asked.account_id, asked.region,
    epoch_ms(min(asked.as_of)) AS first_asked,
    epoch_ms(max(asked.as_of)) AS last_asked,
    epoch_ms(max(good.last_good)) AS last_good,
    epoch_ms(min(asked.as_of) FILTER (
      NOT asked.had_nothing_to_ask AND (good.last_good IS NULL OR asked.as_of > good.last_good))) AS failing_since
  FROM asked LEFT JOIN good USING (table_name, account_id, region)
  GROUP BY asked.table_name, asked.account_id, asked.region
),
latest AS (
  SELECT table_name, account_id, region, run_id, epoch_ms(as_of) AS as_of, status, error_name, error_message
  FROM asked
  QUALIFY row_number() OVER (
    PARTITION BY table_name, account_id, region ORDER BY had_nothing_to_ask, as_of DESC, run_id DESC) = 1
)
SELECT * FROM spans JOIN latest USING (table_name, account_id, region)
ORDER BY account_id, region, table_name`;

/** A window that begins before what AWS remembered proves no more than AWS remembered. */
const provenSql = `
WITH asked AS (${asked}),
marked AS (
  SELECT *, lag(CASE WHEN is_disabled THEN as_of END) OVER (
    PARTITION BY table_name, account_id, region ORDER BY as_of, run_id) AS disabled_before
  FROM asked
),
proven AS (
  SELECT table_name, account_id, region,
    greatest(coalesce(window_from, remembered_from), remembered_from) AS read_from, read_to
  FROM marked WHERE is_good
  UNION ALL
  SELECT table_name, account_id, region, disabled_before, as_of
  FROM marked WHERE is_disabled AND disabled_before IS NOT NULL
),
starts AS (
  SELECT *, coalesce(read_from > max(read_to) OVER (
      PARTITION BY table_name, account_id, region ORDER BY read_from, read_to
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING), true) AS begins
  FROM proven WHERE read_from < read_to
),
numbered AS (
  SELECT *, sum(CASE WHEN begins THEN 1 ELSE 0 END) OVER (
      PARTITION BY table_name, account_id, region ORDER BY read_from, read_to, begins DESC
      ROWS UNBOUNDED PRECEDING) AS island
  FROM starts
)
SELECT table_name, account_id, region, epoch_ms(min(read_from)) AS proven_from, epoch_ms(max(read_to)) AS proven_to
FROM numbered
GROUP BY table_name, account_id, region, island
ORDER BY proven_from`;

const runsSql = `
WITH asked AS (${asked})
SELECT run_id, epoch_ms(max(as_of)) AS as_of,
  epoch_ms(max(remembered_from) FILTER (table_name = 'copy_jobs')) AS jobs_from,
  epoch_ms(max(remembered_from) FILTER (table_name = 'copy_job_summaries')) AS counts_from
FROM asked GROUP BY run_id ORDER BY as_of, run_id`;

const namesSql = `
WITH asked AS (${asked})
SELECT account_id, arg_max(account_name, as_of) AS account_name
FROM asked WHERE account_name IS NOT NULL GROUP BY account_id`;

/** @param now runs after this instant are left out */
export async function readCoverageFacts(connection: DuckDBConnection, now: number): Promise<CoverageFacts> {
  const ask = async (sql: string) => {
    const reader = await connection.runAndReadAll(sql, { now: BigInt(now) });
    return reader.getRowObjectsJS();
  };
  const provenOf = new Map<string, Interval[]>();
  for (const row of await ask(provenSql)) {
    const name = nameOf(row);
    const known = provenOf.get(name) ?? [];
    provenOf.set(name, known);
    known.push({ from: Number(row.proven_from), to: Number(row.proven_to) });
  }
  const drains = (await ask(drainsSql)).map(
    (row): DrainFacts => ({
      table: row.table_name === 'copy_jobs' ? 'copy_jobs' : 'copy_job_summaries',
      accountId: String(row.account_id),
      region: String(row.region),
      firstAsked: Number(row.first_asked),
      lastAsked: Number(row.last_asked),
      lastGood: numberOf(row.last_good),
      failingSince: numberOf(row.failing_since),
      last: {
        runId: String(row.run_id),
        asOf: Number(row.as_of),
        status: String(row.status),
        errorName: textOf(row.error_name),
        errorMessage: textOf(row.error_message),
      },
      proven: provenOf.get(nameOf(row)) ?? [],
    }),
  );
  const runs = (await ask(runsSql)).map(
    (row): EndedRun => ({
      runId: String(row.run_id),
      asOf: Number(row.as_of),
      rememberedFrom: {
        ...remembered('copy_jobs', row.jobs_from),
        ...remembered('copy_job_summaries', row.counts_from),
      },
    }),
  );
  const names = await ask(namesSql);
  return {
    drains,
    runs,
    accountNames: new Map(names.map((row) => [String(row.account_id), String(row.account_name)])),
  };
}

function remembered(table: DrainedTable, value: unknown): EndedRun['rememberedFrom'] {
  const from = numberOf(value);
  return from === null ? {} : { [table]: from };
}

function nameOf(row: Readonly<Record<string, unknown>>): string {
  return watermarkName(String(row.table_name), String(row.account_id), String(row.region));
}

function numberOf(value: unknown): number | null {
  return value === null || value === undefined ? null : Number(value);
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

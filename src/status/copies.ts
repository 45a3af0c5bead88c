/** What copy_jobs says about recent days: how copies ended, why they failed, from where to where they went, what is open. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { targetName } from '../targets/target.ts';
import type { Copies } from './report.ts';

/** The days that a report shows, the newest included. */
export const daysShown = 35;

const sinceSql = 'creation_date > $since AND creation_time <= make_timestamp_ms(CAST($now AS BIGINT))';

/** By day; a day without copies has no row. */
const daysSql = `
SELECT creation_date AS day, count(*) AS jobs,
  count(*) FILTER (state = 'COMPLETED') AS completed,
  count(*) FILTER (state = 'FAILED') AS failed,
  count(*) FILTER (state = 'PARTIAL') AS partly_done,
  count(*) FILTER (is_terminal IS DISTINCT FROM true) AS still_open
FROM leaf_copies WHERE ${sinceSql} GROUP BY creation_date ORDER BY creation_date`;

/** Classified as in the question failures-by-category. */
const failuresSql = `
SELECT nullif(failure_category, 'unknown') AS message_category, cause, remedy, count(*) AS failed,
  count(*) FILTER (category_from = 'AWS') AS categorized_by_aws, count(DISTINCT account_id) AS accounts
FROM leaf_copies JOIN explained_failures USING (copy_job_id, creation_date)
WHERE state = 'FAILED' AND ${sinceSql}
GROUP BY ALL ORDER BY failed DESC, message_category NULLS LAST, cause NULLS LAST, remedy NULLS LAST`;

const routesSql = `
SELECT source_region, destination_region, count(*) AS jobs, count(*) FILTER (state = 'FAILED') AS failed
FROM leaf_copies WHERE ${sinceSql}
GROUP BY ALL ORDER BY jobs DESC, source_region NULLS LAST, destination_region NULLS LAST`;

/** Parents are jobs too: they are open as long as a child is. */
const openSql = `
SELECT account_id, region, count(*) AS jobs
FROM copy_jobs WHERE is_terminal IS DISTINCT FROM true AND ${sinceSql}
GROUP BY ALL`;

export interface CopiesAndOpenJobs {
  readonly copies: Copies;
  /** By `targetName`. */
  readonly openJobs: ReadonlyMap<string, number>;
}

/** @param now milliseconds since the epoch */
export async function readCopies(connection: DuckDBConnection, now: number): Promise<CopiesAndOpenJobs> {
  const since = new Date(now - daysShown * 86_400_000).toISOString().slice(0, 10);
  const ask = async (sql: string) => {
    const reader = await connection.runAndReadAll(sql, { since, now: BigInt(now) });
    return reader.getRowObjectsJS();
  };
  const days = (await ask(daysSql)).map((row) => {
    const [completed, failed, partlyDone] = [row.completed, row.failed, row.partly_done].map(Number);
    const ended = (completed ?? 0) + (failed ?? 0) + (partlyDone ?? 0);
    return {
      day: String(row.day),
      jobs: Number(row.jobs),
      completed: completed ?? 0,
      failed: failed ?? 0,
      partly_done: partlyDone ?? 0,
      still_open: Number(row.still_open),
      success_percent: ended === 0 ? null : Math.round(((completed ?? 0) / ended) * 10_000) / 100,
    };
  });
  const failures = (await ask(failuresSql)).map((row) => ({
    message_category: textOf(row.message_category),
    cause: textOf(row.cause),
    remedy: textOf(row.remedy),
    failed: Number(row.failed),
    categorized_by_aws: Number(row.categorized_by_aws),
    accounts: Number(row.accounts),
  }));
  const routes = (await ask(routesSql)).map((row) => ({
    source_region: textOf(row.source_region),
    destination_region: textOf(row.destination_region),
    jobs: Number(row.jobs),
    failed: Number(row.failed),
  }));
  const open = (await ask(openSql)).map(
    (row) =>
      [
        targetName({ accountId: String(row.account_id), region: String(row.region) }),
        Number(row.jobs),
      ] as const,
  );
  return { copies: { days, failures_by_category: failures, routes }, openJobs: new Map(open) };
}

function textOf(value: unknown): string | null {
  return value === null || value === undefined ? null : String(value);
}

/** What copy_jobs says about recent days: how copies ended, why they failed, from where to where they went, what is open. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { dayMs } from '../shared/time.ts';
import { utcDay } from '../tables/table.ts';
import { targetName } from '../targets/target.ts';
import type { Copies } from './status-report.ts';

/** The days that a report shows, the newest included. */
export const daysShown = 35;
/** If copy jobs were lost, jobs whose end nobody has read are looked for in so many days. */
export const daysSearchedAfterLoss = 100;

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

const rememberedSql = 'make_timestamp_ms(CAST($rememberedFrom AS BIGINT))';

/** Parents are jobs too: they are open as long as a child is. */
const openSql = `
SELECT account_id, region, count(*) AS jobs
FROM copy_jobs WHERE is_terminal IS DISTINCT FROM true AND creation_time >= ${rememberedSql} AND ${sinceSql}
GROUP BY ALL`;

/** A day may lie partly before AWS's memory, so the time decides. */
const endsUnknownSql = `
SELECT account_id, region, count(*) AS jobs, epoch_ms(min(creation_time)) AS oldest
FROM copy_jobs WHERE is_terminal IS DISTINCT FROM true AND creation_time < ${rememberedSql} AND ${sinceSql}
GROUP BY ALL`;

/** Copy jobs of one target that had not ended when a run last read them, and that AWS has deleted since. */
export interface EndsUnknown {
  readonly jobs: number;
  /** When the oldest was created, in milliseconds since the epoch. */
  readonly oldest: number;
}

export interface EndsUnknownSince {
  /** By `targetName`. */
  readonly byTarget: ReadonlyMap<string, EndsUnknown>;
  /** The first UTC day of creation that was looked at. */
  readonly since: string;
}

export interface CopiesAndOpenJobs {
  readonly copies: Copies;
  /** Not ended, and AWS still keeps them. By `targetName`. */
  readonly openJobs: ReadonlyMap<string, number>;
}

/**
 * Looks at the days that the connection has.
 * @param days how many, `now` included
 * @param rememberedFrom AWS has deleted the copy jobs that were created before, in milliseconds since the epoch
 */
export async function readEndsUnknown(
  connection: DuckDBConnection,
  {
    now,
    rememberedFrom,
    days,
  }: { readonly now: number; readonly rememberedFrom: number; readonly days: number },
): Promise<EndsUnknownSince> {
  const before = utcDay(now - days * dayMs);
  const reader = await connection.runAndReadAll(endsUnknownSql, {
    since: before,
    now: BigInt(now),
    rememberedFrom: BigInt(rememberedFrom),
  });
  const byTarget = reader
    .getRowObjectsJS()
    .map(
      (row) =>
        [
          targetName({ accountId: String(row.account_id), region: String(row.region) }),
          { jobs: Number(row.jobs), oldest: Number(row.oldest) },
        ] as const,
    );
  return { byTarget: new Map(byTarget), since: utcDay(now - (days - 1) * dayMs) };
}

/**
 * @param now milliseconds since the epoch
 * @param rememberedFrom as for `readEndsUnknown`
 */
export async function readCopies(
  connection: DuckDBConnection,
  now: number,
  rememberedFrom: number,
): Promise<CopiesAndOpenJobs> {
  const since = utcDay(now - daysShown * dayMs);
  const ask = async (sql: string, more: Readonly<Record<string, bigint>> = {}) => {
    const reader = await connection.runAndReadAll(sql, { since, now: BigInt(now), ...more });
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
  const open = (await ask(openSql, { rememberedFrom: BigInt(rememberedFrom) })).map(
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

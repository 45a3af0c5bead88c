/** What export_reconciliation says: where AWS's own daily counts and the record differ, as last compared. */
import type { DuckDBConnection } from '@duckdb/node-api';
import { dayMs } from '../shared/time.ts';
import type { RecordAgainstAws } from './status-report.ts';

/** AWS keeps its counts for 14 days, so each run compares up to 14; older comparisons stay as they were. */
export const daysCompared = 14;

/** Of several comparisons of a day, the last. */
const lastSql = `
SELECT creation_date, account_id, account_name, region, aws_count, lake_count, missing_jobs, surplus_jobs,
  epoch_ms(as_of) AS compared_at
FROM export_reconciliation
WHERE scope = 'day' AND creation_date >= $since AND as_of <= make_timestamp_ms(CAST($now AS BIGINT))
QUALIFY row_number() OVER (
  PARTITION BY account_id, region, creation_date ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST) = 1`;

/** @param now milliseconds since the epoch */
export async function readRecordAgainstAws(
  connection: DuckDBConnection,
  now: number,
): Promise<RecordAgainstAws> {
  const since = new Date(now - daysCompared * dayMs).toISOString().slice(0, 10);
  const values = { since, now: BigInt(now) };
  const totals = await connection.runAndReadAll(
    `SELECT count(*) AS compared, max(compared_at) AS newest,
       coalesce(sum(missing_jobs), 0) AS missing, coalesce(sum(surplus_jobs), 0) AS surplus FROM (${lastSql})`,
    values,
  );
  const [total] = totals.getRowObjectsJS();
  const differing = await connection.runAndReadAll(
    `SELECT * FROM (${lastSql}) WHERE missing_jobs > 0 OR surplus_jobs > 0
     ORDER BY missing_jobs + surplus_jobs DESC, creation_date DESC, account_id, region`,
    values,
  );
  const newest = total?.newest ?? null;
  return {
    compared: Number(total?.compared ?? 0),
    last_compared_at: newest === null ? null : new Date(Number(newest)).toISOString(),
    missing_jobs: Number(total?.missing ?? 0),
    surplus_jobs: Number(total?.surplus ?? 0),
    differences: differing.getRowObjectsJS().map((row) => ({
      day: String(row.creation_date),
      account_id: String(row.account_id),
      account_name: row.account_name === null ? null : String(row.account_name),
      region: String(row.region),
      aws_count: Number(row.aws_count),
      lake_count: Number(row.lake_count),
      missing_jobs: Number(row.missing_jobs),
      surplus_jobs: Number(row.surplus_jobs),
      compared_at: new Date(Number(row.compared_at)).toISOString(),
    })),
  };
}

-- title: What AWS deleted before anybody read it
-- about: One row for each interval of time that a table lost in one account and region: AWS deleted the
--   copy jobs created then (or the counts of these days) before a good drain read them. Nothing can bring
--   them back. A good drain (OK or OK_EMPTY) proves its window, but only what AWS still held, from
--   remembered_from on. An account and region counts from the first run that planned
--   it to the last. While AWS calls a region disabled, nothing can be copied there, so nothing is lost.
--   Rows of older versions have no remembered_from: for them, the view assumes that AWS keeps jobs for 30
--   days and counts for 14. This view knows only runs that wrote their coverage.
-- column: table_name - copy_jobs — The table that lost it: copy_jobs or copy_job_summaries.
-- column: account_id - 111122223333 — The account that was to be read.
-- column: account_name - payments-prod — Its name in the organization, if a run knew one.
-- column: region - us-east-1 — The region that was to be read.
-- column: lost_from - 2026-09-30 02:00:00.000 — The beginning of the interval: the end of what was read
--   before it.
-- column: lost_to - 2026-10-05 02:00:00.000 — The end of the interval, not included: the beginning of what
--   was read after it, or of what AWS still holds.
-- column: lost_hours hours 120.00 — The length of the interval.
-- column: noticed_time - 2026-11-09 02:00:00.000 — The first run that found AWS to have deleted a part of
--   it.
WITH dated AS (
  SELECT
    table_name,
    account_id,
    region,
    account_name,
    run_id,
    as_of,
    status,
    window_from,
    coalesce(window_to, as_of) AS read_to,
    coalesce(
      remembered_from,
      CASE
        WHEN table_name = 'copy_job_summaries' THEN as_of - 14 * INTERVAL '1' DAY
        ELSE as_of - 30 * INTERVAL '1' DAY
      END
    ) AS remembered_from
  FROM export_coverage
),

asked AS (
  SELECT
    table_name,
    account_id,
    region,
    account_name,
    as_of,
    CASE WHEN window_from > remembered_from THEN window_from ELSE remembered_from END AS read_from,
    read_to,
    remembered_from,
    status IN ('OK', 'OK_EMPTY') AS is_good,
    status = 'REGION_DISABLED' AS is_disabled,
    lag(CASE WHEN status = 'REGION_DISABLED' THEN as_of END) OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY as_of ASC NULLS LAST, run_id ASC NULLS LAST
    ) AS disabled_before
  FROM dated
),

present AS (
  SELECT table_name, max(remembered_from) AS remembered_from
  FROM asked
  GROUP BY table_name
),

targets AS (
  SELECT
    asked.table_name,
    asked.account_id,
    asked.region,
    max(asked.account_name) AS account_name,
    min(asked.as_of) AS first_asked,
    least(max(present.remembered_from), max(asked.as_of)) AS remembered_from
  FROM asked
  INNER JOIN present ON present.table_name = asked.table_name
  GROUP BY asked.table_name, asked.account_id, asked.region
),

proven AS (
  SELECT table_name, account_id, region, read_from, read_to
  FROM asked
  WHERE is_good AND read_from < read_to
  UNION ALL
  SELECT table_name, account_id, region, disabled_before AS read_from, as_of AS read_to
  FROM asked
  WHERE is_disabled AND disabled_before IS NOT NULL
  UNION ALL
  SELECT table_name, account_id, region, first_asked AS read_from, first_asked AS read_to
  FROM targets
  UNION ALL
  SELECT table_name, account_id, region, remembered_from AS read_from, remembered_from AS read_to
  FROM targets
),

in_order AS (
  SELECT
    table_name,
    account_id,
    region,
    read_from,
    max(read_to) OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY read_from ASC NULLS LAST, read_to ASC NULLS LAST
      ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
    ) AS read_before
  FROM proven
),

lost AS (
  SELECT
    targets.table_name,
    targets.account_id,
    targets.region,
    targets.account_name,
    in_order.read_before AS lost_from,
    in_order.read_from AS lost_to
  FROM in_order
  INNER JOIN targets
    ON targets.table_name = in_order.table_name
    AND targets.account_id = in_order.account_id
    AND targets.region = in_order.region
  WHERE in_order.read_from > in_order.read_before
    AND in_order.read_before >= targets.first_asked
    AND in_order.read_from <= targets.remembered_from
)

SELECT
  lost.table_name,
  lost.account_id,
  lost.account_name,
  lost.region,
  lost.lost_from,
  lost.lost_to,
  round(CAST(date_diff('millisecond', lost.lost_from, lost.lost_to) AS double) / 3600000, 2) AS lost_hours,
  min(asked.as_of) AS noticed_time
FROM lost
INNER JOIN asked
  ON asked.table_name = lost.table_name
  AND asked.remembered_from > lost.lost_from
GROUP BY
  lost.table_name,
  lost.account_id,
  lost.account_name,
  lost.region,
  lost.lost_from,
  lost.lost_to

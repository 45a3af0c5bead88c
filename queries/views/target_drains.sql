-- title: When each target was last read, and how that went
-- about: One row for each table, account and region that a run ever planned: the last run that asked, what
--   came of it, and the last drain that ended well (OK or OK_EMPTY). REJECTED_RECORDS is not well:
--   something was read that the tables do not show. Only runs that ended are known here.
-- column: last_good_drain_time - 2026-11-21 02:00:00.000 — As-of of the last run whose drain ended OK or
--   OK_EMPTY; null: there is none.
-- column: drains runs 30 — Runs that planned to read this target for this table.
SELECT
  table_name,
  account_id,
  region,
  account_name,
  as_of AS last_asked_time,
  status AS last_status,
  error_name AS last_error_name,
  error_message AS last_error_message,
  last_good_drain_time,
  drains
FROM (
  SELECT
    table_name,
    account_id,
    region,
    account_name,
    as_of,
    status,
    error_name,
    error_message,
    max(CASE WHEN status IN ('OK', 'OK_EMPTY') THEN as_of END)
      OVER (PARTITION BY table_name, account_id, region) AS last_good_drain_time,
    count(*) OVER (PARTITION BY table_name, account_id, region) AS drains,
    row_number() OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST
    ) AS place
  FROM export_coverage
) ranked
WHERE place = 1

-- title: This week against the one before, by account and plan
-- about: One row for each account and plan that had copy jobs in the two weeks before the last run, the
--   largest fall in success first. A week is the seven times 24 hours up to the last run; the columns with
--   _before are of the week before it. success_percent is the share of COMPLETED among the leaf copies
--   that have ended; if none has ended, it is empty. success_change is its change in percentage points.
--   bytes are those of good copies. A row without a plan holds an account's copies on demand. The jobs of
--   the last hours may still be running: they count as jobs, but not for success. A plan that has no jobs
--   any more shows 0.
-- parameter: days integer default 14 — The days that are compared: the later half with the earlier half
-- reads: :days
WITH counted AS (
  SELECT
    leaf_copies.account_id,
    leaf_copies.created_by_backup_plan_id AS plan_id,
    leaf_copies.created_by_backup_plan_name AS plan_name,
    leaf_copies.state,
    leaf_copies.is_terminal,
    leaf_copies.backup_size_in_bytes,
    date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) < CAST(:days AS bigint) * 43200000 AS is_later
  FROM leaf_copies
  CROSS JOIN lake_time
  WHERE date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) < CAST(:days AS bigint) * 86400000
    AND leaf_copies.creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
compared AS (
  SELECT
    account_id,
    plan_id,
    max(plan_name) AS plan_name,
    count(CASE WHEN is_later THEN 1 END) AS jobs,
    count(CASE WHEN NOT is_later THEN 1 END) AS jobs_before,
    round(
      CAST(count(CASE WHEN is_later AND state = 'COMPLETED' THEN 1 END) AS double) * 100
        / nullif(CAST(count(CASE WHEN is_later AND is_terminal THEN 1 END) AS double), 0),
      2
    ) AS success_percent,
    round(
      CAST(count(CASE WHEN NOT is_later AND state = 'COMPLETED' THEN 1 END) AS double) * 100
        / nullif(CAST(count(CASE WHEN NOT is_later AND is_terminal THEN 1 END) AS double), 0),
      2
    ) AS success_percent_before,
    coalesce(
      sum(CASE WHEN is_later AND state = 'COMPLETED' THEN CAST(backup_size_in_bytes AS decimal(38, 0)) END),
      CAST(0 AS decimal(38, 0))
    ) AS bytes,
    coalesce(
      sum(CASE WHEN NOT is_later AND state = 'COMPLETED' THEN CAST(backup_size_in_bytes AS decimal(38, 0)) END),
      CAST(0 AS decimal(38, 0))
    ) AS bytes_before
  FROM counted
  GROUP BY account_id, plan_id
)
SELECT
  compared.account_id,
  account_names.account_name,
  compared.plan_id,
  compared.plan_name,
  compared.jobs,
  compared.jobs_before,
  compared.success_percent,
  compared.success_percent_before,
  round(compared.success_percent - compared.success_percent_before, 2) AS success_change,
  compared.bytes,
  compared.bytes_before
FROM compared
LEFT JOIN account_names ON account_names.account_id = compared.account_id
ORDER BY
  success_change ASC NULLS LAST,
  compared.account_id ASC NULLS LAST,
  compared.plan_id ASC NULLS LAST

-- title: Which accounts and regions copy to which
-- about: One row for each pair of source and destination that had a copy job, cross-account pairs first.
--   not_completed counts copies that ended without success. success_percent leaves out copies that are
--   still open. Look twice at a destination account that is not yours, or a region that you do not use. A
--   place is empty if the vault's ARN does not tell it.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  source_account_id,
  max(source_names.account_name) AS source_account_name,
  source_region,
  destination_account_id,
  max(destination_names.account_name) AS destination_account_name,
  destination_region,
  is_cross_account,
  is_cross_region,
  CAST(sum(jobs) AS bigint) AS jobs,
  CAST(sum(completed) AS bigint) AS completed,
  CAST(sum(not_completed) AS bigint) AS not_completed,
  round(
    CAST(sum(completed) AS double) * 100 / nullif(CAST(sum(completed) + sum(not_completed) AS double), 0),
    2
  ) AS success_percent,
  sum(bytes) AS bytes
FROM daily_flows
LEFT JOIN account_names source_names ON source_names.account_id = daily_flows.source_account_id
LEFT JOIN account_names destination_names
  ON destination_names.account_id = daily_flows.destination_account_id
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY
  source_account_id,
  source_region,
  destination_account_id,
  destination_region,
  is_cross_account,
  is_cross_region
ORDER BY
  is_cross_account DESC NULLS LAST,
  is_cross_region DESC NULLS LAST,
  source_account_id ASC NULLS LAST,
  source_region ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

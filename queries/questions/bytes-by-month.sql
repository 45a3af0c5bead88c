-- title: Bytes copied each month, by source and destination
-- about: Good leaf copies and their bytes by UTC month, source and destination: the newest month first,
--   then the largest flow. The first and the last month are usually incomplete. Bytes are the sizes of
--   backups as AWS Backup states them. AWS often transfers and bills less, because copies can be
--   incremental.
-- parameter: days integer default 400 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  substr(creation_date, 1, 7) AS creation_month,
  source_account_id,
  max(source_names.account_name) AS source_account_name,
  source_region,
  destination_account_id,
  max(destination_names.account_name) AS destination_account_name,
  destination_region,
  is_cross_account,
  is_cross_region,
  CAST(sum(completed) AS bigint) AS completed,
  sum(bytes) AS bytes
FROM daily_flows
LEFT JOIN account_names source_names ON source_names.account_id = daily_flows.source_account_id
LEFT JOIN account_names destination_names
  ON destination_names.account_id = daily_flows.destination_account_id
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY
  substr(creation_date, 1, 7),
  source_account_id,
  source_region,
  destination_account_id,
  destination_region,
  is_cross_account,
  is_cross_region
HAVING sum(completed) > 0
ORDER BY
  creation_month DESC NULLS LAST,
  bytes DESC NULLS LAST,
  source_account_id ASC NULLS LAST,
  source_region ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

-- title: Copies that began long ago and have not ended
-- about: Leaf copies that are CREATED, RUNNING or in a state not known to this program, and were created
--   more than --hours before the lake's now, the oldest first. Large first copies may take days; compare
--   with the size. AWS forgets jobs after about 30 days: one that is older stays as it was last seen, so
--   --days keeps those out.
-- parameter: hours integer default 24 — How long a copy may take
-- parameter: days integer default 35 — Copies created on the day of the last run or on this many days
--   before it
-- reads: :days
SELECT
  leaf_copies.creation_time,
  round(
    CAST(date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) AS double) / 3600000,
    2
  ) AS age_hours,
  leaf_copies.state,
  leaf_copies.account_id,
  leaf_copies.region,
  leaf_copies.resource_type,
  leaf_copies.resource_name,
  leaf_copies.resource_arn,
  leaf_copies.backup_size_in_bytes,
  leaf_copies.destination_account_id,
  leaf_copies.destination_region,
  leaf_copies.destination_backup_vault_arn,
  leaf_copies.status_message,
  leaf_copies.parent_job_id,
  leaf_copies.copy_job_id
FROM leaf_copies
CROSS JOIN lake_time
WHERE NOT coalesce(leaf_copies.is_terminal, false)
  AND date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) > CAST(:hours AS bigint) * 3600000
  AND leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
ORDER BY leaf_copies.creation_time ASC NULLS LAST, leaf_copies.copy_job_id ASC NULLS LAST

-- title: Copies that started long ago and have not ended
-- about: Leaf copies that are CREATED, RUNNING or in a state that this program does not know, and that were
--   created more than --hours before the last run, the oldest first. Large first copies can take days, so
--   compare with the size. last_good_drain_time is the time up to which the copy's account and region was
--   read. If that is long ago, the copy may have ended since and nobody has seen it (ask
--   targets-without-good-drain). AWS deletes jobs after about 30 days, and a deleted job stays in the lake
--   as it was last seen: --days leaves those out.
-- parameter: hours integer default 24 — How long a copy may take
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  leaf_copies.creation_time,
  round(
    CAST(date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) AS double) / 3600000,
    2
  ) AS age_hours,
  target_drains.last_good_drain_time,
  leaf_copies.state,
  leaf_copies.account_id,
  names.account_name,
  leaf_copies.region,
  leaf_copies.resource_type,
  leaf_copies.resource_name,
  leaf_copies.resource_arn,
  leaf_copies.backup_size_in_bytes,
  leaf_copies.destination_account_id,
  destination_names.account_name AS destination_account_name,
  leaf_copies.destination_region,
  leaf_copies.destination_backup_vault_arn,
  leaf_copies.status_message,
  leaf_copies.parent_job_id,
  leaf_copies.copy_job_id
FROM leaf_copies
CROSS JOIN lake_time
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = leaf_copies.account_id
  AND target_drains.region = leaf_copies.region
LEFT JOIN account_names names ON names.account_id = leaf_copies.account_id
LEFT JOIN account_names destination_names ON destination_names.account_id = leaf_copies.destination_account_id
WHERE NOT coalesce(leaf_copies.is_terminal, false)
  AND date_diff('millisecond', leaf_copies.creation_time, lake_time.as_of) > CAST(:hours AS bigint) * 3600000
  AND leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
ORDER BY leaf_copies.creation_time ASC NULLS LAST, leaf_copies.copy_job_id ASC NULLS LAST

-- title: RPO: minimum age of the last good copy elsewhere, by resource and destination
-- about: One row for each resource and each other account or region that ever received a good copy of it,
--   the worst first. Other means other than the resource's own (in_other_account, in_other_region), however
--   many hops the copy took. protection shows whether a copy still exists there. kept: its lifecycle keeps
--   it. may_be_gone: its latest end, expires_time, lies ahead, but a copy keeps the creation date of its
--   source, which may be old, because the copy was made on demand, its days end within --window, or AWS
--   deletes it after an event. unknown: AWS reported no number of days, or -1, which its pages explain in
--   two ways. gone: expires_time has passed. Only kept protects. For the others rpo_hours is empty, and
--   these rows come first. rpo_hours is a lower bound. It runs from source_created_before, the first sign
--   of the source of the youngest kept copy, to the time of the last run. The data are at least that old,
--   and older by the time the backup took. best_case_rpo_hours is the same for the youngest copy that is
--   not known to be gone. Do not rely on it before you look into the vault. expires_time is an upper bound:
--   a person may have deleted any copy, or changed its lifecycle. A resource with several destinations is
--   as safe as its youngest row. last_good_drain_time is the time up to which the account and region of
--   that copy job was read. If that is long ago, younger copies may exist that nobody has seen. account_id
--   comes from the resource's ARN, otherwise from the copy job. Resources that never had a good copy
--   elsewhere are not here: ask rpo-beyond-limit or single-location-resources.
-- parameter: days integer default 90 — Resources with any copy job to that place created on the day of the
--   last run or on this many days before it
-- parameter: window integer default 176 — How many hours a plan may give a backup, from its schedule to its
--   end. AWS's defaults are 8 hours to start and 7 days to complete. Set it lower if your plans do, above
--   all if copies are kept for a week or less
-- reads: every day
WITH active AS (
  SELECT DISTINCT resource_arn, destination_account_id, destination_region
  FROM leaf_copies
  WHERE creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
),
lives AS (
  SELECT
    copy_lives.resource_arn,
    copy_lives.resource_type,
    copy_lives.resource_name,
    copy_lives.resource_account_id,
    copy_lives.account_id,
    copy_lives.region,
    copy_lives.destination_account_id,
    copy_lives.destination_region,
    copy_lives.copy_job_id,
    copy_lives.creation_time,
    copy_lives.source_created_before,
    copy_lives.expires_time,
    copy_lives.destination_recovery_point_arn,
    CASE
      WHEN copy_lives.expires_time IS NULL THEN 'unknown'
      WHEN copy_lives.expires_time <= lake_time.as_of THEN 'gone'
      WHEN copy_lives.is_scheduled
        AND copy_lives.destination_recovery_point_lifecycle_delete_after_event IS NULL
        AND date_diff('millisecond', lake_time.as_of, copy_lives.expires_time) > CAST(:window AS bigint) * 3600000
        THEN 'kept'
      ELSE 'may_be_gone'
    END AS protection
  FROM copy_lives
  CROSS JOIN lake_time
  WHERE copy_lives.resource_arn IS NOT NULL
),
ranked AS (
  SELECT
    resource_arn,
    resource_type,
    resource_name,
    resource_account_id,
    account_id,
    region,
    destination_account_id,
    destination_region,
    copy_job_id,
    creation_time,
    source_created_before,
    expires_time,
    destination_recovery_point_arn,
    protection,
    count(*) OVER (PARTITION BY resource_arn, destination_account_id, destination_region) AS completed,
    max(CASE WHEN protection <> 'gone' THEN source_created_before END) OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
    ) AS best_case_time,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY
        CASE protection WHEN 'kept' THEN 0 WHEN 'gone' THEN 2 ELSE 1 END ASC NULLS LAST,
        source_created_before DESC NULLS LAST,
        creation_time DESC NULLS LAST,
        copy_job_id DESC NULLS LAST
    ) AS place
  FROM lives
)
SELECT
  ranked.resource_arn,
  ranked.resource_type,
  ranked.resource_name,
  coalesce(ranked.resource_account_id, ranked.account_id) AS account_id,
  names.account_name,
  ranked.destination_account_id,
  destination_names.account_name AS destination_account_name,
  ranked.destination_region,
  resource_places.in_other_account,
  resource_places.in_other_region,
  ranked.protection,
  ranked.creation_time AS last_good_time,
  ranked.source_created_before,
  CASE
    WHEN ranked.protection = 'kept'
    THEN round(
      CAST(date_diff('millisecond', ranked.source_created_before, lake_time.as_of) AS double) / 3600000,
      2
    )
  END AS rpo_hours,
  round(
    CAST(date_diff('millisecond', ranked.best_case_time, lake_time.as_of) AS double) / 3600000,
    2
  ) AS best_case_rpo_hours,
  ranked.expires_time,
  ranked.completed,
  ranked.copy_job_id AS last_good_job_id,
  ranked.destination_recovery_point_arn,
  target_drains.last_good_drain_time
FROM ranked
INNER JOIN resource_places
  ON resource_places.resource_arn = ranked.resource_arn
  AND resource_places.destination_account_id IS NOT DISTINCT FROM ranked.destination_account_id
  AND resource_places.destination_region IS NOT DISTINCT FROM ranked.destination_region
INNER JOIN active
  ON active.resource_arn = ranked.resource_arn
  AND active.destination_account_id IS NOT DISTINCT FROM ranked.destination_account_id
  AND active.destination_region IS NOT DISTINCT FROM ranked.destination_region
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = ranked.account_id
  AND target_drains.region = ranked.region
LEFT JOIN account_names names
  ON names.account_id = coalesce(ranked.resource_account_id, ranked.account_id)
LEFT JOIN account_names destination_names ON destination_names.account_id = ranked.destination_account_id
CROSS JOIN lake_time
WHERE ranked.place = 1
  AND (resource_places.in_other_account OR resource_places.in_other_region)
ORDER BY
  CASE ranked.protection
    WHEN 'gone' THEN 1
    WHEN 'may_be_gone' THEN 2
    WHEN 'unknown' THEN 3
    ELSE 4
  END ASC NULLS LAST,
  rpo_hours DESC NULLS FIRST,
  resource_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

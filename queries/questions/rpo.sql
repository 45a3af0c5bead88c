-- title: RPO: how old the last good copy elsewhere is, by resource and destination
-- about: One row for each resource and each other account or region that ever received a good copy of it,
--   the worst first. Other means other than the resource's own (in_other_account, in_other_region), however
--   many hops the copy took. rpo_hours runs from the creation of the youngest good copy job whose copy its
--   lifecycle still keeps to the lake's now: if the source were lost now, that much work would be lost with
--   it; a little more, as the backup was made before it was copied. It is empty where the lifecycle has
--   deleted every copy there: expires_time is then past, and nothing protects the resource in that place. A
--   future expires_time says how long the copy will be kept; empty: for ever, or AWS did not say. A
--   resource with several destinations is as safe as its youngest row. last_good_drain_time says through
--   when the account and region of that copy job has been read: where that is long ago, younger copies may
--   exist that nobody has seen. account_id is the resource's by its ARN, else the copy job's. Resources that
--   never had a good copy elsewhere are not here: ask rpo-beyond-limit or single-location-resources.
-- parameter: days integer default 90 — Resources with any copy job to that place created on the day of the
--   last run or on this many days before it
-- reads: every day
WITH active AS (
  SELECT DISTINCT resource_arn, destination_account_id, destination_region
  FROM leaf_copies
  WHERE creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
)
SELECT
  last_good_copies.resource_arn,
  last_good_copies.resource_type,
  last_good_copies.resource_name,
  coalesce(last_good_copies.resource_account_id, last_good_copies.account_id) AS account_id,
  last_good_copies.destination_account_id,
  last_good_copies.destination_region,
  resource_places.in_other_account,
  resource_places.in_other_region,
  last_good_copies.creation_time AS last_good_time,
  CASE
    WHEN last_good_copies.expires_time <= lake_time.as_of THEN NULL
    ELSE round(
      CAST(date_diff('millisecond', last_good_copies.creation_time, lake_time.as_of) AS double) / 3600000,
      2
    )
  END AS rpo_hours,
  last_good_copies.expires_time,
  last_good_copies.completed,
  last_good_copies.copy_job_id AS last_good_job_id,
  last_good_copies.destination_recovery_point_arn,
  target_drains.last_good_drain_time
FROM last_good_copies
INNER JOIN resource_places
  ON resource_places.resource_arn = last_good_copies.resource_arn
  AND resource_places.destination_account_id IS NOT DISTINCT FROM last_good_copies.destination_account_id
  AND resource_places.destination_region IS NOT DISTINCT FROM last_good_copies.destination_region
INNER JOIN active
  ON active.resource_arn = last_good_copies.resource_arn
  AND active.destination_account_id IS NOT DISTINCT FROM last_good_copies.destination_account_id
  AND active.destination_region IS NOT DISTINCT FROM last_good_copies.destination_region
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = last_good_copies.account_id
  AND target_drains.region = last_good_copies.region
CROSS JOIN lake_time
WHERE resource_places.in_other_account OR resource_places.in_other_region
ORDER BY
  rpo_hours DESC NULLS FIRST,
  resource_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

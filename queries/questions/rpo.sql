-- title: RPO: how old the last good copy elsewhere is, by resource and destination
-- about: One row for each resource and each other account or region that ever received a good copy of it,
--   the oldest first. rpo_hours runs from the creation of that copy job to the lake's now: if the source
--   were lost now, that much work would be lost with it; a little more, as the backup was made before it
--   was copied. A resource with several destinations is as safe as its youngest row. Resources that never
--   had a good copy elsewhere are not here: ask rpo-beyond-limit or single-location-resources.
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
  last_good_copies.account_id,
  last_good_copies.destination_account_id,
  last_good_copies.destination_region,
  last_good_copies.is_cross_account,
  last_good_copies.is_cross_region,
  last_good_copies.creation_time AS last_good_time,
  round(
    CAST(date_diff('millisecond', last_good_copies.creation_time, lake_time.as_of) AS double) / 3600000,
    2
  ) AS rpo_hours,
  last_good_copies.completed,
  last_good_copies.copy_job_id AS last_good_job_id,
  last_good_copies.destination_recovery_point_arn
FROM last_good_copies
INNER JOIN active
  ON active.resource_arn = last_good_copies.resource_arn
  AND active.destination_account_id IS NOT DISTINCT FROM last_good_copies.destination_account_id
  AND active.destination_region IS NOT DISTINCT FROM last_good_copies.destination_region
CROSS JOIN lake_time
WHERE last_good_copies.is_cross_account OR last_good_copies.is_cross_region
ORDER BY
  last_good_time ASC NULLS FIRST,
  resource_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

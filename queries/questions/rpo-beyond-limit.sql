-- title: Resources whose last good copy elsewhere is older than the limit
-- about: One row for each resource and each account or region other than the resource's own
--   (in_other_account, in_other_region) that a copy was tried to, where the youngest good copy that its
--   lifecycle still keeps was created more than --hours before the lake's now, or where there is none
--   (rpo_hours is empty; these come first): none ever was (last_good_time is empty too), or the lifecycle
--   has deleted them all (expires_time says when the last one went). The last copy's state and category say
--   what happened since: RUNNING may be a slow copy, FAILED needs a person. last_good_drain_time says
--   through when the account and region of the last copy job has been read: where that is long ago, younger
--   copies may exist that nobody has seen. Where copies are weekly by design, raise --hours. account_id is
--   the resource's by its ARN, else the copy job's. Resources that were deleted stay here until --days have
--   gone by without a copy job; a rule that stopped altogether is in silent-rules.
-- parameter: hours integer default 26 — How old the last good copy may be
-- parameter: days integer default 90 — Resources with any copy job to that place created on the day of the
--   last run or on this many days before it
-- reads: every day
WITH tried AS (
  SELECT
    leaf_copies.resource_arn,
    leaf_copies.resource_type,
    leaf_copies.resource_name,
    leaf_copies.resource_account_id,
    leaf_copies.account_id,
    leaf_copies.region,
    leaf_copies.destination_account_id,
    leaf_copies.destination_region,
    resource_places.in_other_account,
    resource_places.in_other_region,
    leaf_copies.creation_time,
    leaf_copies.state,
    leaf_copies.message_category,
    row_number() OVER (
      PARTITION BY leaf_copies.resource_arn, leaf_copies.destination_account_id, leaf_copies.destination_region
      ORDER BY leaf_copies.creation_time DESC NULLS LAST, leaf_copies.copy_job_id DESC NULLS LAST
    ) AS place
  FROM leaf_copies
  INNER JOIN resource_places
    ON resource_places.resource_arn = leaf_copies.resource_arn
    AND resource_places.destination_account_id IS NOT DISTINCT FROM leaf_copies.destination_account_id
    AND resource_places.destination_region IS NOT DISTINCT FROM leaf_copies.destination_region
  WHERE (resource_places.in_other_account OR resource_places.in_other_region)
    AND leaf_copies.creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
good AS (
  SELECT
    last_good_copies.resource_arn,
    last_good_copies.destination_account_id,
    last_good_copies.destination_region,
    last_good_copies.creation_time,
    last_good_copies.expires_time,
    CASE
      WHEN last_good_copies.expires_time <= lake_time.as_of THEN NULL
      ELSE date_diff('millisecond', last_good_copies.creation_time, lake_time.as_of)
    END AS rpo_ms
  FROM last_good_copies
  CROSS JOIN lake_time
)
SELECT
  tried.resource_arn,
  tried.resource_type,
  tried.resource_name,
  coalesce(tried.resource_account_id, tried.account_id) AS account_id,
  tried.destination_account_id,
  tried.destination_region,
  tried.in_other_account,
  tried.in_other_region,
  good.creation_time AS last_good_time,
  round(CAST(good.rpo_ms AS double) / 3600000, 2) AS rpo_hours,
  good.expires_time,
  tried.creation_time AS last_copy_time,
  tried.state AS last_copy_state,
  tried.message_category AS last_copy_category,
  target_drains.last_good_drain_time
FROM tried
LEFT JOIN good
  ON good.resource_arn = tried.resource_arn
  AND good.destination_account_id IS NOT DISTINCT FROM tried.destination_account_id
  AND good.destination_region IS NOT DISTINCT FROM tried.destination_region
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = tried.account_id
  AND target_drains.region = tried.region
WHERE tried.place = 1
  AND (good.rpo_ms IS NULL OR good.rpo_ms > CAST(:hours AS bigint) * 3600000)
ORDER BY
  rpo_hours DESC NULLS FIRST,
  resource_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

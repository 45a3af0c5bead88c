-- title: Resources whose last good copy elsewhere is older than the limit
-- about: One row for each resource and each other account or region that a copy was tried to, where the
--   last good copy there was created more than --hours before the lake's now, or none ever was (rpo_hours
--   is empty; these come first). The last copy's state and category say what happened since: RUNNING may be
--   a slow copy, FAILED needs a person. Where copies are weekly by design, raise --hours. Resources that
--   were deleted stay here until --days have gone by without a copy job; a rule that stopped altogether is
--   in silent-rules.
-- parameter: hours integer default 26 — How old the last good copy may be
-- parameter: days integer default 90 — Resources with any copy job to that place created on the day of the
--   last run or on this many days before it
-- reads: every day
WITH tried AS (
  SELECT
    resource_arn,
    resource_type,
    resource_name,
    account_id,
    destination_account_id,
    destination_region,
    is_cross_account,
    is_cross_region,
    creation_time,
    state,
    message_category,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY creation_time DESC NULLS LAST, copy_job_id DESC NULLS LAST
    ) AS place
  FROM leaf_copies
  WHERE resource_arn IS NOT NULL
    AND (is_cross_account OR is_cross_region)
    AND creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
)
SELECT
  tried.resource_arn,
  tried.resource_type,
  tried.resource_name,
  tried.account_id,
  tried.destination_account_id,
  tried.destination_region,
  tried.is_cross_account,
  tried.is_cross_region,
  last_good_copies.creation_time AS last_good_time,
  round(
    CAST(date_diff('millisecond', last_good_copies.creation_time, lake_time.as_of) AS double) / 3600000,
    2
  ) AS rpo_hours,
  tried.creation_time AS last_copy_time,
  tried.state AS last_copy_state,
  tried.message_category AS last_copy_category
FROM tried
CROSS JOIN lake_time
LEFT JOIN last_good_copies
  ON last_good_copies.resource_arn = tried.resource_arn
  AND last_good_copies.destination_account_id IS NOT DISTINCT FROM tried.destination_account_id
  AND last_good_copies.destination_region IS NOT DISTINCT FROM tried.destination_region
WHERE tried.place = 1
  AND (
    last_good_copies.creation_time IS NULL
    OR date_diff('millisecond', last_good_copies.creation_time, lake_time.as_of)
      > CAST(:hours AS bigint) * 3600000
  )
ORDER BY
  last_good_time ASC NULLS FIRST,
  resource_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

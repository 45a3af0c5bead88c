-- title: Resources without a copy that surely exists in another account or region
-- about: One row for each resource that has copy jobs, but lacks a copy that surely still exists in another
--   account, in another region, or in both (kept_in_other_account and kept_in_other_region count them).
--   Whoever takes over the account, or whatever takes down the region, then takes the resource together
--   with its copies. kept counts the copies that their lifecycle surely keeps at the time of the last run,
--   as in rpo. unsure_in_other_account and unsure_in_other_region count copies that may be gone, and copies
--   whose end AWS does not report (no number of days, or -1): look into the vault. completed,
--   completed_in_other_account and completed_in_other_region count copies that were made, whether or not
--   they still exist. tried_elsewhere counts all copy jobs to another account or region, successful or not.
--   If it is above 0, the plan is right, and the copies fail or are gone. Other means other than the
--   resource's own, as in resource_places; if nothing tells, the copy counts as staying at home. account_id
--   comes from the resource's ARN, otherwise from its copy jobs; it is empty if those belong to several
--   accounts. Copies from before --days do not count here, even if they are kept for longer.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- parameter: window integer default 176 — How many hours a plan may give a backup, from its schedule to its
--   end. AWS's defaults are 8 hours to start and 7 days to complete. Set it lower if your plans do, above
--   all if copies are kept for a week or less
-- reads: every day
WITH copies AS (
  SELECT
    leaf_copies.resource_arn,
    leaf_copies.resource_type,
    leaf_copies.resource_name,
    leaf_copies.resource_account_id,
    leaf_copies.account_id,
    leaf_copies.state,
    leaf_copies.creation_time,
    coalesce(resource_places.in_other_account, false) AS in_other_account,
    coalesce(resource_places.in_other_region, false) AS in_other_region,
    CASE
      WHEN leaf_copies.state IS DISTINCT FROM 'COMPLETED' THEN 'none'
      WHEN copy_lives.expires_time IS NULL THEN 'unknown'
      WHEN copy_lives.expires_time <= lake_time.as_of THEN 'gone'
      WHEN copy_lives.is_scheduled
        AND copy_lives.destination_recovery_point_lifecycle_delete_after_event IS NULL
        AND date_diff('millisecond', lake_time.as_of, copy_lives.expires_time) > CAST(:window AS bigint) * 3600000
        THEN 'kept'
      ELSE 'may_be_gone'
    END AS protection
  FROM leaf_copies
  INNER JOIN resource_places
    ON resource_places.resource_arn = leaf_copies.resource_arn
    AND resource_places.destination_account_id IS NOT DISTINCT FROM leaf_copies.destination_account_id
    AND resource_places.destination_region IS NOT DISTINCT FROM leaf_copies.destination_region
  LEFT JOIN copy_lives ON copy_lives.copy_job_id = leaf_copies.copy_job_id
  CROSS JOIN lake_time
  WHERE leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
),
resources AS (
  SELECT
    resource_arn,
    max(resource_type) AS resource_type,
    max(resource_name) AS resource_name,
    coalesce(
      max(resource_account_id),
      CASE WHEN min(account_id) = max(account_id) THEN max(account_id) END
    ) AS account_id,
    count(CASE WHEN protection = 'kept' AND in_other_account THEN 1 END) AS kept_in_other_account,
    count(CASE WHEN protection = 'kept' AND in_other_region THEN 1 END) AS kept_in_other_region,
    count(CASE WHEN protection IN ('may_be_gone', 'unknown') AND in_other_account THEN 1 END) AS unsure_in_other_account,
    count(CASE WHEN protection IN ('may_be_gone', 'unknown') AND in_other_region THEN 1 END) AS unsure_in_other_region,
    count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
    count(CASE WHEN state = 'COMPLETED' AND in_other_account THEN 1 END) AS completed_in_other_account,
    count(CASE WHEN state = 'COMPLETED' AND in_other_region THEN 1 END) AS completed_in_other_region,
    count(CASE WHEN in_other_account OR in_other_region THEN 1 END) AS tried_elsewhere,
    max(creation_time) AS last_copy_time
  FROM copies
  GROUP BY resource_arn
  HAVING count(CASE WHEN protection = 'kept' AND in_other_account THEN 1 END) = 0
    OR count(CASE WHEN protection = 'kept' AND in_other_region THEN 1 END) = 0
)
SELECT
  resources.resource_arn,
  resources.resource_type,
  resources.resource_name,
  resources.account_id,
  account_names.account_name,
  resources.kept_in_other_account,
  resources.kept_in_other_region,
  resources.unsure_in_other_account,
  resources.unsure_in_other_region,
  resources.completed,
  resources.completed_in_other_account,
  resources.completed_in_other_region,
  resources.tried_elsewhere,
  resources.last_copy_time
FROM resources
LEFT JOIN account_names ON account_names.account_id = resources.account_id
ORDER BY resources.resource_arn ASC NULLS LAST

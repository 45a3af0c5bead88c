-- title: Resources whose every copy stays in one account or in one region
-- about: One row for each resource that was copied, or tried to be, and has no good copy in another
--   account, or none in another region, or neither (completed_in_other_account, completed_in_other_region).
--   Whoever takes over the account, or whatever takes down the region, then takes the resource and its
--   copies. tried_elsewhere counts copies to another account or region that were asked for, whatever became
--   of them: above 0, the plan is right and the copies fail. Where a vault's ARN does not tell its place,
--   the copy counts as staying.
-- parameter: days integer default 30 — Copies created on the day of the last run or on this many days
--   before it
-- reads: :days
SELECT
  resource_arn,
  max(resource_type) AS resource_type,
  max(resource_name) AS resource_name,
  max(account_id) AS account_id,
  count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
  count(CASE WHEN state = 'COMPLETED' AND is_cross_account THEN 1 END) AS completed_in_other_account,
  count(CASE WHEN state = 'COMPLETED' AND is_cross_region THEN 1 END) AS completed_in_other_region,
  count(CASE WHEN is_cross_account OR is_cross_region THEN 1 END) AS tried_elsewhere,
  max(creation_time) AS last_copy_time
FROM leaf_copies
WHERE resource_arn IS NOT NULL
  AND creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
GROUP BY resource_arn
HAVING count(CASE WHEN state = 'COMPLETED' AND is_cross_account THEN 1 END) = 0
  OR count(CASE WHEN state = 'COMPLETED' AND is_cross_region THEN 1 END) = 0
ORDER BY resource_arn ASC NULLS LAST

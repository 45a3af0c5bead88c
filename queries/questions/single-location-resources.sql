-- title: Resources whose every copy stays in one account or in one region
-- about: One row for each resource that was copied, or tried to be, and has no good copy in another account
--   than its own, or none in another region, or neither (completed_in_other_account,
--   completed_in_other_region). Whoever takes over the account, or whatever takes down the region, then
--   takes the resource and its copies. tried_elsewhere counts copies to another account or region that were
--   asked for, whatever became of them: above 0, the plan is right and the copies fail. What is elsewhere is
--   measured from the resource, as resource_places has it; where nothing tells, the copy counts as staying.
--   account_id is the resource's by its ARN, else that of its copy jobs; empty where those are of several.
--   A copy counts though its lifecycle may have deleted it since: rpo says that.
-- parameter: days integer default 30 — Copies created on the day of the last run or on this many days
--   before it
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
    coalesce(resource_places.in_other_region, false) AS in_other_region
  FROM leaf_copies
  INNER JOIN resource_places
    ON resource_places.resource_arn = leaf_copies.resource_arn
    AND resource_places.destination_account_id IS NOT DISTINCT FROM leaf_copies.destination_account_id
    AND resource_places.destination_region IS NOT DISTINCT FROM leaf_copies.destination_region
  WHERE leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
)
SELECT
  resource_arn,
  max(resource_type) AS resource_type,
  max(resource_name) AS resource_name,
  coalesce(
    max(resource_account_id),
    CASE WHEN min(account_id) = max(account_id) THEN max(account_id) END
  ) AS account_id,
  count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
  count(CASE WHEN state = 'COMPLETED' AND in_other_account THEN 1 END) AS completed_in_other_account,
  count(CASE WHEN state = 'COMPLETED' AND in_other_region THEN 1 END) AS completed_in_other_region,
  count(CASE WHEN in_other_account OR in_other_region THEN 1 END) AS tried_elsewhere,
  max(creation_time) AS last_copy_time
FROM copies
GROUP BY resource_arn
HAVING count(CASE WHEN state = 'COMPLETED' AND in_other_account THEN 1 END) = 0
  OR count(CASE WHEN state = 'COMPLETED' AND in_other_region THEN 1 END) = 0
ORDER BY resource_arn ASC NULLS LAST

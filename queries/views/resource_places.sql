-- title: Which places are elsewhere, seen from the resource
-- about: One row for each resource and each account and region that had a copy job for it. Elsewhere is
--   measured from the resource, not from the vault that a copy came from. A copy that is copied again
--   within its account is still in another account than the resource, and a copy that is copied back is at
--   home. If the resource's ARN has no account or region (S3's has neither), or the destination's vault ARN
--   does not tell, a place is elsewhere if any copy to it came from another account or region; a copy
--   brought back home then counts as elsewhere.
-- column: in_other_account - true — Whether the place is in another account than the resource; null if
--   nothing tells.
-- column: in_other_region - true — Whether the place is in another region than the resource; null if
--   nothing tells.
SELECT
  resource_arn,
  destination_account_id,
  destination_region,
  coalesce(max(resource_account_id) <> destination_account_id, bool_or(is_cross_account)) AS in_other_account,
  coalesce(max(resource_region) <> destination_region, bool_or(is_cross_region)) AS in_other_region
FROM leaf_copies
WHERE resource_arn IS NOT NULL
GROUP BY resource_arn, destination_account_id, destination_region

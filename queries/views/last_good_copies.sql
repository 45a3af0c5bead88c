-- title: The last good copy of each resource in each place
-- about: One row for each resource and each account and region that a copy of it ever reached: the youngest
--   good copy there, by the creation of its copy job. Places include the resource's own account and region.
--   Rows without a resource's ARN are left out.
-- column: completed jobs 30 — Good copies of the resource in that place, this one included.
SELECT
  resource_arn,
  resource_type,
  resource_name,
  account_id,
  destination_account_id,
  destination_region,
  is_cross_account,
  is_cross_region,
  copy_job_id,
  creation_time,
  completion_time,
  destination_recovery_point_arn,
  destination_backup_vault_arn,
  completed
FROM (
  SELECT
    resource_arn,
    resource_type,
    resource_name,
    account_id,
    destination_account_id,
    destination_region,
    is_cross_account,
    is_cross_region,
    copy_job_id,
    creation_time,
    completion_time,
    destination_recovery_point_arn,
    destination_backup_vault_arn,
    count(*) OVER (PARTITION BY resource_arn, destination_account_id, destination_region) AS completed,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY creation_time DESC NULLS LAST, copy_job_id DESC NULLS LAST
    ) AS place
  FROM good_copies
  WHERE resource_arn IS NOT NULL
) ranked
WHERE place = 1

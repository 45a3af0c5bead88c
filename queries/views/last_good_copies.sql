-- title: The last good copy of each resource in each place
-- about: One row for each resource and each account and region that a copy of it ever reached: the youngest
--   good copy there, by the creation of its copy job, that its lifecycle has not deleted by the lake's now.
--   Where it has deleted them all, the youngest of those: expires_time is then in the past, and nothing can
--   be restored from it. Places include the resource's own account and region; resource_places says which
--   are elsewhere. Rows without a resource's ARN are left out.
-- column: resource_account_id - 111122223333 — The resource's account, out of its ARN; null where that has
--   none, as S3's.
-- column: expires_time - 2027-11-20 01:02:03.456 — When the lifecycle deletes the copy: so many days after
--   the copy job's creation; null: it is kept for ever, or AWS did not say.
-- column: completed jobs 30 — Good copies of the resource that ever reached that place, this one included.
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
  completion_time,
  expires_time,
  destination_recovery_point_arn,
  destination_backup_vault_arn,
  completed
FROM (
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
    completion_time,
    expires_time,
    destination_recovery_point_arn,
    destination_backup_vault_arn,
    count(*) OVER (PARTITION BY resource_arn, destination_account_id, destination_region) AS completed,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY is_deleted ASC NULLS LAST, creation_time DESC NULLS LAST, copy_job_id DESC NULLS LAST
    ) AS place
  FROM (
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
      completion_time,
      expires_time,
      destination_recovery_point_arn,
      destination_backup_vault_arn,
      coalesce(expires_time <= (SELECT as_of FROM lake_time), false) AS is_deleted
    FROM good_copies
    WHERE resource_arn IS NOT NULL
  ) named
) ranked
WHERE place = 1

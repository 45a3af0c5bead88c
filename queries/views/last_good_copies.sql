-- title: The best copy of each resource in each place
-- about: One row for each resource and each account and region that a copy of it ever reached. The row is
--   the copy with the youngest data among those that the lifecycle surely keeps (protection is kept in
--   copy_lives). If there is none, it is the one with the youngest data among those that may exist or whose
--   end is unknown: that is no protection, and protection says so. If all are gone, it is the youngest of
--   those: nothing can be restored from it. Places include the resource's own account and region;
--   resource_places shows which are elsewhere. Rows without a resource ARN are left out.
-- column: resource_account_id - 111122223333 — The resource's account, from its ARN; null if the ARN has
--   none, as S3's.
-- column: expires_time - 2027-11-20 01:02:03.456 — An upper bound: the lifecycle deletes the copy at this
--   time or before. Null: unknown. See copy_lives.
-- column: protection - kept — Whether the copy exists at the time of the last run: kept, may_be_gone,
--   unknown or gone. Only kept is protection. See copy_lives.
-- column: source_created_before - 2026-11-20 01:02:03.456 — An upper bound of the source's creation: the
--   data are from this time or older.
-- column: completed jobs 30 — Good copies of the resource that ever reached that place, including this one.
-- column: best_case_time - 2026-11-20 01:02:03.456 — source_created_before of the youngest copy there that
--   is not known to be gone: how young the data are at best, if that copy exists. Null: all are gone.
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
  completed,
  protection,
  source_created_before,
  best_case_time
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
    protection,
    source_created_before,
    count(*) OVER (PARTITION BY resource_arn, destination_account_id, destination_region) AS completed,
    max(CASE WHEN protection <> 'gone' THEN source_created_before END) OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
    ) AS best_case_time,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY
        CASE protection WHEN 'kept' THEN 0 WHEN 'gone' THEN 2 ELSE 1 END ASC NULLS LAST,
        source_created_before DESC NULLS LAST,
        creation_time DESC NULLS LAST,
        copy_job_id DESC NULLS LAST
    ) AS place
  FROM copy_lives
  WHERE resource_arn IS NOT NULL
) ranked
WHERE place = 1

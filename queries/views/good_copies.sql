-- title: Copies that were made
-- about: The rows of leaf_copies whose state is COMPLETED. Each stands for one recovery point that was in
--   its destination vault when the job ended. No copy job tells whether that recovery point still exists:
--   its lifecycle deletes it at expires_time or before, and a person may have deleted it earlier. So a row
--   here is not yet protection: copy_lives shows which copies still exist. PARTIAL is not good.
-- column: resource_account_id - 111122223333 — The resource's account, from its ARN; null if the ARN has
--   none, as S3's.
-- column: resource_region - us-east-1 — The resource's region, from its ARN; null if the ARN has none.
-- column: expires_time - 2027-11-20 01:02:03.456 — An upper bound: the lifecycle deletes the copy at this
--   time or before. It counts the days from the copy job's creation, but AWS counts them from the creation
--   of the source, which is earlier; copy_lives has a closer bound. Null: unknown, because AWS reported no
--   number of days, or -1.
SELECT
  copy_job_id,
  account_id,
  region,
  creation_time,
  completion_time,
  duration_ms,
  resource_arn,
  resource_name,
  resource_type,
  resource_account_id,
  resource_region,
  backup_size_in_bytes,
  source_account_id,
  source_region,
  source_recovery_point_arn,
  destination_backup_vault_arn,
  destination_account_id,
  destination_region,
  destination_recovery_point_arn,
  destination_vault_type,
  destination_vault_lock_state,
  destination_encryption_key_arn,
  destination_recovery_point_lifecycle_delete_after_days,
  destination_recovery_point_lifecycle_delete_after_event,
  CASE
    WHEN destination_recovery_point_lifecycle_delete_after_days BETWEEN 1 AND 99999
    THEN creation_time + destination_recovery_point_lifecycle_delete_after_days * INTERVAL '1' DAY
  END AS expires_time,
  is_cross_account,
  is_cross_region,
  created_by_backup_plan_id,
  created_by_backup_rule_id,
  created_by_backup_job_id,
  creation_date
FROM leaf_copies
WHERE state = 'COMPLETED'

-- title: Copies that were made
-- about: The rows of leaf_copies whose state is COMPLETED: each stands for one recovery point in its
--   destination vault at the time. Whether that recovery point still exists (its lifecycle may have ended)
--   no copy job tells. PARTIAL is not good.
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
  backup_size_in_bytes,
  source_account_id,
  source_region,
  destination_backup_vault_arn,
  destination_account_id,
  destination_region,
  destination_recovery_point_arn,
  destination_vault_type,
  destination_vault_lock_state,
  destination_encryption_key_arn,
  is_cross_account,
  is_cross_region,
  created_by_backup_plan_id,
  created_by_backup_rule_id,
  creation_date
FROM leaf_copies
WHERE state = 'COMPLETED'

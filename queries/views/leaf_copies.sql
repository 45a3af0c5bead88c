-- title: Copy jobs that move data, each counted once
-- about: copy_jobs without the parents of composite resources. A parent's size is the sum of its children's
--   sizes, so adding both would count it twice. A parent that reports no children counts as itself. All
--   other views and questions count these rows and add up their bytes; only composite-copies looks at
--   parents.
-- column: resource_account_id - 111122223333 — The resource's account, from its ARN; null if the ARN has
--   none, as S3's.
-- column: resource_region - us-east-1 — The resource's region, from its ARN; null if the ARN has none.
SELECT
  copy_job_id,
  account_id,
  region,
  state,
  is_terminal,
  message_category,
  status_message,
  creation_time,
  completion_time,
  duration_ms,
  resource_arn,
  resource_name,
  resource_type,
  CASE
    WHEN resource_arn LIKE 'arn:%:%:%:%:%' THEN nullif(split_part(resource_arn, ':', 5), '')
  END AS resource_account_id,
  CASE
    WHEN resource_arn LIKE 'arn:%:%:%:%:%' THEN nullif(split_part(resource_arn, ':', 4), '')
  END AS resource_region,
  backup_size_in_bytes,
  source_backup_vault_arn,
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
  is_cross_account,
  is_cross_region,
  created_by_backup_plan_id,
  created_by_backup_plan_name,
  created_by_backup_rule_id,
  created_by_backup_rule_name,
  created_by_backup_rule_cron,
  created_by_backup_rule_timezone,
  schedule_interval_ms,
  created_by_backup_job_id,
  parent_job_id,
  creation_date
FROM copy_jobs
WHERE coalesce(number_of_child_jobs, CASE WHEN is_parent THEN 1 ELSE 0 END) = 0

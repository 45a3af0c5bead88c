-- title: Every copy of a resource
-- about: All leaf copies of the resources whose ARN is like --resource (% stands for anything, every other
--   sign for itself), newest first: what an auditor is shown. Without --resource, of all resources. Give
--   the ARN in full for one; hours_taken is empty while a copy runs. COMPLETED says that the copy was made,
--   not that it still exists: expires_time is when its lifecycle deletes it at the latest (copy_lives has a
--   closer bound), and is empty where AWS tells no number of days, or -1.
-- parameter: resource text default % — The resource's ARN; % stands for any text
-- parameter: days integer default 30 — Copies created on the day of the last run or on this many days
--   before it
-- reads: :days
SELECT
  creation_time,
  state,
  resource_arn,
  resource_name,
  resource_type,
  account_id,
  destination_account_id,
  destination_region,
  destination_backup_vault_arn,
  destination_recovery_point_arn,
  round(CAST(duration_ms AS double) / 3600000, 2) AS hours_taken,
  CASE
    WHEN state = 'COMPLETED' AND destination_recovery_point_lifecycle_delete_after_days BETWEEN 1 AND 99999
    THEN creation_time + destination_recovery_point_lifecycle_delete_after_days * INTERVAL '1' DAY
  END AS expires_time,
  backup_size_in_bytes,
  message_category,
  status_message,
  created_by_backup_plan_name AS plan_name,
  created_by_backup_rule_name AS rule_name,
  copy_job_id
FROM leaf_copies
WHERE resource_arn LIKE replace(replace(:resource, '!', '!!'), '_', '!_') ESCAPE '!'
  AND creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
ORDER BY creation_time DESC NULLS LAST, copy_job_id ASC NULLS LAST

-- title: Every copy of a resource
-- about: All leaf copies of the resources whose ARN matches --resource, newest first: what you show an
--   auditor. Give the full ARN for one resource. % matches any text, and every other character matches
--   itself. Without --resource, the question returns all resources. hours_taken is empty while a copy runs.
--   COMPLETED means that the copy was made, not that it still exists. expires_time is the latest time at
--   which its lifecycle deletes it (copy_lives has a closer bound). It is empty if AWS reports no number of
--   days, or -1.
-- parameter: resource text default % — The resource's ARN; % matches any text
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  leaf_copies.creation_time,
  leaf_copies.state,
  leaf_copies.resource_arn,
  leaf_copies.resource_name,
  leaf_copies.resource_type,
  leaf_copies.account_id,
  names.account_name,
  leaf_copies.destination_account_id,
  destination_names.account_name AS destination_account_name,
  leaf_copies.destination_region,
  leaf_copies.destination_backup_vault_arn,
  leaf_copies.destination_recovery_point_arn,
  round(CAST(leaf_copies.duration_ms AS double) / 3600000, 2) AS hours_taken,
  CASE
    WHEN leaf_copies.state = 'COMPLETED'
      AND leaf_copies.destination_recovery_point_lifecycle_delete_after_days BETWEEN 1 AND 99999
    THEN leaf_copies.creation_time + leaf_copies.destination_recovery_point_lifecycle_delete_after_days * INTERVAL '1' DAY
  END AS expires_time,
  leaf_copies.backup_size_in_bytes,
  leaf_copies.message_category,
  leaf_copies.status_message,
  leaf_copies.created_by_backup_plan_name AS plan_name,
  leaf_copies.created_by_backup_rule_name AS rule_name,
  leaf_copies.copy_job_id
FROM leaf_copies
LEFT JOIN account_names names ON names.account_id = leaf_copies.account_id
LEFT JOIN account_names destination_names ON destination_names.account_id = leaf_copies.destination_account_id
WHERE leaf_copies.resource_arn LIKE replace(replace(:resource, '!', '!!'), '_', '!_') ESCAPE '!'
  AND leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
ORDER BY leaf_copies.creation_time DESC NULLS LAST, leaf_copies.copy_job_id ASC NULLS LAST

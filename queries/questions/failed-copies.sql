-- title: Copies that failed, why, and how long until one succeeded
-- about: Each leaf copy in state FAILED, newest first, with AWS's category and message. failure_category
--   is AWS's category, or where AWS gave none, the one that the message shows; unknown if nobody documents
--   the message. cause and remedy say what went wrong and what a person can do, from known_failures.
--   repaired_time is when the first good copy of the same resource to the same vault ended, of those
--   created after the failed one. repair_hours is the time from the creation of the failed copy until
--   then: for that long, the resource was without the copy it should have had. If it is empty, the copy
--   has not been repaired. next_success_time is the same for a copy to any vault, so it shows whether the
--   problem is the resource or the destination. If a failure has no resource ARN or no vault ARN, it is
--   never repaired.
-- parameter: days integer default 7 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
WITH failed AS (
  SELECT
    copy_job_id,
    account_id,
    region,
    creation_time,
    completion_time,
    resource_type,
    resource_name,
    resource_arn,
    destination_account_id,
    destination_region,
    destination_backup_vault_arn,
    message_category,
    status_message,
    creation_date,
    created_by_backup_plan_name,
    created_by_backup_rule_name
  FROM leaf_copies
  WHERE state = 'FAILED'
    AND creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
good AS (
  SELECT resource_arn, destination_backup_vault_arn, creation_time, completion_time
  FROM good_copies
  WHERE creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
),
repaired AS (
  SELECT
    failed.copy_job_id AS failed_job_id,
    min(good.completion_time) AS next_success_time,
    min(
      CASE
        WHEN good.destination_backup_vault_arn = failed.destination_backup_vault_arn
        THEN good.completion_time
      END
    ) AS repaired_time
  FROM failed
  INNER JOIN good
    ON good.resource_arn = failed.resource_arn AND good.creation_time > failed.creation_time
  GROUP BY failed.copy_job_id
)
SELECT
  failed.creation_time,
  failed.account_id,
  names.account_name,
  failed.region,
  failed.resource_type,
  failed.resource_name,
  failed.resource_arn,
  failed.destination_account_id,
  destination_names.account_name AS destination_account_name,
  failed.destination_region,
  failed.destination_backup_vault_arn,
  failed.message_category,
  failed.status_message,
  explained_failures.failure_category,
  explained_failures.cause,
  explained_failures.remedy,
  failed.created_by_backup_plan_name AS plan_name,
  failed.created_by_backup_rule_name AS rule_name,
  repaired.repaired_time,
  round(
    CAST(date_diff('millisecond', failed.creation_time, repaired.repaired_time) AS double) / 3600000,
    2
  ) AS repair_hours,
  repaired.next_success_time,
  failed.completion_time,
  failed.copy_job_id
FROM failed
LEFT JOIN explained_failures
  ON explained_failures.copy_job_id = failed.copy_job_id
  AND explained_failures.creation_date = failed.creation_date
LEFT JOIN repaired ON repaired.failed_job_id = failed.copy_job_id
LEFT JOIN account_names names ON names.account_id = failed.account_id
LEFT JOIN account_names destination_names ON destination_names.account_id = failed.destination_account_id
ORDER BY failed.creation_time DESC NULLS LAST, failed.copy_job_id ASC NULLS LAST

-- title: How long each good copy exists, as far as copy jobs tell
-- about: One row for each good copy, with what is known of its life. A copy keeps the creation date of its
--   source, so AWS counts its days from there, not from the copy job
--   (docs.aws.amazon.com/aws-backup/latest/devguide/recov-point-create-a-copy.html). Copy jobs do not tell
--   that date, but they bound it. The source existed when the first job copied it, or copied what it is a
--   copy of (followed over two copies). And if a backup job of a plan started such a copy, that backup job
--   made the source shortly before. protection is what follows at the time of the last run. kept: the
--   lifecycle keeps the copy, even if the backup took 176 hours, which is what AWS allows by default (8
--   hours to start, 7 days to complete). may_be_gone: its latest end lies ahead, but nothing tells how old
--   the source was, or AWS deletes the copy after an event. unknown: nothing bounds its end. gone: its
--   latest end has passed. Only kept is protection. A person may have deleted any copy since, or changed
--   its lifecycle.
-- column: resource_account_id - 111122223333 — The resource's account, from its ARN; null if the ARN has
--   none, as S3's.
-- column: source_created_before - 2026-11-20 01:02:03.456 — An upper bound of the source's creation, and so
--   of the data's time: the data are from this time or older. It is the creation of the first known copy
--   job of the same recovery point, or of one that it is a copy of. A continuous recovery point is not one
--   backup, so each of its copies counts alone.
-- column: is_scheduled - true — Whether a backup job of a plan made the source and started a copy of it at
--   once. If so, source_created_before is off by no more than the time that the backup took.
-- column: expires_time - 2027-11-20 01:02:03.456 — An upper bound: the lifecycle deletes the copy at this
--   time or before, namely its days after source_created_before. Null: unknown, because AWS reported no
--   number of days, or -1. By one page of AWS, -1 keeps the copy for ever; by another, only as long as its
--   source.
-- column: protection - kept — At the time of the last run: kept, may_be_gone, unknown or gone, as described
--   above.
SELECT
  copy_job_id,
  account_id,
  region,
  creation_time,
  completion_time,
  resource_arn,
  resource_name,
  resource_type,
  resource_account_id,
  destination_account_id,
  destination_region,
  destination_backup_vault_arn,
  destination_recovery_point_arn,
  destination_recovery_point_lifecycle_delete_after_days,
  destination_recovery_point_lifecycle_delete_after_event,
  source_created_before,
  is_scheduled,
  expires_time,
  CASE
    WHEN expires_time IS NULL THEN 'unknown'
    WHEN expires_time <= (SELECT as_of FROM lake_time) THEN 'gone'
    WHEN is_scheduled
      AND destination_recovery_point_lifecycle_delete_after_event IS NULL
      AND date_diff('millisecond', (SELECT as_of FROM lake_time), expires_time) > 633600000
      THEN 'kept'
    ELSE 'may_be_gone'
  END AS protection,
  creation_date
FROM (
  SELECT
    copy_job_id,
    account_id,
    region,
    creation_time,
    completion_time,
    resource_arn,
    resource_name,
    resource_type,
    resource_account_id,
    destination_account_id,
    destination_region,
    destination_backup_vault_arn,
    destination_recovery_point_arn,
    destination_recovery_point_lifecycle_delete_after_days,
    destination_recovery_point_lifecycle_delete_after_event,
    source_created_before,
    is_scheduled,
    CASE
      WHEN destination_recovery_point_lifecycle_delete_after_days BETWEEN 1 AND 99999
      THEN source_created_before + destination_recovery_point_lifecycle_delete_after_days * INTERVAL '1' DAY
    END AS expires_time,
    creation_date
  FROM (
    SELECT
      good_copies.copy_job_id,
      good_copies.account_id,
      good_copies.region,
      good_copies.creation_time,
      good_copies.completion_time,
      good_copies.resource_arn,
      good_copies.resource_name,
      good_copies.resource_type,
      good_copies.resource_account_id,
      good_copies.destination_account_id,
      good_copies.destination_region,
      good_copies.destination_backup_vault_arn,
      good_copies.destination_recovery_point_arn,
      good_copies.destination_recovery_point_lifecycle_delete_after_days,
      good_copies.destination_recovery_point_lifecycle_delete_after_event,
      least(
        good_copies.creation_time,
        coalesce(copied.first_time, good_copies.creation_time),
        coalesce(made.first_time, good_copies.creation_time),
        coalesce(made_before.first_time, good_copies.creation_time)
      ) AS source_created_before,
      good_copies.created_by_backup_job_id IS NOT NULL
        OR coalesce(copied.is_scheduled, false)
        OR coalesce(made.is_scheduled, false)
        OR coalesce(made_before.is_scheduled, false) AS is_scheduled,
      good_copies.creation_date
    FROM good_copies
    LEFT JOIN (
      SELECT
        source_recovery_point_arn AS recovery_point_arn,
        min(creation_time) AS first_time,
        bool_or(created_by_backup_job_id IS NOT NULL) AS is_scheduled
      FROM leaf_copies
      WHERE source_recovery_point_arn LIKE 'arn:%'
        AND source_recovery_point_arn NOT LIKE '%:recovery-point:continuous%'
      GROUP BY source_recovery_point_arn
    ) copied
      ON copied.recovery_point_arn = good_copies.source_recovery_point_arn
    LEFT JOIN (
      SELECT
        destination_recovery_point_arn AS recovery_point_arn,
        min(source_recovery_point_arn) AS source_arn,
        min(creation_time) AS first_time,
        bool_or(created_by_backup_job_id IS NOT NULL) AS is_scheduled
      FROM good_copies
      WHERE destination_recovery_point_arn LIKE 'arn:%'
      GROUP BY destination_recovery_point_arn
    ) made
      ON made.recovery_point_arn = good_copies.source_recovery_point_arn
    LEFT JOIN (
      SELECT
        destination_recovery_point_arn AS recovery_point_arn,
        min(creation_time) AS first_time,
        bool_or(created_by_backup_job_id IS NOT NULL) AS is_scheduled
      FROM good_copies
      WHERE destination_recovery_point_arn LIKE 'arn:%'
      GROUP BY destination_recovery_point_arn
    ) made_before
      ON made_before.recovery_point_arn = made.source_arn
  ) bounded
) ended

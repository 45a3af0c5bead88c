-- title: Resources without a recent enough copy elsewhere
-- about: One row for each resource and each other account or region that has a copy job for it, if no
--   copy there surely exists with data young enough. A resource is measured against the schedule of its
--   own rule (limit_from: schedule): the data may be as old as the time between two starts of the rule,
--   and --grace hours more. So a weekly copy is not late on Tuesday, nor a copy on working days late on
--   Sunday. copy_schedules explains which rule counts if there are several. If no schedule is known
--   (limit_from: hours), the data may be --hours old. limit_hours is the limit, hours_beyond how far the
--   data are beyond it. protection gives the reason, the worst first, and within it what is furthest
--   beyond. none: no good copy was ever made there. gone: the lifecycle has deleted all of them;
--   expires_time is the latest time at which the last one went. may_be_gone: copies may exist, but a copy
--   keeps the creation date of its source, which may be old, because the copy was made on demand, its days
--   end within --window, or AWS deletes it after an event. unknown: AWS reported no number of days, or -1,
--   which its pages explain in two ways. kept: a copy exists, but its data are older than the limit. Only
--   kept has rpo_hours. It is a lower bound: the data are at least that old, and older by the time the
--   backup took, so a resource just within the limit may really be beyond it. best_case_rpo_hours is the
--   same for the youngest copy that is not known to be gone. If that is within the limit, hours_beyond is
--   empty: look into the vault, or leave these rows out with --unproven 0. The last copy's state and
--   category show what happened since: RUNNING may be a slow copy, FAILED needs a person.
--   last_good_drain_time is the time up to which the account and region of the last copy job was read. If
--   that is long ago, younger copies may exist that nobody has seen. account_id comes from the resource's
--   ARN, otherwise from the copy job. A deleted resource stays in the list until --days have passed
--   without a copy job. For a rule that stopped completely, ask silent-rules.
-- parameter: hours integer default 26 — How old the data of the last good copy may be, if no schedule is
--   known
-- parameter: grace integer default 12 — How many hours later than its schedule a copy may be. AWS starts a
--   backup within 8 hours by default
-- parameter: schedules integer default 1 — 1: a schedule decides where one is known. 0: --hours decides
--   everywhere
-- parameter: unproven integer default 1 — 1: also resources whose youngest copy is young enough, but may
--   not exist any more. 0: without them
-- parameter: days integer default 90 — Resources with any copy job to that place created on the day of the
--   last run or on this many days before it
-- parameter: window integer default 176 — How many hours a plan may give a backup, from its schedule to its
--   end. AWS's defaults are 8 hours to start and 7 days to complete. Set it lower if your plans do, above
--   all if copies are kept for a week or less
-- reads: every day
WITH tried AS (
  SELECT
    leaf_copies.resource_arn,
    leaf_copies.resource_type,
    leaf_copies.resource_name,
    leaf_copies.resource_account_id,
    leaf_copies.account_id,
    leaf_copies.region,
    leaf_copies.destination_account_id,
    leaf_copies.destination_region,
    resource_places.in_other_account,
    resource_places.in_other_region,
    leaf_copies.creation_time,
    leaf_copies.state,
    leaf_copies.message_category,
    CASE WHEN :schedules > 0 AND copy_schedules.schedule_ms IS NOT NULL THEN 'schedule' ELSE 'hours' END AS limit_from,
    coalesce(
      CASE WHEN :schedules > 0 THEN copy_schedules.schedule_ms + CAST(:grace AS bigint) * 3600000 END,
      CAST(:hours AS bigint) * 3600000
    ) AS limit_ms,
    row_number() OVER (
      PARTITION BY leaf_copies.resource_arn, leaf_copies.destination_account_id, leaf_copies.destination_region
      ORDER BY leaf_copies.creation_time DESC NULLS LAST, leaf_copies.copy_job_id DESC NULLS LAST
    ) AS place
  FROM leaf_copies
  INNER JOIN resource_places
    ON resource_places.resource_arn = leaf_copies.resource_arn
    AND resource_places.destination_account_id IS NOT DISTINCT FROM leaf_copies.destination_account_id
    AND resource_places.destination_region IS NOT DISTINCT FROM leaf_copies.destination_region
  LEFT JOIN copy_schedules
    ON copy_schedules.resource_arn = leaf_copies.resource_arn
    AND copy_schedules.destination_account_id IS NOT DISTINCT FROM leaf_copies.destination_account_id
    AND copy_schedules.destination_region IS NOT DISTINCT FROM leaf_copies.destination_region
  WHERE (resource_places.in_other_account OR resource_places.in_other_region)
    AND leaf_copies.creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
lives AS (
  SELECT
    copy_lives.resource_arn,
    copy_lives.destination_account_id,
    copy_lives.destination_region,
    copy_lives.copy_job_id,
    copy_lives.creation_time,
    copy_lives.source_created_before,
    copy_lives.expires_time,
    CASE
      WHEN copy_lives.expires_time IS NULL THEN 'unknown'
      WHEN copy_lives.expires_time <= lake_time.as_of THEN 'gone'
      WHEN copy_lives.is_scheduled
        AND copy_lives.destination_recovery_point_lifecycle_delete_after_event IS NULL
        AND date_diff('millisecond', lake_time.as_of, copy_lives.expires_time) > CAST(:window AS bigint) * 3600000
        THEN 'kept'
      ELSE 'may_be_gone'
    END AS protection,
    date_diff('millisecond', copy_lives.source_created_before, lake_time.as_of) AS age_ms
  FROM copy_lives
  CROSS JOIN lake_time
  WHERE copy_lives.resource_arn IS NOT NULL
),
good AS (
  SELECT
    resource_arn,
    destination_account_id,
    destination_region,
    creation_time,
    source_created_before,
    expires_time,
    protection,
    CASE WHEN protection = 'kept' THEN age_ms END AS rpo_ms,
    min(CASE WHEN protection <> 'gone' THEN age_ms END) OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
    ) AS best_case_rpo_ms,
    row_number() OVER (
      PARTITION BY resource_arn, destination_account_id, destination_region
      ORDER BY
        CASE protection WHEN 'kept' THEN 0 WHEN 'gone' THEN 2 ELSE 1 END ASC NULLS LAST,
        source_created_before DESC NULLS LAST,
        creation_time DESC NULLS LAST,
        copy_job_id DESC NULLS LAST
    ) AS place
  FROM lives
)
SELECT
  tried.resource_arn,
  tried.resource_type,
  tried.resource_name,
  coalesce(tried.resource_account_id, tried.account_id) AS account_id,
  names.account_name,
  tried.destination_account_id,
  destination_names.account_name AS destination_account_name,
  tried.destination_region,
  tried.in_other_account,
  tried.in_other_region,
  coalesce(good.protection, 'none') AS protection,
  good.creation_time AS last_good_time,
  good.source_created_before,
  round(CAST(good.rpo_ms AS double) / 3600000, 2) AS rpo_hours,
  round(CAST(good.best_case_rpo_ms AS double) / 3600000, 2) AS best_case_rpo_hours,
  tried.limit_from,
  round(CAST(tried.limit_ms AS double) / 3600000, 2) AS limit_hours,
  CASE
    WHEN coalesce(good.rpo_ms, good.best_case_rpo_ms) > tried.limit_ms
    THEN round(CAST(coalesce(good.rpo_ms, good.best_case_rpo_ms) - tried.limit_ms AS double) / 3600000, 2)
  END AS hours_beyond,
  good.expires_time,
  tried.creation_time AS last_copy_time,
  tried.state AS last_copy_state,
  tried.message_category AS last_copy_category,
  target_drains.last_good_drain_time
FROM tried
LEFT JOIN good
  ON good.place = 1
  AND good.resource_arn = tried.resource_arn
  AND good.destination_account_id IS NOT DISTINCT FROM tried.destination_account_id
  AND good.destination_region IS NOT DISTINCT FROM tried.destination_region
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = tried.account_id
  AND target_drains.region = tried.region
LEFT JOIN account_names names
  ON names.account_id = coalesce(tried.resource_account_id, tried.account_id)
LEFT JOIN account_names destination_names ON destination_names.account_id = tried.destination_account_id
WHERE tried.place = 1
  AND (
    good.rpo_ms > tried.limit_ms
    OR good.best_case_rpo_ms IS NULL
    OR (good.rpo_ms IS NULL AND (good.best_case_rpo_ms > tried.limit_ms OR :unproven > 0))
  )
ORDER BY
  CASE good.protection
    WHEN 'gone' THEN 1
    WHEN 'may_be_gone' THEN 2
    WHEN 'unknown' THEN 3
    WHEN 'kept' THEN 4
    ELSE 0
  END ASC NULLS LAST,
  hours_beyond DESC NULLS LAST,
  tried.resource_arn ASC NULLS LAST,
  tried.destination_account_id ASC NULLS LAST,
  tried.destination_region ASC NULLS LAST

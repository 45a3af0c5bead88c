-- title: Backup plan rules that used to copy and have stopped
-- about: Rules whose last good copy was created more than --days before the last run, the longest silent
--   first. jobs_since counts the copy jobs that a rule has started since then. 0 means that it no longer
--   starts any: the plan was changed, a tag no longer selects anything, or the rule was deleted. More than
--   0 means that it tries and fails. The schedule shows whether you should expect silence: a monthly rule
--   is silent for a month. last_good_drain_time is the time up to which the rule's account and region was
--   read. If that is long ago, the rule may be copying and nobody has seen it (ask
--   targets-without-good-drain). A rule is left out, because it is probably deleted, if it started no copy
--   in the --within days before its silence began to count, that is, --days before the last run. So a
--   longer --days looks that much further back. Raise --within if rules run once a quarter or a year.
-- parameter: days integer default 7 — How long a rule may be silent
-- parameter: within integer default 90 — Rules that started a copy job, successful or not, at most this
--   many days before that silence began to count; that is, --days plus --within before the last run
-- reads: every day
WITH silent AS (
  SELECT
    rule_activity.account_id,
    rule_activity.region,
    rule_activity.plan_id,
    rule_activity.rule_id,
    rule_activity.plan_name,
    rule_activity.rule_name,
    rule_activity.rule_cron,
    rule_activity.rule_timezone,
    rule_activity.completed,
    rule_activity.last_good_time,
    rule_activity.last_job_time,
    date_diff('millisecond', rule_activity.last_good_time, lake_time.as_of) AS silent_ms
  FROM rule_activity
  CROSS JOIN lake_time
  WHERE date_diff('millisecond', rule_activity.last_good_time, lake_time.as_of) > CAST(:days AS bigint) * 86400000
    AND date_diff('millisecond', rule_activity.last_job_time, lake_time.as_of)
      <= CAST(:days + :within AS bigint) * 86400000
),
later AS (
  SELECT
    silent.account_id,
    silent.region,
    silent.plan_id,
    silent.rule_id,
    count(*) AS jobs_since
  FROM silent
  INNER JOIN leaf_copies
    ON leaf_copies.account_id = silent.account_id
    AND leaf_copies.region IS NOT DISTINCT FROM silent.region
    AND leaf_copies.created_by_backup_plan_id IS NOT DISTINCT FROM silent.plan_id
    AND leaf_copies.created_by_backup_rule_id = silent.rule_id
    AND leaf_copies.creation_time > silent.last_good_time
  GROUP BY silent.account_id, silent.region, silent.plan_id, silent.rule_id
)
SELECT
  silent.account_id,
  account_names.account_name,
  silent.region,
  silent.plan_id,
  silent.rule_id,
  silent.plan_name,
  silent.rule_name,
  silent.rule_cron,
  silent.rule_timezone,
  silent.last_good_time,
  round(CAST(silent.silent_ms AS double) / 86400000, 2) AS silent_days,
  silent.completed,
  coalesce(later.jobs_since, 0) AS jobs_since,
  silent.last_job_time,
  target_drains.last_good_drain_time
FROM silent
LEFT JOIN later
  ON later.account_id = silent.account_id
  AND later.region IS NOT DISTINCT FROM silent.region
  AND later.plan_id IS NOT DISTINCT FROM silent.plan_id
  AND later.rule_id = silent.rule_id
LEFT JOIN target_drains
  ON target_drains.table_name = 'copy_jobs'
  AND target_drains.account_id = silent.account_id
  AND target_drains.region = silent.region
LEFT JOIN account_names ON account_names.account_id = silent.account_id
ORDER BY
  silent.last_good_time ASC NULLS LAST,
  silent.account_id ASC NULLS LAST,
  silent.region ASC NULLS LAST,
  silent.plan_id ASC NULLS LAST,
  silent.rule_id ASC NULLS LAST

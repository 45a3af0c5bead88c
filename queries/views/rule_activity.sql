-- title: What each rule of each plan has done so far
-- about: One row for each account, region, plan and rule that ever started a copy, over the whole lake:
--   when it last started one, and when one last succeeded. Names and schedule are those on its jobs; if
--   there are several, the last in alphabetical order. Copies on demand are left out. A success means that
--   a copy was made, not that it still exists.
-- column: jobs jobs 365 — Leaf copies that the rule ever started.
-- column: completed jobs 360 — Copies that were made.
-- column: last_good_time - 2026-11-20 05:00:00.000 — When the youngest good copy was created; null if there
--   is none.
SELECT
  account_id,
  region,
  created_by_backup_plan_id AS plan_id,
  created_by_backup_rule_id AS rule_id,
  max(created_by_backup_plan_name) AS plan_name,
  max(created_by_backup_rule_name) AS rule_name,
  max(created_by_backup_rule_cron) AS rule_cron,
  max(created_by_backup_rule_timezone) AS rule_timezone,
  count(*) AS jobs,
  count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
  min(creation_time) AS first_job_time,
  max(creation_time) AS last_job_time,
  max(CASE WHEN state = 'COMPLETED' THEN creation_time END) AS last_good_time
FROM leaf_copies
WHERE created_by_backup_rule_id IS NOT NULL
GROUP BY account_id, region, created_by_backup_plan_id, created_by_backup_rule_id

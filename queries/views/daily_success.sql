-- title: Copies by day, account, plan and rule, and how they ended
-- about: Counts of leaf copies. still_open: has not ended, or is in a state not known to this program. A
--   copy on demand has no plan and no rule. Names are those on the jobs of that day; of several, the last
--   in order. Add up counts and divide anew rather than averaging percentages.
-- column: jobs jobs 12 — Leaf copies of that day and rule.
-- column: completed jobs 10 — Those that were made.
-- column: failed jobs 1 — Those that FAILED.
-- column: partly_done jobs 0 — Those that ended PARTIAL.
-- column: still_open jobs 1 — Those that have not ended, or whose state is not known here.
SELECT
  creation_date,
  account_id,
  created_by_backup_plan_id AS plan_id,
  created_by_backup_rule_id AS rule_id,
  max(created_by_backup_plan_name) AS plan_name,
  max(created_by_backup_rule_name) AS rule_name,
  count(*) AS jobs,
  count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
  count(CASE WHEN state = 'FAILED' THEN 1 END) AS failed,
  count(CASE WHEN state = 'PARTIAL' THEN 1 END) AS partly_done,
  count(CASE WHEN is_terminal THEN NULL ELSE 1 END) AS still_open
FROM leaf_copies
GROUP BY creation_date, account_id, created_by_backup_plan_id, created_by_backup_rule_id

-- title: Copies by day, account, plan and rule, and how they ended
-- about: Counts of leaf copies. still_open counts copies that have not ended, or that are in a state this
--   program does not know. A copy on demand has no plan and no rule. Names are those on the jobs of that
--   day; if there are several, the last in alphabetical order. To combine rows, add up the counts and
--   divide again; do not average percentages.
-- column: jobs jobs 12 — Leaf copies of that day and rule.
-- column: completed jobs 10 — Copies that were made.
-- column: failed jobs 1 — Copies that FAILED.
-- column: partly_done jobs 0 — Copies that ended PARTIAL.
-- column: still_open jobs 1 — Copies that have not ended, or whose state is not known here.
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

-- title: Share of copies that succeeded, by rule of a plan
-- about: success_percent is the share of COMPLETED among the copies that have ended (COMPLETED, FAILED,
--   PARTIAL). Copies that are still open do not count; if none has ended, it is empty. Copies are leaf
--   copies: the children of a composite, not their parent. The worst rule comes first; plans are identified
--   as in success-rate-by-plan. Use it to find the one schedule or destination that spoils a plan.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  daily_success.account_id,
  max(account_names.account_name) AS account_name,
  plan_id,
  rule_id,
  max(plan_name) AS plan_name,
  max(rule_name) AS rule_name,
  CAST(sum(jobs) AS bigint) AS jobs,
  CAST(sum(completed) AS bigint) AS completed,
  CAST(sum(failed) AS bigint) AS failed,
  CAST(sum(partly_done) AS bigint) AS partly_done,
  CAST(sum(still_open) AS bigint) AS still_open,
  round(
    CAST(sum(completed) AS double) * 100
      / nullif(CAST(sum(completed) + sum(failed) + sum(partly_done) AS double), 0),
    2
  ) AS success_percent
FROM daily_success
LEFT JOIN account_names ON account_names.account_id = daily_success.account_id
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY daily_success.account_id, plan_id, rule_id
ORDER BY success_percent ASC NULLS LAST, account_id ASC NULLS LAST, plan_id ASC NULLS LAST, rule_id ASC NULLS LAST

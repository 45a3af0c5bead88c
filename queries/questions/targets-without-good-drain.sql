-- title: Accounts and regions that were not read well lately
-- about: Each table, account and region that a run ever planned and whose last good drain (OK or OK_EMPTY)
--   is more than --days before the lake's now, or that never had one (these come first). Ask this before
--   believing any other answer: no failed copies means nothing where nobody could look. AWS forgets jobs
--   after about 30 days and counts after 14: what is not read by then is lost. A target that is no longer
--   planned stays here with its last_asked_time. Where no run has ended at all for days, now stands still:
--   lake_time says how old the lake is.
-- parameter: days integer default 2 — How old the last good drain may be
-- reads: every day
SELECT
  target_drains.table_name,
  target_drains.account_id,
  target_drains.account_name,
  target_drains.region,
  target_drains.last_good_drain_time,
  round(
    CAST(date_diff('millisecond', target_drains.last_good_drain_time, lake_time.as_of) AS double) / 86400000,
    2
  ) AS days_without,
  target_drains.last_asked_time,
  target_drains.last_status,
  target_drains.last_error_name,
  target_drains.last_error_message,
  target_drains.drains
FROM target_drains
CROSS JOIN lake_time
WHERE target_drains.last_good_drain_time IS NULL
  OR date_diff('millisecond', target_drains.last_good_drain_time, lake_time.as_of)
    > CAST(:days AS bigint) * 86400000
ORDER BY
  target_drains.last_good_drain_time ASC NULLS FIRST,
  target_drains.table_name ASC NULLS LAST,
  target_drains.account_id ASC NULLS LAST,
  target_drains.region ASC NULLS LAST

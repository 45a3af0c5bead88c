-- title: Accounts and regions that were not read well lately
-- about: Each table, account and region that a run ever planned and that good drains (OK or OK_EMPTY) have
--   read, without a gap, only through a time more than --days before the lake's now (last_good_drain_time),
--   or never (these come first). Ask this before believing any other answer: no failed copies means nothing
--   where nobody could look. AWS forgets jobs after about 30 days and counts after 14: what is not read by
--   then is lost. Where last_status is OK and last_asked_time is recent, that run left a time unread before
--   or after its window: export --since all reads what AWS still has. Targets in a region that is not
--   enabled (REGION_DISABLED) come last: that is a failure only where the region was asked for by name. A
--   target that is no longer planned stays here with its last_asked_time. Where no run has ended at all for
--   days, now stands still: lake_time says how old the lake is.
-- parameter: days integer default 2 — How long ago a target may have been read
-- reads: every day
SELECT
  target_drains.table_name,
  target_drains.account_id,
  coalesce(target_drains.account_name, account_names.account_name) AS account_name,
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
LEFT JOIN account_names ON account_names.account_id = target_drains.account_id
WHERE target_drains.last_good_drain_time IS NULL
  OR date_diff('millisecond', target_drains.last_good_drain_time, lake_time.as_of)
    > CAST(:days AS bigint) * 86400000
ORDER BY
  CASE WHEN target_drains.last_status = 'REGION_DISABLED' THEN 1 ELSE 0 END ASC NULLS LAST,
  target_drains.last_good_drain_time ASC NULLS FIRST,
  target_drains.table_name ASC NULLS LAST,
  target_drains.account_id ASC NULLS LAST,
  target_drains.region ASC NULLS LAST

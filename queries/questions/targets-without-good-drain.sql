-- title: Accounts and regions that were not read completely in recent days
-- about: One row for each table, account and region that nobody has read completely for more than --days
--   before the last run. last_good_drain_time is the time up to which good drains (OK or OK_EMPTY) have
--   read it without a gap. Targets that were never read have no such time, and come first. Ask this before
--   you believe any other answer: no failed copies means nothing where nobody could look. AWS deletes jobs
--   after about 30 days and counts after 14, so what is not read by then is lost. If last_status is OK and
--   last_asked_time is recent, that run left a gap before or after its window: export --since all reads
--   what AWS still has. Targets in a region that is not enabled (REGION_DISABLED) come last; they are a
--   failure only if somebody asked for the region by name. A target that is no longer planned stays here
--   with its last_asked_time. If no run has ended for days, this question cannot notice it: lake_time shows
--   how old the lake is.
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

-- title: What AWS deleted before anybody read it
-- about: One row for each interval of time that a table lost in one account and region: AWS deleted the
--   copy jobs created then (or the counts of these days) before a run read them. Nothing can bring them
--   back; an auditor has to be told. No rows: nothing that a run ever planned to read is lost. What is not
--   read yet but still can be is in targets-without-good-drain. The newest loss comes first.
-- parameter: days integer default 3650 — Losses that were noticed in so many days
-- reads: every day
SELECT
  lost_intervals.table_name,
  lost_intervals.account_id,
  coalesce(lost_intervals.account_name, account_names.account_name) AS account_name,
  lost_intervals.region,
  lost_intervals.lost_from,
  lost_intervals.lost_to,
  lost_intervals.lost_hours,
  lost_intervals.noticed_time
FROM lost_intervals
CROSS JOIN lake_time
LEFT JOIN account_names ON account_names.account_id = lost_intervals.account_id
WHERE date_diff('millisecond', lost_intervals.noticed_time, lake_time.as_of) <= CAST(:days AS bigint) * 86400000
ORDER BY
  lost_intervals.lost_to DESC NULLS LAST,
  lost_intervals.lost_from DESC NULLS LAST,
  lost_intervals.table_name ASC NULLS LAST,
  lost_intervals.account_id ASC NULLS LAST,
  lost_intervals.region ASC NULLS LAST

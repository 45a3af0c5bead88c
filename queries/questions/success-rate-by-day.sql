-- title: Share of copies that succeeded, by day
-- about: success_percent is the share of COMPLETED among the copies that have ended (COMPLETED, FAILED,
--   PARTIAL). Copies that are still open do not count; if none has ended, it is empty. Copies are leaf
--   copies: the children of a composite, not their parent. The newest day comes first. Its copies may not
--   have ended yet, so read the days before it. A day that is missing had no copies, or nobody could look:
--   ask targets-without-good-drain.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  creation_date,
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
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY creation_date
ORDER BY creation_date DESC NULLS LAST

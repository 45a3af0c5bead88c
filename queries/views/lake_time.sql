-- title: The time of the lake's last run
-- about: One row: the time of the last run that wrote its coverage, by AWS's clock, and its UTC day. Every
--   question measures ages from this time, never from the clock, so the same lake always gives the same
--   answer. If this time is old, the lake is old. Null if no run has ended yet.
-- column: as_of_date - 2026-11-21 — The UTC day of as_of, yyyy-MM-dd.
SELECT
  max(as_of) AS as_of,
  CAST(CAST(max(as_of) AS date) AS varchar) AS as_of_date
FROM export_coverage

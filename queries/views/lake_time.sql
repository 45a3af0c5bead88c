-- title: The lake's now
-- about: One row: the instant of the last run that wrote its coverage, in AWS's time, and its UTC day. Every
--   question measures ages from it and never from the clock, so that the same lake always gives the same
--   answer. If it is old, the lake is old. Null while no run has ended.
-- column: as_of_date - 2026-11-21 — The UTC day of as_of, yyyy-MM-dd.
SELECT
  max(as_of) AS as_of,
  CAST(CAST(max(as_of) AS date) AS varchar) AS as_of_date
FROM export_coverage

-- title: Whether AWS’s own counts agree with the record
-- about: One row for each account, region and day that a run could compare with AWS’s own daily counts, as
--   the last such run found it: days with a difference first, then the newest. missing_jobs are jobs that
--   AWS counted and copy_jobs lacks; surplus_jobs are rows of copy_jobs that AWS did not count. A change of
--   state between the two observations is no difference. A day is compared when it is over, its jobs are
--   proven to be read, and AWS still counts it, which is for 14 days. What is not here was never compared
--   (ask targets-without-good-drain). export_reconciliation has the kinds of job that differ, in rows of
--   scope kind.
-- parameter: days integer default 14 — Days of creation on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  compared.creation_date,
  compared.account_id,
  account_names.account_name,
  compared.region,
  compared.missing_jobs = 0 AND compared.surplus_jobs = 0 AS agrees,
  compared.aws_count,
  compared.lake_count,
  compared.missing_jobs,
  compared.surplus_jobs,
  compared.as_of AS compared_time,
  compared.counting_rule,
  compared.run_id
FROM (
  SELECT
    export_reconciliation.*,
    row_number() OVER (
      PARTITION BY account_id, region, creation_date
      ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST
    ) AS place
  FROM export_reconciliation
  WHERE scope = 'day'
    AND run_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
) compared
CROSS JOIN lake_time
LEFT JOIN account_names ON account_names.account_id = compared.account_id
WHERE compared.place = 1
  AND compared.creation_date >= CAST(CAST(CAST(lake_time.as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar)
ORDER BY
  compared.missing_jobs + compared.surplus_jobs DESC NULLS LAST,
  compared.creation_date DESC NULLS LAST,
  compared.account_id ASC NULLS LAST,
  compared.region ASC NULLS LAST

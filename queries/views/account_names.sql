-- title: The name of each account
-- about: One row for each account that a run knew by name, with its newest name: the name in the
--   organization at the last run that listed it, within the 35 days before the last run. Names are free
--   text and need not be unique, so join by account_id. An account has no row if no such run listed it: it
--   left the organization, or the runs were given accounts by number.
SELECT
  account_id,
  account_name
FROM (
  SELECT
    account_id,
    account_name,
    row_number() OVER (
      PARTITION BY account_id
      ORDER BY as_of DESC NULLS LAST, run_id DESC NULLS LAST, account_name DESC NULLS LAST
    ) AS place
  FROM export_coverage
  WHERE account_id IS NOT NULL
    AND account_name IS NOT NULL
    AND run_date >= (SELECT CAST(CAST(CAST(as_of AS date) - 35 * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time)
) known
WHERE place = 1

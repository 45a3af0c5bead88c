-- title: The name of each account
-- about: One row for each account that a run knew by name, with the newest name: what the organization called
--   it at the last run that listed it, of the runs in the 35 days before the lake's now. Names are free text
--   and need not be unique; join by account_id. An account that no such run has listed (it has left the
--   organization, or the runs were given accounts by number) has no row.
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

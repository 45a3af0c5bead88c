-- title: Why copies fail, by category
-- about: Leaf copies in state FAILED by AWS's message category and the type of resource, the most frequent
--   first. If many accounts have one category, look for something shared: a key, a vault's policy, a limit.
--   If one account has many categories, look at that account. An empty category means that AWS gave none,
--   as on older jobs.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  message_category,
  resource_type,
  count(*) AS failed,
  count(DISTINCT account_id) AS accounts,
  count(DISTINCT resource_arn) AS resources,
  min(creation_time) AS first_failed_time,
  max(creation_time) AS last_failed_time
FROM leaf_copies
WHERE state = 'FAILED'
  AND creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
GROUP BY message_category, resource_type
ORDER BY failed DESC NULLS LAST, message_category ASC NULLS LAST, resource_type ASC NULLS LAST

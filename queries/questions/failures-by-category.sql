-- title: Why copies fail, by category, with cause and remedy
-- about: Leaf copies in state FAILED by category, cause and type of resource, the most frequent first.
--   If many accounts have one category, look for something shared: a key, a vault's policy, a limit. If
--   one account has many categories, look at that account. message_category is AWS's category, or where
--   AWS gave none, as on older jobs, the one that the message shows; unknown if nobody documents the
--   message. categorized_by_aws counts the copies to which AWS itself gave it. known_failures holds the
--   messages with cause, remedy and source.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  explained_failures.failure_category AS message_category,
  leaf_copies.resource_type,
  explained_failures.cause,
  explained_failures.remedy,
  count(*) AS failed,
  count(CASE WHEN explained_failures.category_from = 'AWS' THEN 1 END) AS categorized_by_aws,
  count(DISTINCT leaf_copies.account_id) AS accounts,
  count(DISTINCT leaf_copies.resource_arn) AS resources,
  min(leaf_copies.creation_time) AS first_failed_time,
  max(leaf_copies.creation_time) AS last_failed_time
FROM leaf_copies
INNER JOIN explained_failures
  ON explained_failures.copy_job_id = leaf_copies.copy_job_id
  AND explained_failures.creation_date = leaf_copies.creation_date
WHERE leaf_copies.state = 'FAILED'
  AND leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
GROUP BY
  explained_failures.failure_category,
  leaf_copies.resource_type,
  explained_failures.cause,
  explained_failures.remedy
ORDER BY
  failed DESC NULLS LAST,
  message_category ASC NULLS LAST,
  resource_type ASC NULLS LAST,
  cause ASC NULLS LAST,
  remedy ASC NULLS LAST

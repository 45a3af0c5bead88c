-- title: Failed copies with category, cause and remedy
-- about: One row for each leaf copy in state FAILED. The cause and the remedy are those of the first row of
--   known_failures that fits AWS's message, or else AWS's category. Many jobs have no category: AWS has
--   given it only for some years, and not everywhere. For them, the message gives it. What no row explains
--   is unknown.
-- column: failure_category - AccessDenied — AWS's category; if AWS gave none, the one that its message
--   shows; otherwise unknown.
-- column: category_from - message — Where the category comes from: AWS, message, or nobody.
-- column: cause - A permission for the copy is missing. — What went wrong, as AWS documents it.
-- column: remedy - Check the policies of the role. — What a person can do.
-- column: source - https://docs.aws.amazon.com/aws-backup/latest/devguide/troubleshooting.html — Where AWS
--   documents it.
SELECT
  copy_job_id,
  message_category,
  status_message,
  CASE WHEN message_category <> '' THEN message_category ELSE category END AS failure_category,
  CASE WHEN message_category <> '' THEN 'AWS' WHEN category <> 'unknown' THEN 'message' ELSE 'nobody' END AS category_from,
  cause,
  remedy,
  source,
  creation_date
FROM (
  SELECT
    leaf_copies.copy_job_id,
    leaf_copies.message_category,
    leaf_copies.status_message,
    leaf_copies.creation_date,
    known_failures.category,
    known_failures.cause,
    known_failures.remedy,
    known_failures.source,
    row_number() OVER (
      PARTITION BY leaf_copies.copy_job_id, leaf_copies.creation_date
      ORDER BY known_failures.place ASC NULLS LAST
    ) AS place
  FROM leaf_copies
  INNER JOIN known_failures
    ON lower(coalesce(leaf_copies.status_message, '')) LIKE known_failures.message_pattern
    OR (known_failures.message_pattern IS NULL AND lower(known_failures.category) = lower(leaf_copies.message_category))
  WHERE leaf_copies.state = 'FAILED'
) explained
WHERE place = 1

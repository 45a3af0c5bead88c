-- title: Composite copies: parents beside their children
-- about: One row for each parent, newest first. A parent is a stack or a cluster whose members are copied
--   by jobs of their own. Its size repeats the sizes of its children, so add up parent_bytes or
--   children_bytes, never both. Every other question counts children only. If children_missing is above 0,
--   the lake does not hold all the children that the parent reports, and sums of leaf copies lack them. It
--   is empty if the parent does not report a number. The children in the lake are completed, failed, partly
--   done (PARTIAL) or open. A parent that is PARTIAL has children that were not copied. The question looks
--   for children from the day before the first parent.
-- parameter: days integer default 30 — Parents created on the day of the last run and on this many days
--   before it
-- reads: :days + 1
WITH parents AS (
  SELECT
    copy_job_id,
    creation_time,
    account_id,
    region,
    resource_type,
    resource_name,
    resource_arn,
    state,
    backup_size_in_bytes,
    number_of_child_jobs
  FROM copy_jobs
  WHERE coalesce(number_of_child_jobs, CASE WHEN is_parent THEN 1 ELSE 0 END) > 0
    AND creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
children AS (
  SELECT
    parent_job_id,
    count(*) AS children_seen,
    count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS children_completed,
    count(CASE WHEN state = 'FAILED' THEN 1 END) AS children_failed,
    count(CASE WHEN state = 'PARTIAL' THEN 1 END) AS children_partly_done,
    count(CASE WHEN is_terminal THEN NULL ELSE 1 END) AS children_open,
    sum(CAST(backup_size_in_bytes AS decimal(38, 0))) AS children_bytes
  FROM copy_jobs
  WHERE parent_job_id IS NOT NULL
    AND creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - (:days + 1) * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
  GROUP BY parent_job_id
)
SELECT
  parents.creation_time,
  parents.account_id,
  account_names.account_name,
  parents.region,
  parents.resource_type,
  parents.resource_name,
  parents.resource_arn,
  parents.state,
  parents.number_of_child_jobs,
  coalesce(children.children_seen, 0) AS children_seen,
  parents.number_of_child_jobs - coalesce(children.children_seen, 0) AS children_missing,
  coalesce(children.children_completed, 0) AS children_completed,
  coalesce(children.children_failed, 0) AS children_failed,
  coalesce(children.children_partly_done, 0) AS children_partly_done,
  coalesce(children.children_open, 0) AS children_open,
  parents.backup_size_in_bytes AS parent_bytes,
  children.children_bytes,
  parents.copy_job_id
FROM parents
LEFT JOIN children ON children.parent_job_id = parents.copy_job_id
LEFT JOIN account_names ON account_names.account_id = parents.account_id
ORDER BY parents.creation_time DESC NULLS LAST, parents.copy_job_id ASC NULLS LAST

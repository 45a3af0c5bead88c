-- title: When the record first knew that a copy failed
-- about: One row for each leaf copy in state FAILED or PARTIAL, those that were last known first. known_time
--   is when a run first saw it so, and known_after_hours how long after its end: until then, nobody could
--   learn of it from the record. was_state is the state in which the record had seen it before; if it is
--   empty, the copy had already ended when it was first seen. If known_time is empty, an older version of
--   the exporter wrote the row and did not keep it.
-- parameter: days integer default 7 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  leaf_copies.creation_time,
  leaf_copies.account_id,
  account_names.account_name,
  leaf_copies.region,
  leaf_copies.resource_type,
  leaf_copies.resource_name,
  leaf_copies.resource_arn,
  leaf_copies.state,
  leaf_copies.message_category,
  leaf_copies.status_message,
  leaf_copies.completion_time,
  known.first_seen_after AS known_time,
  round(
    CAST(date_diff('millisecond', leaf_copies.completion_time, known.first_seen_after) AS double) / 3600000,
    2
  ) AS known_after_hours,
  known.from_state AS was_state,
  known.last_seen_before AS was_seen_until,
  known.run_id AS known_by_run_id,
  leaf_copies.copy_job_id
FROM leaf_copies
LEFT JOIN (
  SELECT copy_job_id, creation_date, to_state, from_state, first_seen_after, last_seen_before, run_id
  FROM copy_job_transitions
  WHERE to_state IN ('FAILED', 'PARTIAL')
    AND creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
) known
  ON known.copy_job_id = leaf_copies.copy_job_id
  AND known.creation_date = leaf_copies.creation_date
  AND known.to_state = leaf_copies.state
LEFT JOIN account_names ON account_names.account_id = leaf_copies.account_id
WHERE leaf_copies.state IN ('FAILED', 'PARTIAL')
  AND leaf_copies.creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
ORDER BY
  known.first_seen_after DESC NULLS LAST,
  leaf_copies.creation_time DESC NULLS LAST,
  leaf_copies.copy_job_id ASC NULLS LAST

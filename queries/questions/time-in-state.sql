-- title: How long copies stayed in a state
-- about: One row for each leaf copy that was seen in the state and has left it, the longest first. Nobody
--   sees the moment of a change, only the runs before and after it, so there are two bounds: at_least_hours
--   from the first time it was seen in the state to the last, and at_most_hours from the last time before
--   it to the first time after it. A copy seen once in a state has at_least_hours 0. More runs a day bring
--   the bounds closer together. A copy that is still in the state is in stuck-copies.
-- parameter: state text default CREATED — The state, as AWS names it
-- parameter: hours integer default 0 — The copy was in it for at least so many hours
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
WITH changes AS (
  SELECT *
  FROM copy_job_transitions
  WHERE creation_date >= (
    SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
  )
)
SELECT
  leaf_copies.creation_time,
  leaf_copies.account_id,
  account_names.account_name,
  leaf_copies.region,
  leaf_copies.resource_type,
  leaf_copies.resource_name,
  leaf_copies.resource_arn,
  round(
    CAST(date_diff('millisecond', entered.first_seen_after, gone.last_seen_before) AS double) / 3600000,
    2
  ) AS at_least_hours,
  round(
    CAST(
      date_diff(
        'millisecond',
        coalesce(entered.last_seen_before, entered.creation_time),
        gone.first_seen_after
      ) AS double
    ) / 3600000,
    2
  ) AS at_most_hours,
  entered.first_seen_after AS seen_from,
  gone.last_seen_before AS seen_until,
  gone.first_seen_after AS seen_changed,
  gone.to_state,
  gone.message_category,
  leaf_copies.copy_job_id
FROM changes entered
INNER JOIN changes gone
  ON gone.copy_job_id = entered.copy_job_id
  AND gone.creation_date = entered.creation_date
  AND gone.change_number = entered.change_number + 1
INNER JOIN leaf_copies
  ON leaf_copies.copy_job_id = entered.copy_job_id
  AND leaf_copies.creation_date = entered.creation_date
LEFT JOIN account_names ON account_names.account_id = leaf_copies.account_id
WHERE entered.to_state = :state
  AND date_diff('millisecond', entered.first_seen_after, gone.last_seen_before) >= CAST(:hours AS bigint) * 3600000
ORDER BY
  at_least_hours DESC NULLS LAST,
  leaf_copies.creation_time ASC NULLS LAST,
  leaf_copies.copy_job_id ASC NULLS LAST,
  entered.change_number ASC NULLS LAST

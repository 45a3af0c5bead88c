-- title: Every change of state that was observed
-- about: One row for each state in which a job was first seen. from_state is the state before; it is null in
--   the row of the first sight (is_first_sight), which is no change. A job changed at some time after
--   last_seen_before and no later than first_seen_after. States that came and went between two runs were
--   never seen. Parents and children have rows of their own. Rows of jobs that an older version wrote have
--   only the changes since, and a first sight only if nothing changed after it.
-- column: change_number - 2 — 1 for the first sight of the job, 2 for its first change, and so on.
-- column: is_first_sight - false — Whether this is the first time that the job was seen, and no change.
-- column: from_state - CREATED — The state before; null at first sight.
-- column: to_state - FAILED — The state in which the job was first seen then.
-- column: last_seen_before - 2026-11-20 02:00:00.000 — When the job was last seen in from_state, in AWS's
--   time; null at first sight. At least that: if a run read all open jobs of the account and region and
--   this one had not changed, it is the as_of of that run.
-- column: first_seen_after - 2026-11-21 02:00:00.000 — When the job was first seen in to_state, in AWS's time.
-- column: run_id - 0199f3a0-7c1e-7b2a-9c3d-4e5f60718293 — The run that first saw it in to_state.
-- column: message_category - AccessDenied — AWS's message category then.
SELECT
  copy_jobs.copy_job_id,
  seen.place AS change_number,
  copy_jobs.account_id,
  copy_jobs.region,
  split_part(seen.entry, '|', 5) = '' AS is_first_sight,
  nullif(url_decode(split_part(seen.entry, '|', 5)), '') AS from_state,
  nullif(url_decode(split_part(seen.entry, '|', 1)), '') AS to_state,
  CASE
    WHEN split_part(seen.entry, '|', 5) <> '' THEN CAST(split_part(seen.entry, '|', 6) AS timestamp)
  END AS last_seen_before,
  CAST(split_part(seen.entry, '|', 2) AS timestamp) AS first_seen_after,
  nullif(url_decode(split_part(seen.entry, '|', 3)), '') AS run_id,
  nullif(url_decode(split_part(seen.entry, '|', 4)), '') AS message_category,
  copy_jobs.resource_type,
  copy_jobs.resource_arn,
  copy_jobs.parent_job_id,
  copy_jobs.creation_time,
  copy_jobs.creation_date
FROM copy_jobs
CROSS JOIN UNNEST(
  split(
    coalesce(
      copy_jobs.state_history,
      CASE
        WHEN copy_jobs.first_observed_at = copy_jobs.observed_at
        THEN url_encode(coalesce(copy_jobs.state, ''))
          || '|' || CAST(copy_jobs.observed_at AS varchar)
          || '|' || url_encode(coalesce(copy_jobs.run_id, ''))
          || '|' || url_encode(coalesce(copy_jobs.message_category, ''))
          || '||'
      END
    ),
    ','
  )
) WITH ORDINALITY AS seen (entry, place)
WHERE split_part(seen.entry, '|', 5) <> '?'

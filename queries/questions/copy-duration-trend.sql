-- title: How long copies take, and how much they copy, by week
-- about: One row for each period of --period days, the newest first; the newest ends with the day of the
--   last run. It counts the good leaf copies that were created in the period, and how long they took from
--   creation to completion: half of them at most median_minutes, nine of ten at most p90_minutes. Copies
--   that are still running are not in it, so the newest period may look faster than it is. bytes are the
--   sizes of the backups as AWS Backup states them. If copies take longer although bytes are the same,
--   look for throttling, or for a limit on copies at a time.
-- parameter: days integer default 83 — Copies created on the day of the last run and on this many days
--   before it
-- parameter: period integer default 7 — The days of a period: 1 gives a row for each day
-- reads: :days
WITH timed AS (
  SELECT
    CAST(
      floor(
        CAST(
          date_diff(
            'millisecond',
            CAST(leaf_copies.creation_date AS timestamp),
            CAST(lake_time.as_of_date AS timestamp)
          ) AS double
        )
          / 86400000
          / greatest(:period, 1)
      ) AS bigint
    ) AS periods_ago,
    leaf_copies.duration_ms,
    leaf_copies.backup_size_in_bytes
  FROM leaf_copies
  CROSS JOIN lake_time
  WHERE leaf_copies.state = 'COMPLETED'
    AND leaf_copies.duration_ms >= 0
    AND leaf_copies.creation_date >= (
      SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
    )
),
ranked AS (
  SELECT
    periods_ago,
    duration_ms,
    backup_size_in_bytes,
    row_number() OVER (PARTITION BY periods_ago ORDER BY duration_ms ASC NULLS LAST) AS place,
    count(*) OVER (PARTITION BY periods_ago) AS copies
  FROM timed
)
SELECT
  CAST(
    CAST(
      CAST(max(lake_time.as_of) AS date) - ((ranked.periods_ago + 1) * greatest(:period, 1) - 1) * INTERVAL '1' DAY
      AS date
    ) AS varchar
  ) AS from_date,
  CAST(
    CAST(CAST(max(lake_time.as_of) AS date) - ranked.periods_ago * greatest(:period, 1) * INTERVAL '1' DAY AS date)
    AS varchar
  ) AS to_date,
  count(*) AS completed,
  round(
    CAST(min(CASE WHEN ranked.place * 2 >= ranked.copies THEN ranked.duration_ms END) AS double) / 60000,
    2
  ) AS median_minutes,
  round(
    CAST(min(CASE WHEN ranked.place * 10 >= ranked.copies * 9 THEN ranked.duration_ms END) AS double) / 60000,
    2
  ) AS p90_minutes,
  round(CAST(max(ranked.duration_ms) AS double) / 60000, 2) AS longest_minutes,
  coalesce(sum(CAST(ranked.backup_size_in_bytes AS decimal(38, 0))), CAST(0 AS decimal(38, 0))) AS bytes
FROM ranked
CROSS JOIN lake_time
GROUP BY ranked.periods_ago
ORDER BY from_date DESC NULLS LAST

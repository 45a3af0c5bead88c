-- title: Up to when each account and region was read, and how the last run went
-- about: One row for each table, account and region that a run ever planned: the last run that asked, its
--   result, and the time up to which good drains (OK or OK_EMPTY) have read the target without a gap.
--   REJECTED_RECORDS is not good: AWS sent something that the tables do not show. A window that ends where
--   it begins is not good either: older versions called it OK_EMPTY, but nobody was asked. Newer ones call it
--   SKIPPED (EmptyWindow), which is shown only if no run ever asked. This view knows only runs that wrote
--   their coverage.
-- column: last_good_drain_time - 2026-11-21 02:00:00.000 — The time up to which the target was read without
--   a gap that could still be closed: the latest end of the good drains whose window begins no later than
--   the end of what was read before. After days of failures, a drain of the last hour leaves a gap, and does
--   not count until a drain has read the days between. A drain without window_from reads what AWS still
--   holds, from remembered_from on. A gap that AWS has deleted since is in lost_intervals. Null: never read.
-- column: drains runs 30 — Runs that planned to read this target for this table.
SELECT
  table_name,
  account_id,
  region,
  account_name,
  as_of AS last_asked_time,
  status AS last_status,
  error_name AS last_error_name,
  error_message AS last_error_message,
  last_good_drain_time,
  drains
FROM (
  SELECT
    table_name,
    account_id,
    region,
    account_name,
    as_of,
    status,
    error_name,
    error_message,
    max(CASE WHEN gaps_before = 0 THEN read_to END)
      OVER (PARTITION BY table_name, account_id, region) AS last_good_drain_time,
    count(*) OVER (PARTITION BY table_name, account_id, region) AS drains,
    row_number() OVER (
      PARTITION BY table_name, account_id, region
      ORDER BY
        CASE WHEN status = 'SKIPPED' AND error_name = 'EmptyWindow' THEN 1 ELSE 0 END ASC NULLS LAST,
        as_of DESC NULLS LAST,
        run_id DESC NULLS LAST
    ) AS place
  FROM (
    SELECT
      table_name,
      account_id,
      region,
      account_name,
      as_of,
      run_id,
      status,
      error_name,
      error_message,
      read_to,
      count(CASE WHEN read_from > read_before AND read_from > still_remembered_from THEN 1 END) OVER (
        PARTITION BY table_name, account_id, region
        ORDER BY read_from ASC NULLS FIRST, read_to ASC NULLS FIRST
        ROWS BETWEEN UNBOUNDED PRECEDING AND CURRENT ROW
      ) AS gaps_before
    FROM (
      SELECT
        table_name,
        account_id,
        region,
        account_name,
        as_of,
        run_id,
        status,
        error_name,
        error_message,
        read_from,
        read_to,
        still_remembered_from,
        max(read_to) OVER (
          PARTITION BY table_name, account_id, region
          ORDER BY read_from ASC NULLS FIRST, read_to ASC NULLS FIRST
          ROWS BETWEEN UNBOUNDED PRECEDING AND 1 PRECEDING
        ) AS read_before
      FROM (
        SELECT
          table_name,
          account_id,
          region,
          account_name,
          as_of,
          run_id,
          status,
          error_name,
          error_message,
          CASE
            WHEN status IN ('OK', 'OK_EMPTY') AND held_from < coalesce(window_to, as_of)
              THEN held_from
          END AS read_from,
          CASE
            WHEN status IN ('OK', 'OK_EMPTY') AND held_from < coalesce(window_to, as_of)
              THEN coalesce(window_to, as_of)
          END AS read_to,
          max(remembered_from) OVER (PARTITION BY table_name) AS still_remembered_from
        FROM (
          SELECT
            table_name,
            account_id,
            region,
            account_name,
            as_of,
            run_id,
            status,
            error_name,
            error_message,
            window_to,
            remembered_from,
            CASE WHEN window_from > remembered_from THEN window_from ELSE remembered_from END AS held_from
          FROM (
            SELECT
              table_name,
              account_id,
              region,
              account_name,
              as_of,
              run_id,
              status,
              error_name,
              error_message,
              window_from,
              window_to,
              coalesce(
                remembered_from,
                CASE
                  WHEN table_name = 'copy_job_summaries' THEN as_of - 14 * INTERVAL '1' DAY
                  ELSE as_of - 30 * INTERVAL '1' DAY
                END
              ) AS remembered_from
            FROM export_coverage
          ) dated
        ) asked
      ) windows
    ) in_order
  ) with_gaps
) ranked
WHERE place = 1

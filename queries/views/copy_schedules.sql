-- title: How often each resource should be copied to each place
-- about: One row for each resource and each account and region that a rule with a known schedule copies it
--   to. The schedule is AWS's own, as each copy job reports it. If several rules copy a resource to one
--   place, the most frequent one counts, among those that are in use. A rule is in use there until two days
--   after its schedule asked for another copy job to that place, of any resource. If none is in use, all
--   count. If a job has no schedule (AWS did not report it, or an older version wrote the row), but other
--   jobs of its rule have one, the longest interval of those counts. Copies on demand, and rules that have
--   no job with a schedule, are not here.
-- column: schedule_ms milliseconds 86400000 — The time between two starts of the rule: the last before its
--   last good copy of the resource was created, and the next. If it never made one: around its last copy
--   job. So it is one day for a rule on working days, but three days after Friday's copy.
-- column: rules_in_use rules 1 — Rules that copy the resource there and are in use.
SELECT
  resource_arn,
  destination_account_id,
  destination_region,
  coalesce(min(CASE WHEN late_ms <= 172800000 THEN schedule_ms END), min(schedule_ms)) AS schedule_ms,
  count(CASE WHEN late_ms <= 172800000 THEN 1 END) AS rules_in_use
FROM (
  SELECT
    resource_arn,
    destination_account_id,
    destination_region,
    schedule_ms,
    min(age_ms - schedule_ms) OVER (
      PARTITION BY
        account_id,
        region,
        created_by_backup_plan_id,
        created_by_backup_rule_id,
        destination_account_id,
        destination_region
    ) AS late_ms,
    row_number() OVER (
      PARTITION BY
        resource_arn,
        destination_account_id,
        destination_region,
        account_id,
        region,
        created_by_backup_plan_id,
        created_by_backup_rule_id
      ORDER BY is_good DESC NULLS LAST, age_ms ASC NULLS LAST, copy_job_id DESC NULLS LAST
    ) AS place
  FROM (
    SELECT
      resource_arn,
      destination_account_id,
      destination_region,
      account_id,
      region,
      created_by_backup_plan_id,
      created_by_backup_rule_id,
      copy_job_id,
      coalesce(state = 'COMPLETED', false) AS is_good,
      date_diff('millisecond', creation_time, (SELECT as_of FROM lake_time)) AS age_ms,
      coalesce(
        schedule_interval_ms,
        CASE
          WHEN created_by_backup_rule_id IS NOT NULL
          THEN max(schedule_interval_ms) OVER (
            PARTITION BY account_id, region, created_by_backup_plan_id, created_by_backup_rule_id
          )
        END
      ) AS schedule_ms
    FROM leaf_copies
  ) jobs
  WHERE schedule_ms IS NOT NULL
) ranked
WHERE place = 1 AND resource_arn IS NOT NULL
GROUP BY resource_arn, destination_account_id, destination_region

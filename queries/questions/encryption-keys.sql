-- title: Which keys encrypt the copies
-- about: Good leaf copies by the KMS key of their destination, the most used key first. If
--   key_in_destination_account is false, the key belongs to another account than the vault, and whoever
--   disables it there makes the copies unreadable. An empty key means that AWS did not report it, as on
--   older jobs. last_used_time shows which keys are still used for new copies. It does not show which keys
--   you can delete: copies need their key for as long as they exist. last_expires_time is the latest time
--   at which one of these copies ends, an upper bound. end_unknown counts copies whose end AWS does not
--   report (no number of days, or -1). Copies from before --days are not counted, and may need the key too.
-- parameter: days integer default 365 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  destination_encryption_key_arn,
  destination_account_id,
  max(account_names.account_name) AS destination_account_name,
  destination_region,
  nullif(split_part(destination_encryption_key_arn, ':', 5), '') = destination_account_id AS key_in_destination_account,
  count(*) AS completed,
  count(DISTINCT destination_backup_vault_arn) AS vaults,
  count(DISTINCT resource_arn) AS resources,
  min(creation_time) AS first_used_time,
  max(creation_time) AS last_used_time,
  max(expires_time) AS last_expires_time,
  count(CASE WHEN expires_time IS NULL THEN 1 END) AS end_unknown
FROM good_copies
LEFT JOIN account_names ON account_names.account_id = good_copies.destination_account_id
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY destination_encryption_key_arn, destination_account_id, destination_region
ORDER BY
  completed DESC NULLS LAST,
  destination_encryption_key_arn ASC NULLS LAST,
  destination_account_id ASC NULLS LAST,
  destination_region ASC NULLS LAST

-- title: Share of copies that went into locked and air-gapped vaults
-- about: Good leaf copies by destination account and region, and how many of them went to a vault that was
--   LOCKED, or logically air-gapped, at the time. The question counts copies that were made, whether or not
--   they still exist: a lock keeps a copy until its lifecycle ends, and no longer (rpo shows what is kept).
--   Each share covers only the copies for which AWS reports the lock, or the type. lock_not_told and
--   type_not_told count the others, from older jobs and regions. Whoever administers the vault's account
--   can delete UNLOCKED copies.
-- parameter: days integer default 30 — Copies created on the day of the last run and on this many days
--   before it
-- reads: :days
SELECT
  destination_account_id,
  max(account_names.account_name) AS destination_account_name,
  destination_region,
  CAST(sum(completed) AS bigint) AS completed,
  sum(bytes) AS bytes,
  CAST(sum(CASE WHEN destination_vault_lock_state = 'LOCKED' THEN completed ELSE 0 END) AS bigint) AS locked,
  round(
    CAST(sum(CASE WHEN destination_vault_lock_state = 'LOCKED' THEN completed ELSE 0 END) AS double) * 100
      / nullif(
        CAST(sum(CASE WHEN destination_vault_lock_state IS NOT NULL THEN completed ELSE 0 END) AS double),
        0
      ),
    2
  ) AS locked_percent,
  CAST(sum(CASE WHEN destination_vault_lock_state IS NULL THEN completed ELSE 0 END) AS bigint) AS lock_not_told,
  CAST(
    sum(CASE WHEN destination_vault_type = 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT' THEN completed ELSE 0 END)
    AS bigint
  ) AS air_gapped,
  round(
    CAST(
      sum(CASE WHEN destination_vault_type = 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT' THEN completed ELSE 0 END)
      AS double
    ) * 100
      / nullif(
        CAST(sum(CASE WHEN destination_vault_type IS NOT NULL THEN completed ELSE 0 END) AS double),
        0
      ),
    2
  ) AS air_gapped_percent,
  CAST(sum(CASE WHEN destination_vault_type IS NULL THEN completed ELSE 0 END) AS bigint) AS type_not_told
FROM daily_flows
LEFT JOIN account_names ON account_names.account_id = daily_flows.destination_account_id
WHERE creation_date >= (
  SELECT CAST(CAST(CAST(as_of AS date) - :days * INTERVAL '1' DAY AS date) AS varchar) FROM lake_time
)
GROUP BY destination_account_id, destination_region
HAVING sum(completed) > 0
ORDER BY destination_account_id ASC NULLS LAST, destination_region ASC NULLS LAST

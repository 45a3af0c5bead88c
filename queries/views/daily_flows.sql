-- title: Copies and bytes by day, source, destination and type of vault
-- about: Counts of leaf copies and the bytes of the good ones, by source and destination account and
--   region. bytes is decimal(38,0), for sums above 2^63. Bytes are what AWS Backup says was copied, not
--   what went over the network. Vault type and lock state are those at the time of the copy, and null if
--   AWS did not report them.
-- column: jobs jobs 12 — Leaf copies of that day from this source to this destination.
-- column: completed jobs 11 — Copies that were made.
-- column: not_completed jobs 1 — Copies that ended without success: FAILED or PARTIAL. The others have not
--   ended.
-- column: bytes bytes 1181116006400 — The sizes of the copies that were made, added up.
SELECT
  creation_date,
  source_account_id,
  source_region,
  destination_account_id,
  destination_region,
  is_cross_account,
  is_cross_region,
  destination_vault_type,
  destination_vault_lock_state,
  count(*) AS jobs,
  count(CASE WHEN state = 'COMPLETED' THEN 1 END) AS completed,
  count(CASE WHEN is_terminal AND state <> 'COMPLETED' THEN 1 END) AS not_completed,
  coalesce(
    sum(CASE WHEN state = 'COMPLETED' THEN CAST(backup_size_in_bytes AS decimal(38, 0)) END),
    CAST(0 AS decimal(38, 0))
  ) AS bytes
FROM leaf_copies
GROUP BY
  creation_date,
  source_account_id,
  source_region,
  destination_account_id,
  destination_region,
  is_cross_account,
  is_cross_region,
  destination_vault_type,
  destination_vault_lock_state

/** What went from where to where, into which vaults, under which keys; added up by hand. */
import {
  type Answer,
  bytesOf,
  type Copy,
  distinct,
  type Facts,
  groups,
  hasEnded,
  isGood,
  journey,
  latest,
  percent,
  since,
  sorted,
} from './facts.ts';

const ends = ({ from, to, leavesAccount, leavesRegion }: Copy) => ({
  source_account_id: from.account,
  source_region: from.region,
  destination_account_id: to.account,
  destination_region: to.region,
  is_cross_account: leavesAccount,
  is_cross_region: leavesRegion,
});
const vaultType = (copy: Copy) => copy.told('destination_vault_type');
const lockState = (copy: Copy) => copy.told('destination_vault_lock_state');
const unsuccessful = (copies: readonly Copy[]) =>
  copies.filter((copy) => hasEnded(copy) && !isGood(copy)).length;
const fromTo = {
  source_account_id: 'up',
  source_region: 'up',
  destination_account_id: 'up',
  destination_region: 'up',
} as const;

export function dailyFlows({ leaves }: Facts): Answer[] {
  return groups(leaves, (copy) => [copy.day, ...journey(copy), vaultType(copy), lockState(copy)]).map(
    ({ first, members }) => ({
      creation_date: first.day,
      ...ends(first),
      destination_vault_type: vaultType(first),
      destination_vault_lock_state: lockState(first),
      jobs: members.length,
      completed: members.filter(isGood).length,
      not_completed: unsuccessful(members),
      bytes: bytesOf(members.filter(isGood)),
    }),
  );
}

export function bytesByMonth({ now, leaves }: Facts, days: number): Answer[] {
  const good = since(now, days, leaves).filter(isGood);
  const month = (copy: Copy) => copy.day.slice(0, 7);
  const rows = groups(good, (copy) => [month(copy), ...journey(copy)]).map(({ first, members }) => ({
    creation_month: month(first),
    ...ends(first),
    completed: members.length,
    bytes: bytesOf(members),
  }));
  // Bytes are text here; as many digits for all sort as numbers do.
  const width = Math.max(0, ...rows.map(({ bytes }) => bytes.length));
  const padded = rows.map((row) => ({ ...row, bytes: row.bytes.padStart(width, '0') }));
  return sorted(padded, { creation_month: 'down', bytes: 'down', ...fromTo }).map((row) => ({
    ...row,
    bytes: BigInt(String(row.bytes)).toString(),
  }));
}

export function accountRegionMatrix({ now, leaves }: Facts, days: number): Answer[] {
  const rows = groups(since(now, days, leaves), journey).map(({ first, members }) => ({
    ...ends(first),
    jobs: members.length,
    completed: members.filter(isGood).length,
    not_completed: unsuccessful(members),
    success_percent: percent(members.filter(isGood).length, members.filter(hasEnded).length),
    bytes: bytesOf(members.filter(isGood)),
  }));
  return sorted(rows, { is_cross_account: 'down', is_cross_region: 'down', ...fromTo });
}

export function vaultProtection({ now, leaves }: Facts, days: number): Answer[] {
  const good = since(now, days, leaves).filter(isGood);
  const rows = groups(good, ({ to }) => [to.account, to.region]).map(({ first, members }) => {
    const locked = members.filter((copy) => lockState(copy) === 'LOCKED').length;
    const airGapped = members.filter(
      (copy) => vaultType(copy) === 'LOGICALLY_AIR_GAPPED_BACKUP_VAULT',
    ).length;
    const lockTold = members.filter((copy) => lockState(copy) !== null).length;
    const typeTold = members.filter((copy) => vaultType(copy) !== null).length;
    return {
      destination_account_id: first.to.account,
      destination_region: first.to.region,
      completed: members.length,
      bytes: bytesOf(members),
      locked,
      locked_percent: percent(locked, lockTold),
      lock_not_told: members.length - lockTold,
      air_gapped: airGapped,
      air_gapped_percent: percent(airGapped, typeTold),
      type_not_told: members.length - typeTold,
    };
  });
  return sorted(rows, { destination_account_id: 'up', destination_region: 'up' });
}

export function encryptionKeys({ now, leaves }: Facts, days: number): Answer[] {
  const good = since(now, days, leaves).filter(isGood);
  const keyArn = (copy: Copy) => copy.told('destination_encryption_key_arn');
  const rows = groups(good, (copy) => [keyArn(copy), copy.to.account, copy.to.region]).map(
    ({ first, members }) => {
      const key = keyArn(first);
      const owner = String(key ?? '').split(':')[4] || null;
      return {
        destination_encryption_key_arn: key,
        destination_account_id: first.to.account,
        destination_region: first.to.region,
        key_in_destination_account:
          owner === null || first.to.account === null ? null : owner === first.to.account,
        completed: members.length,
        vaults: distinct(members.map((copy) => copy.told('destination_backup_vault_arn'))),
        resources: distinct(members.map((copy) => copy.resource)),
        first_used_time: Math.min(...members.map((copy) => copy.created)),
        last_used_time: Math.max(...members.map((copy) => copy.created)),
        last_expires_time: latest(members.map((copy) => copy.expires)),
        end_unknown: members.filter((copy) => copy.expires === null).length,
      };
    },
  );
  return sorted(rows, {
    completed: 'down',
    destination_encryption_key_arn: 'up',
    destination_account_id: 'up',
    destination_region: 'up',
  });
}

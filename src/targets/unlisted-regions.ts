/**
 * Targets in regions that earlier runs have read, but AWS no longer lists as enabled. They are queried anyway: if a region
 * only disappears from the list, nobody would notice that it is missing.
 */
import { type Target, targetName } from './target.ts';

/**
 * @param listed the targets in regions that AWS lists; none other are made for accounts that are not among them
 * @param read what earlier runs have read
 */
export function unlistedTargets(
  listed: readonly Target[],
  read: Iterable<Pick<Target, 'accountId' | 'region'>>,
): Target[] {
  const regions = new Set(listed.map(({ region }) => region));
  // An account's regions share their credentials.
  const accounts = new Map(listed.map((target) => [target.accountId, target]));
  const unlisted = new Map<string, Target>();
  for (const { accountId, region } of read) {
    const account = accounts.get(accountId);
    if (account === undefined || regions.has(region)) continue;
    const { regionListed: _, ...rest } = account;
    unlisted.set(targetName({ accountId, region }), { ...rest, region });
  }
  return [...unlisted.values()];
}

/** The regions that an account sees, enabled or not. */
import { knownRegions, type Region } from '../aws/known-regions.ts';

export type OptStatus = 'ENABLED' | 'ENABLED_BY_DEFAULT' | 'DISABLED';

export interface RegionStatus {
  readonly name: string;
  readonly status: OptStatus;
}

/** The same for every account: its enabled regions, and the opt-in regions that are not enabled. */
export function regionStatuses(enabled: readonly Region[]): readonly RegionStatus[] {
  const names = new Set(enabled.map((region) => region.name));
  return knownRegions
    .filter((region) => names.has(region.name) || region.optIn)
    .map((region) => ({
      name: region.name,
      status: !names.has(region.name) ? 'DISABLED' : region.optIn ? 'ENABLED' : 'ENABLED_BY_DEFAULT',
    }));
}

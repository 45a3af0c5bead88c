/** What the accounts have in each region: vaults, plans, resources, and how much is copied where. */

import { knownRegions, type Region } from '../aws/known-regions.ts';
import { Random } from './random.ts';
import { makeResource, type Resource } from './resources.ts';
import type { Account, Organization } from './simulated-organization.ts';
import { makeOrganization } from './simulated-organization.ts';
import type { SimulatorOptions } from './simulator-options.ts';

export interface Plan {
  readonly id: string;
  readonly arn: string;
  readonly name: string;
  readonly version: string;
  readonly rules: readonly Rule[];
}

export interface Rule {
  readonly id: string;
  readonly name: string;
  readonly cron: string;
  readonly timezone: string;
}

/** One (account, region) pair and the facts that do not depend on its jobs. */
export interface Site {
  /** Its index among all sites, ordered by account, then by region. */
  readonly index: number;
  readonly accountIndex: number;
  readonly regionIndex: number;
  readonly account: Account;
  readonly region: string;
  /** Average number of job groups started per day; a composite and its children are one group. */
  readonly meanGroups: number;
  /** Start of the nightly window, as a fraction of the UTC day. */
  readonly windowStart: number;
  /** The account that receives this one's cross-account copies, or null. */
  readonly hubIndex: number | null;
  /** The region that receives this one's cross-region copies; its own if there is no other. */
  readonly farRegionIndex: number;
}

/** What a site contains. Created when first needed. */
export interface Belongings {
  readonly vaults: readonly string[];
  readonly plans: readonly Plan[];
  readonly resources: readonly Resource[];
  readonly composites: readonly Resource[];
}

/** The share of composites among groups. A composite has two to eight children. */
export const compositeShare = 0.02;
const meanGroupSize = 1 + compositeShare * 5;

const planNames = [
  'daily-35d',
  'gold',
  'PCI monthly',
  'Sauvegarde quotidienne',
  '夜間バックアップ',
  'db-hourly 🕐',
];
const ruleNames = ['daily', 'weekly', 'monthly-archive', 'continuous', 'copy-to-dr'];
const weekly = 'cron(30 1 ? * SUN *)';
const monthly = 'cron(0 3 1 * ? *)';
/** Copies come at random, mostly every few days: most rules ask for no more than that. */
const crons = [
  'cron(0 5 ? * * *)',
  weekly,
  weekly,
  weekly,
  monthly,
  monthly,
  monthly,
  'cron(15 */6 ? * * *)',
];
const timezones = ['Etc/UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York'];

export class Estate {
  readonly seed: number;
  readonly organization: Organization;
  readonly regions: readonly Region[];
  readonly sites: readonly Site[];
  readonly #byName = new Map<string, Site>();
  readonly #belongings = new Map<number, Belongings>();
  readonly #sources = new Map<number, readonly Site[]>();

  constructor({
    seed,
    accounts,
    regions,
    jobsPerDay,
  }: Pick<SimulatorOptions, 'seed' | 'accounts' | 'regions' | 'jobsPerDay'>) {
    this.seed = seed;
    this.organization = makeOrganization(seed, accounts);
    this.regions = knownRegions.slice(0, regions);
    this.sites = makeSites(seed, this.organization.active, this.regions, jobsPerDay);
    for (const site of this.sites) this.#byName.set(`${site.account.id} ${site.region}`, site);
  }

  site(accountId: string, region: string): Site | null {
    return this.#byName.get(`${accountId} ${region}`) ?? null;
  }

  siteAt(accountIndex: number, regionIndex: number): Site | null {
    return this.sites[accountIndex * this.regions.length + regionIndex] ?? null;
  }

  belongings(site: Site): Belongings {
    const known = this.#belongings.get(site.index);
    if (known) return known;
    const made = makeBelongings(this.seed, site);
    this.#belongings.set(site.index, made);
    return made;
  }

  /** One rule makes all copies of a resource to a place. */
  ruleFor(
    site: Site,
    resource: Resource,
    {
      accountIndex,
      regionIndex,
    }: { readonly accountIndex: number | null; readonly regionIndex: number | null },
  ): { readonly plan: Plan; readonly rule: Rule } {
    const { plans, resources, composites } = this.belongings(site);
    const which = [...resources, ...composites].indexOf(resource);
    const place = (accountIndex ?? -1) + (regionIndex ?? -1) + 2;
    const plan = at(plans, which % plans.length);
    return { plan, rule: at(plan.rules, (Math.floor(which / plans.length) + place) % plan.rules.length) };
  }

  /** The sites of other accounts whose cross-account copies may go to this one. */
  sourcesOf(site: Site): readonly Site[] {
    const known = this.#sources.get(site.index);
    if (known) return known;
    const found = this.sites.filter(
      (other) =>
        other.hubIndex === site.accountIndex &&
        (other.regionIndex === site.regionIndex || other.farRegionIndex === site.regionIndex),
    );
    this.#sources.set(site.index, found);
    return found;
  }
}

function makeSites(
  seed: number,
  accounts: readonly Account[],
  regions: readonly Region[],
  jobsPerDay: number,
): Site[] {
  const random = new Random();
  const count = accounts.length * regions.length;
  // With few sites all have the same weight; otherwise a single site would dominate the average.
  const weights = Array.from({ length: count }, (_, index) => {
    random.key(seed, 2, index, 0, 0, 0);
    const kind = random.fraction();
    const spread = random.fraction();
    if (count < 8) return 1;
    if (kind < 0.05) return 0;
    return kind < 0.15 ? 3 + 3 * spread : 0.3 + spread;
  });
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const hubs = accounts.map((_, index) => index).filter((index) => index % 10 === 1);
  return weights.map((weight, index) => {
    const accountIndex = Math.floor(index / regions.length);
    const regionIndex = index % regions.length;
    random.key(seed, 3, index, 0, 0, 0);
    return {
      index,
      accountIndex,
      regionIndex,
      account: at(accounts, accountIndex),
      region: at(regions, regionIndex).name,
      meanGroups: ((weight * count) / total) * (jobsPerDay / meanGroupSize),
      windowStart: random.fraction() * 0.25,
      hubIndex: hubOf(hubs, accountIndex),
      farRegionIndex: (regionIndex + 1) % regions.length,
    };
  });
}

function hubOf(hubs: readonly number[], accountIndex: number): number | null {
  const others = hubs.filter((hub) => hub !== accountIndex);
  return others.length === 0 ? null : at(others, accountIndex % others.length);
}

function makeBelongings(seed: number, site: Site): Belongings {
  const random = new Random().key(seed, 4, site.index, 0, 0, 0);
  const { account, region } = site;
  const plans = Array.from({ length: 1 + random.below(4) }, () => {
    const id = random.uuid();
    return {
      id,
      arn: `arn:aws:backup:${region}:${account.id}:backup-plan:${id}`,
      name: random.pick(planNames),
      version: Buffer.from(random.hex(36)).toString('base64'),
      rules: Array.from({ length: 1 + random.below(3) }, () => ({
        id: random.uuid(),
        name: random.pick(ruleNames),
        cron: random.pick(crons),
        timezone: random.pick(timezones),
      })),
    };
  });
  return {
    vaults: ['Default', `${account.name.replace(/[^a-z0-9-]/g, '')}-vault`, 'aws/efs/automatic-backup-vault'],
    plans,
    resources: Array.from({ length: 12 + random.below(40) }, () =>
      makeResource(random, region, account.id, false),
    ),
    composites: Array.from({ length: 3 }, () => makeResource(random, region, account.id, true)),
  };
}

function at<T>(list: readonly T[], index: number): T {
  const found = list[index];
  if (found === undefined) throw new RangeError(`there is no element ${index} among ${list.length}`);
  return found;
}

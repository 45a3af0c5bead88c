/**
 * Which jobs AWS counts. AWS does not document whether its counts include parents and their children, or a cross-account
 * copy in the destination too. So the lake's rows are added up by each rule that AWS may follow, and the rule that fits a
 * whole run is used for all of it.
 */
import { add, addAll, type Counts, type Kind } from './counts.ts';

/** What a row is to an account and region. `Incoming`: another account or region copied it there. */
type Role = 'single' | 'parent' | 'child' | 'incomingSingle' | 'incomingParent' | 'incomingChild';

const own: readonly Role[] = ['single', 'parent', 'child'];

/** The first is used unless another one fits much better. */
export const countingRules = [
  { name: 'every job', roles: own },
  { name: 'without children', roles: ['single', 'parent'] },
  { name: 'without parents', roles: ['single', 'child'] },
  {
    name: 'every job, in the destination too',
    roles: [...own, 'incomingSingle', 'incomingParent', 'incomingChild'],
  },
  {
    name: 'without children, in the destination too',
    roles: ['single', 'parent', 'incomingSingle', 'incomingParent'],
  },
  {
    name: 'without parents, in the destination too',
    roles: ['single', 'child', 'incomingSingle', 'incomingChild'],
  },
] as const satisfies readonly { readonly name: string; readonly roles: readonly Role[] }[];

export type CountingRule = (typeof countingRules)[number];

/** The lake's rows of one account, region and day. */
export type RowsByRole = Map<Role, Counts>;

/** What a row is to the account and region that own it. */
export type Family = 'single' | 'parent' | 'child';

export function addRows(rows: RowsByRole, family: Family, kind: Kind, jobs: number): void {
  addTo(rows, family, kind, jobs);
}

export function addIncomingRows(rows: RowsByRole, family: Family, kind: Kind, jobs: number): void {
  const roles = { single: 'incomingSingle', parent: 'incomingParent', child: 'incomingChild' } as const;
  addTo(rows, roles[family], kind, jobs);
}

function addTo(rows: RowsByRole, role: Role, kind: Kind, jobs: number): void {
  const counts = rows.get(role) ?? new Map();
  rows.set(role, counts);
  add(counts, kind, jobs);
}

export function countedBy({ roles }: CountingRule, rows: RowsByRole): Counts {
  const present = roles.flatMap((role: Role) => rows.get(role) ?? []);
  if (present.length === 1 && present[0] !== undefined) return present[0];
  const counts: Counts = new Map();
  for (const ofRole of present) addAll(counts, ofRole);
  return counts;
}

/** What came of comparing a whole run by a rule. */
export interface Fit {
  readonly difference: number;
  /** Accounts, regions and days that differ. */
  readonly slices: number;
}

/** A rule other than the first has to remove at least this share of the differences, … */
const explainedShare = 0.9;
/** … and at so many accounts, regions and days: a single error must not look like a rule. */
const explainedSlices = 3;

/** Whether a rule other than the first may explain what differs. @param first what came of the first */
export function mayFollowAnother(first: Fit): boolean {
  return first.slices >= explainedSlices;
}

/** The index of the rule that AWS appears to follow. @param fits in the order of `countingRules` */
export function ruleThatFits(fits: readonly Fit[]): number {
  const [first] = fits;
  if (first === undefined) return 0;
  let best = 0;
  for (const [at, fit] of fits.entries()) {
    const explains =
      fit.difference <= first.difference * (1 - explainedShare) &&
      first.slices - fit.slices >= explainedSlices;
    if (explains && fit.difference < (fits[best]?.difference ?? 0)) best = at;
  }
  return best;
}

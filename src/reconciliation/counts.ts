/** How many jobs there are of each kind: as AWS counts them, and as the lake's rows add up. */
import { isTerminal } from '../tables/copy-jobs.ts';

/** What AWS counts separately. Null: AWS or the job does not say. */
export interface Kind {
  readonly resourceType: string | null;
  readonly state: string | null;
  readonly category: string | null;
}

/** Jobs by kind. The key ignores the case of the category: AWS's own documentation writes SUCCESS and Success. */
export type Counts = Map<string, { readonly kind: Kind; jobs: number }>;

/** In requests these words mean "every value". In a count they stand for a sum over several values. */
const aggregates: ReadonlySet<string> = new Set(['ANY', 'AGGREGATE_ALL']);

type Text = string | null | undefined;

/** An empty text says as little as none. */
export function kindOf(resourceType: Text, state: Text, category: Text): Kind {
  return { resourceType: resourceType || null, state: state || null, category: category || null };
}

export function add(counts: Counts, kind: Kind, jobs: number): void {
  const key = JSON.stringify([kind.resourceType, kind.state, kind.category?.toLowerCase() ?? null]);
  addKeyed(counts, key, kind, jobs);
}

/** Adds all of `more`. */
export function addAll(counts: Counts, more: Counts): void {
  for (const [key, { kind, jobs }] of more) addKeyed(counts, key, kind, jobs);
}

function addKeyed(counts: Counts, key: string, kind: Kind, jobs: number): void {
  const known = counts.get(key);
  if (known === undefined) counts.set(key, { kind, jobs });
  else known.jobs += jobs;
}

export function total(counts: Counts): number {
  let sum = 0;
  for (const { jobs } of counts.values()) sum += jobs;
  return sum;
}

/** Sums stand beside what they add up: without this, jobs would count twice. If there are only sums, they stay. */
export function withoutSums(counts: Counts): Counts {
  const single: Counts = new Map();
  for (const [key, count] of counts) if (!hasSum(count.kind)) single.set(key, count);
  return single.size === 0 || single.size === counts.size ? counts : single;
}

function hasSum({ resourceType, state, category }: Kind): boolean {
  return isSum(resourceType) || isSum(state) || isSum(category);
}

/** Whether two values may stand for the same one: they are equal, or one of them is missing or a sum. */
export function mayEqual(a: string | null, b: string | null): boolean {
  return a === null || b === null || isSum(a) || isSum(b) || a.toLowerCase() === b.toLowerCase();
}

/** Whether a job in this state can have another state a moment later. */
export function canChange(state: string | null): boolean {
  return isTerminal(state) !== true;
}

function isSum(value: string | null): boolean {
  return value !== null && aggregates.has(value);
}

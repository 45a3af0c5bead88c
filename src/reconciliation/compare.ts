/**
 * Compares AWS's counts of one account, region and day with the lake's rows.
 *
 * The two were observed at different moments, and AWS leaves fields empty. So a surplus of one kind and a lack of another
 * cancel each other where one job explains both:
 * - a job that had not ended when one of the two was observed may have another state in the other;
 * - a kind without a resource type or category, or with a sum of several, may be any of them.
 * What is left is a difference. Cancelling never changes how many jobs are missing or too many altogether.
 */
import { type Counts, canChange, type Kind, mayEqual } from './counts.ts';

/** A kind of job of which AWS and the lake have different numbers. One of `missing` and `surplus` is 0. */
export interface KindDifference {
  readonly kind: Kind;
  readonly aws: number;
  readonly lake: number;
  /** Jobs that AWS counts and the lake lacks. */
  readonly missing: number;
  /** Jobs in the lake that AWS does not count. */
  readonly surplus: number;
}

interface Open {
  readonly kind: Kind;
  readonly aws: number;
  readonly lake: number;
  /** The lake's rows minus AWS's count, as far as nothing explains it. */
  left: number;
}

export function differencesIn(aws: Counts, lake: Counts): readonly KindDifference[] {
  if (areEqual(aws, lake)) return [];
  const keys = new Set([...aws.keys(), ...lake.keys()]);
  const open: Open[] = [];
  for (const key of keys) {
    const [counted, stored] = [aws.get(key), lake.get(key)];
    const kind = counted?.kind ?? stored?.kind;
    if (kind === undefined) continue;
    const [a, l] = [counted?.jobs ?? 0, stored?.jobs ?? 0];
    if (a !== l) open.push({ kind, aws: a, lake: l, left: l - a });
  }
  cancel(open, (surplus, lack) => sameState(surplus, lack) && sameType(surplus, lack));
  cancel(
    open,
    (surplus, lack) => (canChange(surplus.state) || canChange(lack.state)) && sameType(surplus, lack),
  );
  return open
    .filter(({ left }) => left !== 0)
    .map(({ kind, aws: a, lake: l, left }) => ({
      kind,
      aws: a,
      lake: l,
      missing: Math.max(0, -left),
      surplus: Math.max(0, left),
    }));
}

function areEqual(aws: Counts, lake: Counts): boolean {
  if (aws.size !== lake.size) return false;
  for (const [key, { jobs }] of aws) if (lake.get(key)?.jobs !== jobs) return false;
  return true;
}

function cancel(open: readonly Open[], explains: (surplus: Kind, lack: Kind) => boolean): void {
  const lacks = open.filter(({ left }) => left < 0);
  for (const surplus of open) {
    if (surplus.left <= 0) continue;
    for (const lack of lacks) {
      if (lack.left === 0 || !explains(surplus.kind, lack.kind)) continue;
      const jobs = Math.min(surplus.left, -lack.left);
      surplus.left -= jobs;
      lack.left += jobs;
      if (surplus.left === 0) break;
    }
  }
}

function sameState(a: Kind, b: Kind): boolean {
  return mayEqual(a.state, b.state) && mayEqual(a.category, b.category);
}

function sameType(a: Kind, b: Kind): boolean {
  return mayEqual(a.resourceType, b.resourceType);
}

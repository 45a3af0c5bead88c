/** Which objects a look reads. The ledger's records and the names of all objects are always read whole. */
import { createHash } from 'node:crypto';
import { dayMs } from '../shared/time.ts';

/** One of `of` equal slices, numbered from 1. */
export interface Subset {
  readonly number: number;
  readonly of: number;
}

/** @param number null: the slice of the UTC day of `now`; each day has the one after the day before */
export function subsetOf(
  { number, of }: { readonly number: number | null; readonly of: number },
  now: number,
): Subset {
  return { number: number ?? (Math.floor(now / dayMs) % of) + 1, of };
}

export interface Scope {
  /** `yyyy-MM-dd`: only objects of this day and later; null: of every day. */
  readonly since: string | null;
  /** Null: all objects. */
  readonly subset: Subset | null;
}

/**
 * The slice of an object: the first four bytes of the SHA-256 of its key, big-endian, modulo the number of slices. So an
 * object is in the same slice every night, and all slices together are the whole lake.
 */
export function isInSubset(key: string, subset: Subset | null): boolean {
  if (subset === null) return true;
  const slice = createHash('sha256').update(key).digest().readUInt32BE(0) % subset.of;
  return slice === subset.number - 1;
}

/** @param day the day in the object's key */
export function isInScope(key: string, day: string, { since, subset }: Scope): boolean {
  return (since === null || day >= since) && isInSubset(key, subset);
}

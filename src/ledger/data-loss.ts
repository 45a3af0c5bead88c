/** What AWS deleted before a run read it, and when it begins to delete what is still unread. */
import type { CoverageStatus } from './coverage.ts';
import type { Planned } from './planned.ts';
import { type AwsMemory, rememberedFrom } from './remembered.ts';

/** An interval `[from, to)` of creation time, in milliseconds since the epoch. */
export interface LostInterval {
  readonly from: number;
  readonly to: number;
}

/**
 * What AWS had deleted by this run since earlier runs read the target; null: nothing. A disabled region loses nothing,
 * because nothing can be copied there. The view lost_intervals says the same from the coverage of all runs.
 */
export function lostSinceLastRead(
  { table, coveredTo, disabledAt }: Planned,
  status: CoverageStatus,
  run: AwsMemory & { readonly asOf: number },
): LostInterval | null {
  if (coveredTo === null || disabledAt !== undefined || status === 'REGION_DISABLED') return null;
  const remembered = rememberedFrom(table, run);
  return coveredTo < remembered ? { from: coveredTo, to: remembered } : null;
}

/** When AWS begins to delete what earlier runs have not read, in milliseconds since the epoch; null: they never read it. */
export function firstLossAt({ table, coveredTo }: Planned, memory: AwsMemory): number | null {
  return coveredTo === null ? null : coveredTo - rememberedFrom(table, { ...memory, asOf: 0 });
}

/**
 * When AWS deletes the first record of this target that no run will have read, if no other run comes; in milliseconds since
 * the epoch. Null: nothing is known to be lost there.
 */
export function nextLossAt(
  planned: Planned,
  status: CoverageStatus,
  run: AwsMemory & { readonly asOf: number },
): number | null {
  const { window, coveredTo } = planned;
  const wasRead = status === 'OK' || status === 'OK_EMPTY';
  if (status === 'REGION_DISABLED') return null;
  // A window that begins after what was read before leaves a gap, and the gap counts.
  const joins = window === null || window.from === null || coveredTo === null || window.from <= coveredTo;
  const readTo = wasRead && joins ? (window?.to ?? run.asOf) : coveredTo;
  if (readTo === null) return run.asOf;
  return firstLossAt({ ...planned, coveredTo: Math.max(readTo, coveredTo ?? readTo) }, run);
}

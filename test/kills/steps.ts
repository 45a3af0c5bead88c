/** Where a run is killed: at a random instant after its begin record, or between two of the steps that close it. */
import type { Draws } from '../faults/seeded.ts';
import { kinds, type Written } from '../support/kill-points.ts';

export interface Step {
  readonly name: string;
  /** Killed as the nth object with such a path is about to get its name; null: at a random instant. */
  readonly at: { readonly path: RegExp; readonly nth: number } | null;
  /** Whether what it has then written is what such a kill leaves. */
  readonly leaves: (written: Written) => boolean;
}

/** In the order of a run. */
export const steps: readonly Step[] = [
  { name: 'at a random instant after its begin record', at: null, leaves: () => true },
  {
    name: 'between two parts',
    at: { path: kinds.parts, nth: 2 },
    leaves: ({ parts, rejected }) => parts >= 1 && rejected === 0,
  },
  {
    name: 'between its parts and its rejected records',
    at: { path: kinds.rejected, nth: 1 },
    leaves: ({ parts, rejected, coverage }) => parts >= 1 && rejected === 0 && coverage === 0,
  },
  {
    name: 'between its rejected records and its coverage',
    at: { path: kinds.coverage, nth: 1 },
    leaves: ({ rejected, coverage, manifests }) => rejected === 1 && coverage === 0 && manifests === 0,
  },
  {
    name: 'between its coverage and its manifest',
    at: { path: kinds.manifests, nth: 1 },
    leaves: ({ coverage, manifests, watermarks }) => coverage === 1 && manifests === 0 && watermarks === 0,
  },
  {
    name: 'between its manifest and its watermarks',
    at: { path: kinds.watermarks, nth: 1 },
    leaves: ({ manifests, watermarks }) => manifests === 1 && watermarks === 0,
  },
  {
    name: 'between two buckets of watermarks',
    at: { path: kinds.watermarks, nth: 2 },
    leaves: ({ manifests, watermarks }) => manifests === 1 && watermarks === 1,
  },
];

/** Half of all kills come at random, the others at each step in turn. */
export function stepOf(number: number): Step {
  const [random, ...others] = steps;
  const step = number % 2 === 0 ? random : others[((number - 1) / 2) % others.length];
  if (step === undefined) throw new Error('there are no steps');
  return step;
}

/** How long after its begin record a run is killed at random, in milliseconds. */
export function randomDelay(draws: Draws, runMs: number): number {
  return draws.fraction() * runMs;
}

/** What a run that was killed had done, by what it left. */
export function reached({ parts, rejected, coverage, manifests, watermarks }: Written): string {
  if (watermarks > 0) return 'wrote watermarks';
  if (manifests > 0) return 'had its manifest';
  if (coverage > 0) return 'had its coverage';
  if (rejected > 0) return 'had its rejected records';
  return parts > 0 ? 'wrote parts' : 'had written no part';
}

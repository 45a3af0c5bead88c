/** The steps of a run that a test kills it before, and what each leaves in the lake. */

/** Objects of a run, by what they are for. */
export interface Written {
  readonly parts: number;
  readonly rejected: number;
  readonly coverage: number;
  readonly manifests: number;
  readonly watermarks: number;
}

export interface KillPoint {
  /** The run dies before the nth object with such a path has its name. */
  readonly path: RegExp;
  readonly nth: number;
  /** What it has then written. */
  readonly written: Partial<Written>;
}

/** The paths of a run's objects. */
export const kinds = {
  parts: /\/copy_jobs\//,
  rejected: /\/_ledger\/rejected\//,
  coverage: /\/export_coverage\//,
  // A begin record lies beside it.
  manifests: /\/_ledger\/runs\/.*(?<!\.begin)\.json$/,
  watermarks: /\/_ledger\/watermarks\//,
} as const;

/** By when they are. */
export const killPoints = {
  'between two parts': {
    path: kinds.parts,
    nth: 2,
    written: { parts: 1, coverage: 0, manifests: 0, watermarks: 0 },
  },
  'before its coverage': {
    path: kinds.coverage,
    nth: 1,
    written: { coverage: 0, manifests: 0, watermarks: 0 },
  },
  'between its coverage and its manifest': {
    path: kinds.manifests,
    nth: 1,
    written: { coverage: 1, manifests: 0, watermarks: 0 },
  },
  'between its manifest and its watermarks': {
    path: kinds.watermarks,
    nth: 1,
    written: { coverage: 1, manifests: 1, watermarks: 0 },
  },
} as const satisfies Readonly<Record<string, KillPoint>>;

/** The lake's keys, each with what changes when it is written again. */
export type Objects = ReadonlyMap<string, string | number>;

/** How much was written between two looks at a lake. */
export function writtenSince(before: Objects, now: Objects): Written {
  const keys = [...now].filter(([key, version]) => before.get(key) !== version).map(([key]) => `/${key}`);
  const count = (kind: RegExp) => keys.filter((key) => kind.test(key)).length;
  return {
    parts: count(kinds.parts),
    rejected: count(kinds.rejected),
    coverage: count(kinds.coverage),
    manifests: count(kinds.manifests),
    watermarks: count(kinds.watermarks),
  };
}

/**
 * Which content of a part is the current one, by what runs say that they read and wrote. Runs that end at once may be counted
 * in another order than they wrote in, so each write names the content that it replaced.
 */
import type { WrittenPart } from '../ledger/runs.ts';
import type { StateEntry } from './lake-state.ts';

/** What a run says about a part: it replaced one content by another, or read it and left it. */
export interface PartStep extends StateEntry {
  /** The content before; null: there was none; undefined: an older program did not write it down. */
  readonly before: string | null | undefined;
}

/**
 * The steps of runs, in the order of the runs. Older programs name only the ETag of what they replaced; the SHA-256 that
 * belongs to it is in the manifest of the run that wrote it.
 */
export function stepsOf(runs: readonly (readonly WrittenPart[])[]): PartStep[] {
  const parts = runs.flat();
  const contents = new Map(parts.map(({ key, etag_after: etag, sha256 }) => [`${key} ${etag}`, sha256]));
  return parts.map((part) => {
    const { key, sha256, rows, bytes, etag_before: etag } = part;
    const before = etag === null ? null : (part.sha256_before ?? contents.get(`${key} ${etag}`));
    return { key, sha256, rows, bytes, before };
  });
}

export interface Settled {
  /** The contents that may be the current one. More than one: only the part itself can tell. */
  readonly candidates: readonly StateEntry[];
  /** Contents that a run found, although neither the state nor another run has them; null: it found none. */
  readonly unexplained: readonly (string | null)[];
}

/**
 * @param known what the state has for this key; null: nothing
 * @param steps in the order of the runs
 */
export function settle(known: StateEntry | null, steps: readonly PartStep[]): Settled {
  const contents = new Map<string, StateEntry>();
  for (const { key, sha256, bytes, rows } of [...(known === null ? [] : [known]), ...steps]) {
    contents.set(sha256, { key, sha256, bytes, rows });
  }
  const replaced = new Set(steps.flatMap(({ before, sha256 }) => (before === sha256 ? [] : [before])));
  const last = [...contents.values()].filter(({ sha256 }) => !replaced.has(sha256));
  const made = new Set<string | null>([
    known?.sha256 ?? null,
    ...steps.flatMap(({ before, sha256 }) => (before === sha256 ? [] : [sha256])),
  ]);
  const found = steps.flatMap(({ before }) => (before === undefined ? [] : [before]));
  return {
    // Somebody restored an earlier content, and so all of them were replaced: any may be there now.
    candidates: last.length > 0 ? last : [...contents.values()],
    unexplained: [...new Set(found)].filter((content) => !made.has(content)),
  };
}

/**
 * Compares the objects of a lake with the state that its newest checkpoint names. Reads a page of the state at a time, so
 * memory does not grow with the lake.
 */
import { parseRunKey, rejectedPrefix, runsPrefix, statePageKey, tablePrefix } from '../lake/layout.ts';
import type { Store } from '../lake/stores/store.ts';
import { lakeTables } from '../tables/lake-tables.ts';
import type { StoredCheckpoint } from './checkpoint.ts';
import { CheckpointError } from './checkpoint-error.ts';
import { type CheckpointFinding, found } from './checkpoint-findings.ts';
import { pageOf, readPage, type StateEntry } from './lake-state.ts';

export interface StateCheck {
  readonly store: Pick<Store, 'read' | 'list' | 'url'>;
  readonly newest: StoredCheckpoint;
  /** The SHA-256 of an object's bytes now; null: it is gone. */
  readonly contentOf: (key: string) => Promise<string | null>;
  readonly onObject?: (key: string) => void;
  /** Objects that the store refuses to give: nobody knows what they are. */
  readonly isRefused?: (key: string) => boolean;
  readonly signal?: AbortSignal;
}

/** Every object of the lake that a checkpoint counts lies below one of these. */
const counted = lakeTables.map(tablePrefix).concat(rejectedPrefix, runsPrefix);

/** @throws LakeError when the store cannot be read; the signal's reason */
export async function* checkState(check: StateCheck): AsyncGenerator<CheckpointFinding> {
  const unseen = new Map(check.newest.checkpoint.pages.map((page) => [page.name, page]));
  let page: OpenPage | null = null;
  for (const prefix of counted) {
    for await (const key of check.store.list(prefix, {}, check.signal)) {
      const name = pageOf(key);
      if (page?.name !== name) {
        if (page !== null) yield* gone(page, check);
        page = await openPage(unseen.get(name) ?? { name, root: null }, check);
        unseen.delete(name);
        yield* page.findings;
      }
      const entry = page.entries.get(key);
      page.entries.delete(key);
      // A run that is running, or one of a program that did not count begin records.
      if (entry === undefined && parseRunKey(key)?.record === 'begin') continue;
      if (check.isRefused?.(key) === true) continue;
      check.onObject?.(key);
      if (entry !== undefined) yield* differing(entry, await check.contentOf(key), check);
      else if (page.findings.length === 0) yield surplus(key, check);
    }
  }
  if (page !== null) yield* gone(page, check);
  for (const summary of unseen.values()) {
    const empty = await openPage(summary, check);
    yield* empty.findings;
    yield* gone(empty, check);
  }
}

interface OpenPage {
  readonly name: string;
  /** Those that were not met yet. */
  readonly entries: Map<string, StateEntry>;
  readonly findings: readonly CheckpointFinding[];
}

/** A page that the checkpoint does not have is empty. */
async function openPage(
  { name, root }: { readonly name: string; readonly root: string | null },
  { store, signal }: StateCheck,
): Promise<OpenPage> {
  if (root === null) return { name, entries: new Map(), findings: [] };
  try {
    const entries = await readPage(store, { name, root }, signal);
    return { name, entries: new Map(entries.map((entry) => [entry.key, entry])), findings: [] };
  } catch (error) {
    if (!(error instanceof CheckpointError)) throw error;
    const what = error.message.slice(0, -`. ${error.advice}`.length);
    return { name, entries: new Map(), findings: [found('state-page-damaged', statePageKey(root), what)] };
  }
}

function* gone({ entries }: OpenPage, check: StateCheck): Generator<CheckpointFinding> {
  for (const entry of entries.values()) yield* differing(entry, null, check);
}

function surplus(key: string, { newest }: StateCheck): CheckpointFinding {
  const { number } = newest.checkpoint;
  return parseRunKey(key)?.record === 'manifest'
    ? found('run-unproven', key, `Checkpoint ${number}, the newest, does not count this run`)
    : found('object-unproven', key, `Checkpoint ${number}, the newest, does not have this object`);
}

function* differing(
  { key, sha256, bytes }: StateEntry,
  now: string | null,
  { newest }: StateCheck,
): Generator<CheckpointFinding> {
  if (now === sha256) return;
  const what = now === null ? 'The object is gone' : `The object has the SHA-256 ${now}`;
  yield found('object-unproven', key, `${what}; checkpoint ${newest.checkpoint.number} names ${sha256}`, {
    expected: { sha256, bytes },
  });
}

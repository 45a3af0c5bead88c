/**
 * All copy jobs of one target in one window: the list, cut into pieces where it is long, and hidden children.
 */
import { allOrStop } from './abort.ts';
import { askCopyJobs } from './ask.ts';
import { type Chain, readChain } from './chain.ts';
import { createFamily, jobId, parentId } from './child-jobs.ts';
import { type Round, tellingFirst } from './drain.ts';
import type { Window } from './source.ts';
import { askedBounds, creationTime, isWithin, pieces } from './window.ts';

/** The most that ListCopyJobs gives at once (its API reference, MaxResults). */
const pageSize = 1000;

/** A list longer than this many pages is read in pieces. */
const pagesBeforePieces = 4;
const pieceCount = 8;

export interface CopyJobsOptions {
  readonly window: Window;
  /** How far back AWS may remember. */
  readonly memoryMs: number;
  /** Chains read at once. */
  readonly sideBySide: number;
}

export async function readCopyJobs(round: Round, options: CopyJobsOptions): Promise<void> {
  const { window, memoryMs, sideBySide } = options;
  const family = createFamily();
  // What a piece must not hand on again: a record that is rejected later would be counted twice.
  const handedOn = new Set<string>();

  const list: Chain = {
    ask: (token) => askCopyJobs(inputFor(window), token),
    keep: (record) => {
      const kept = isWithin(window, record);
      if (kept) family.note(record);
      return kept;
    },
  };
  const beginning: Chain = {
    ask: list.ask,
    keep: (record) => {
      const kept = list.keep(record);
      if (kept) handedOn.add(identityOf(record));
      return kept;
    },
  };
  const piece = (part: Window): Chain => ({
    ask: (token) => askCopyJobs(inputFor(part), token),
    keep: (record) => {
      if (!isWithin(part, record) || handedOn.has(identityOf(record))) return false;
      // Its place in time cannot be read: every piece that lists it would take it for its own.
      if (creationTime(record) === null) handedOn.add(identityOf(record));
      family.note(record);
      return true;
    },
  });
  const childrenOf = (parent: string): Chain => ({
    ask: (token) => askCopyJobs({ ...inputFor({ from: null, to: window.to }), ByParentJobId: parent }, token),
    keep: (record) => {
      const id = jobId(record);
      if (!isWithin({ from: null, to: window.to }, record)) return false;
      if ((parentId(record) ?? parent) !== parent || (id !== null && family.knows(parent, id))) return false;
      family.note(record);
      return true;
    },
  });
  const all = (chains: readonly Chain[]) =>
    allOrStop(
      chains.map((chain) => async (signal) => {
        await readChain(round, chain, signal);
      }),
      sideBySide,
      round.signal,
      tellingFirst,
    );

  const rest = await readChain(round, beginning, round.signal, pagesBeforePieces);
  if (rest !== null) {
    const parts = pieces(window, pieceCount, memoryMs);
    if (parts.length > 1) await all(parts.map(piece));
    else await rest();
  }
  for (let parents = family.takeIncomplete(); parents.length > 0; parents = family.takeIncomplete()) {
    await all(parents.map(childrenOf));
  }
}

function inputFor(window: Window) {
  const { createdAfter, createdBefore } = askedBounds(window);
  return {
    MaxResults: pageSize,
    ByCreatedBefore: createdBefore,
    ...(createdAfter === undefined ? {} : { ByCreatedAfter: createdAfter }),
  };
}

function identityOf(record: unknown): string {
  return jobId(record) ?? JSON.stringify(record);
}

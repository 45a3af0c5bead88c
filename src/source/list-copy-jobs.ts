/**
 * All copy jobs of one target in one window: the list, read in pieces side by side where it is long, and the children
 * that AWS lists only under their parents.
 */
import type { ListedRecord } from '../tables/listed-record.ts';
import { askCopyJobs } from './ask.ts';
import { ChildJobs, jobId, parentId } from './child-jobs.ts';
import { type List, type RequestPage, readList } from './list.ts';
import { failureRank } from './outcome.ts';
import type { HeldPage } from './page.ts';
import { sideBySide } from './side-by-side.ts';
import type { Window } from './source.ts';
import { askedBounds, creationTime, isWithin, pieces } from './window.ts';

/** The most that ListCopyJobs returns at once (its API reference, MaxResults). */
const pageSize = 1000;

/** A list longer than this many pages is read in pieces. */
const pagesBeforePieces = 4;
const pieceCount = 8;

export interface CopyJobsOptions {
  readonly window: Window;
  /** How far back AWS may remember. */
  readonly memoryMs: number;
  /** Lists read at once. */
  readonly listsAtOnce: number;
}

export async function* readCopyJobs(
  request: RequestPage,
  options: CopyJobsOptions,
  signal: AbortSignal,
): AsyncGenerator<HeldPage, void> {
  const { window, memoryMs, listsAtOnce } = options;
  const children = new ChildJobs();
  // What the first pages held. A piece leaves it out: a record that is rejected later would be counted twice.
  const kept = new Set<string>();

  const whole: List = {
    ask: (token) => askCopyJobs(inputFor(window), token),
    keep: (record) => {
      if (!isWithin(window, record)) return false;
      children.note(record);
      kept.add(identityOf(record));
      return true;
    },
  };
  const piece = (bounds: Window): List => ({
    ask: (token) => askCopyJobs(inputFor(bounds), token),
    keep: (record) => {
      if (!isWithin(bounds, record) || kept.has(identityOf(record))) return false;
      // Without a readable creation time it lies in every piece that lists it.
      if (creationTime(record) === null) kept.add(identityOf(record));
      children.note(record);
      return true;
    },
  });
  const childrenOf = (parent: string): List => ({
    ask: (token) => askCopyJobs({ ...inputFor({ from: null, to: window.to }), ByParentJobId: parent }, token),
    keep: (record) => {
      const id = jobId(record);
      if (!isWithin({ from: null, to: window.to }, record)) return false;
      if ((parentId(record) ?? parent) !== parent || (id !== null && children.has(parent, id))) return false;
      children.note(record);
      return true;
    },
  });
  const all = (lists: readonly List[]) =>
    sideBySide(
      lists.map((list) => (stop: AbortSignal) => readList(request, list, stop)),
      listsAtOnce,
      signal,
      failureRank,
    );

  const windows = pieces(window, pieceCount, memoryMs);
  let pages = 0;
  let isLong = false;
  for await (const page of readList(request, whole, signal)) {
    yield page;
    pages += 1;
    isLong = pages === pagesBeforePieces && page.more && windows.length > 1;
    if (isLong) break;
  }
  if (isLong) yield* all(windows.map(piece));

  for (
    let parents = children.takeIncompleteParents();
    parents.length > 0;
    parents = children.takeIncompleteParents()
  ) {
    yield* all(parents.map(childrenOf));
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

function identityOf(record: ListedRecord): string {
  return jobId(record) ?? JSON.stringify(record.value);
}

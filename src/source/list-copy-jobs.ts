/**
 * All copy jobs of one target in one window: the list, read in pieces side by side where it is long; earlier jobs that have
 * ended lately, if they are asked for; and the children that AWS lists only under their parents.
 *
 * AWS documents the filters by completion and by state (docs.aws.amazon.com/aws-backup/latest/devguide/API_ListCopyJobs.html,
 * ByCompleteAfter, ByState), but not that filters combine, or whether bounds belong to them. So every record is looked at: one
 * that was not asked for does no harm. A record shows no end without its CompletionDate, which AWS may omit.
 */
import type { ListedRecord, TextBytes } from '../tables/listed-record.ts';
import { askCopyJobs } from './ask.ts';
import { ChildJobs, jobId, parentId } from './child-jobs.ts';
import { IdSet } from './id-set.ts';
import { type List, type RequestPage, readList } from './list.ts';
import { ListLength } from './list-length.ts';
import { failureRank } from './outcome.ts';
import type { HeldPage } from './page.ts';
import { sideBySide } from './side-by-side.ts';
import type { EndsAsked, Window } from './source.ts';
import { askedBounds, askedEnds, creationTime, mayHold, pieces } from './window.ts';

/** The most that ListCopyJobs returns at once (its API reference, MaxResults). */
const pageSize = 1000;

/** Into so many pieces a long list is cut. */
const pieceCount = 8;

export interface CopyJobsOptions {
  readonly window: Window;
  readonly ends?: EndsAsked;
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
  const { window, ends, memoryMs, listsAtOnce } = options;
  const children = new ChildJobs();
  // What the first pages held. A piece leaves it out: a record that is rejected later would be counted twice.
  const kept = new IdSet();
  const length = new ListLength(window, memoryMs, pieceCount);

  const whole: List = {
    ask: (token) => askCopyJobs(inputFor(window), token),
    keep: (record, observedAt) => {
      const created = creationTime(record, observedAt);
      if (!mayHold(window, created)) return false;
      children.note(record);
      kept.add(identityOf(record));
      length.note(created);
      return true;
    },
  };
  const piece = (bounds: Window): List => ({
    ask: (token) => askCopyJobs(inputFor(bounds), token),
    keep: (record, observedAt) => {
      const created = creationTime(record, observedAt);
      if (!mayHold(bounds, created) || kept.has(identityOf(record))) return false;
      // Without a creation time it lies in every piece that lists it.
      if (created === null) kept.add(identityOf(record));
      children.note(record);
      return true;
    },
  });
  const childrenOf = (parent: string): List => ({
    ask: (token) => askCopyJobs({ ...inputFor({ from: null, to: window.to }), ByParentJobId: parent }, token),
    keep: (record, observedAt) => {
      const id = jobId(record);
      const created = creationTime(record, observedAt);
      if (!mayHold({ from: null, to: window.to }, created)) return false;
      if ((parentId(record) ?? parent) !== parent || (id !== null && children.has(parent, id))) return false;
      children.note(record);
      if (id !== null && !mayHold(window, created)) ends?.onEarlier(id);
      return true;
    },
  });
  /** Of jobs created before the window. */
  const earlier = (filter: EarlierFilter, isNoted: () => boolean): List => ({
    ask: (token) =>
      askCopyJobs({ ...inputFor({ from: null, to: window.from ?? window.to }), ...filter }, token),
    keep: (record, observedAt) => {
      const id = jobId(record);
      const created = creationTime(record, observedAt);
      const isEarlier = created === null || created < (window.from ?? window.to);
      if (!isEarlier || kept.has(identityOf(record))) return false;
      kept.add(identityOf(record));
      if (id !== null) ends?.onEarlier(id);
      if (isNoted()) children.note(record);
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
  let isLong = false;
  for await (const page of readList(request, whole, signal)) {
    yield page;
    isLong = page.more && windows.length > 1 && length.isLong();
    if (isLong) break;
  }
  if (isLong) yield* all(windows.map(piece));

  if (ends !== undefined && window.from !== null) {
    yield* readList(
      request,
      earlier({ ByCompleteAfter: askedEnds(ends.since) }, () => true),
      signal,
    );
    // A parent changes with its children, before it ends. If no list has shown a child, the children may have changed unseen.
    const areListed = children.areListed;
    if (!areListed || children.lackParents) {
      yield* readList(
        request,
        earlier({ ByState: 'RUNNING' }, () => !areListed),
        signal,
      );
    }
  }

  for (
    let parents = children.takeIncompleteParents();
    parents.length > 0;
    parents = children.takeIncompleteParents()
  ) {
    yield* all(parents.map(childrenOf));
  }
}

type EarlierFilter = { readonly ByCompleteAfter: Date } | { readonly ByState: 'RUNNING' };

function inputFor(window: Window) {
  const { createdAfter, createdBefore } = askedBounds(window);
  return {
    MaxResults: pageSize,
    ByCreatedBefore: createdBefore,
    ...(createdAfter === undefined ? {} : { ByCreatedAfter: createdAfter }),
  };
}

function identityOf(record: ListedRecord): string | TextBytes {
  return record.textBytes?.('CopyJobId') ?? jobId(record) ?? JSON.stringify(record.value);
}

/**
 * Windows of creation time: what to ask AWS for, and which records to keep.
 */
import { latestCreation } from '../tables/copy-jobs.ts';
import type { ListedRecord } from '../tables/listed-record.ts';
import { instantOf } from '../tables/record-values.ts';
import type { Window } from './source.ts';

const second = 1000;

/**
 * The bounds to ask AWS for, so that nothing of the window is missed. They are whole seconds, because it is not documented
 * whether AWS keeps fractions, and begin a second early, because it is not documented whether the filters include them.
 */
export function askedBounds(window: Window): { readonly createdAfter?: Date; readonly createdBefore: Date } {
  const createdBefore = new Date(Math.ceil(window.to / second) * second);
  if (window.from === null) return { createdBefore };
  return { createdAfter: new Date(Math.floor(window.from / second) * second - second), createdBefore };
}

/** The bound to ask AWS for ends since a time: a whole second, and one early, for the same reasons. */
export function askedEnds(since: number): Date {
  return new Date(Math.floor(since / second) * second - second);
}

/** True if there is nothing to ask AWS for. The response would look like an empty account. */
export function isEmptyWindow(window: Window | null): boolean {
  return window !== null && window.from !== null && window.from >= window.to;
}

/**
 * The creation time of a record, in milliseconds; null if no row can have it: then the record will be rejected.
 * @param observedAt when AWS listed the record
 */
export function creationTime(record: ListedRecord, observedAt: number): number | null {
  const created = instantOf(record.field('CreationDate'));
  return created === null || created > latestCreation(observedAt) ? null : created;
}

/** True if a record created then lies in the window. Null: it has to be read, because it is rejected later, and not lost here. */
export function mayHold(window: Window, created: number | null): boolean {
  if (created === null) return true;
  return created < window.to && (window.from === null || created >= window.from);
}

/** Where the window begins, or where AWS's memory does. */
export function beginOf({ from, to }: Window, memoryMs: number): number {
  return from ?? to - memoryMs;
}

/**
 * The window in `count` adjoining pieces, cut at whole seconds. Without a lower bound the first piece has none either, and
 * the others share what AWS remembers before `to`. A window that is too short to cut is one piece.
 */
export function pieces(window: Window, count: number, memoryMs: number): Window[] {
  const begin = beginOf(window, memoryMs);
  const step = Math.ceil((window.to - begin) / count / second) * second;
  if (count < 2 || step < 60 * second) return [window];
  const edges = Array.from({ length: count - 1 }, (_, index) => {
    const edge = begin + (index + 1) * step;
    return Math.ceil(edge / second) * second;
  }).filter((edge) => edge < window.to);
  return [...edges, window.to].map((to, index) => ({
    from: index === 0 ? window.from : (edges[index - 1] ?? window.from),
    to,
  }));
}

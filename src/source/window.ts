/**
 * Windows of creation time: what is asked for, and what is kept of what comes.
 */
import type { Window } from './source.ts';

const second = 1000;

/**
 * What to ask AWS for so that nothing of the window is missed: whole seconds (whether AWS keeps fractions is not
 * documented), a second more below (nor is it whether the filters include their bounds).
 */
export function askedBounds(window: Window): { readonly createdAfter?: Date; readonly createdBefore: Date } {
  const createdBefore = new Date(Math.ceil(window.to / second) * second);
  if (window.from === null) return { createdBefore };
  return { createdAfter: new Date(Math.floor(window.from / second) * second - second), createdBefore };
}

/** Whether there is nothing to ask AWS for. An answer to it would look like an empty account. */
export function isEmptyWindow(window: Window | null): boolean {
  return window !== null && window.from !== null && window.from >= window.to;
}

/** The creation time of a record as on the wire, in milliseconds; null where it cannot be read. */
export function creationTime(record: unknown): number | null {
  if (typeof record !== 'object' || record === null || !('CreationDate' in record)) return null;
  const { CreationDate: seconds } = record;
  return typeof seconds === 'number' && Number.isFinite(seconds) ? Math.round(seconds * 1000) : null;
}

/** Whether a record lies in the window. One whose creation time cannot be read does: it is rejected later, not lost here. */
export function isWithin(window: Window, record: unknown): boolean {
  const created = creationTime(record);
  if (created === null) return true;
  return created < window.to && (window.from === null || created >= window.from);
}

/**
 * The window in so many pieces, side by side, on whole seconds. With no lower bound the first piece has none
 * either, and the rest share AWS's memory before `to`. One piece when the window is too short to cut.
 */
export function pieces(window: Window, count: number, memoryMs: number): Window[] {
  const begin = window.from ?? window.to - memoryMs;
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

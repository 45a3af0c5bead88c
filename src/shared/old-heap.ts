import { setFlagsFromString } from 'node:v8';

/**
 * Bounds how much V8's heap may grow before V8 collects all of it. V8 lets a heap with 40 MiB alive grow to 100
 * and more (measured on Node 24), which hardly matters unless others need the memory.
 * @param percent of what was left by the last collection; 0: as V8 decides
 */
export function growHeapBy(percent: number): void {
  // V8 reads it after each collection.
  setFlagsFromString(`--heap-growing-percent=${percent}`);
}

/** V8 tells of a flag that it does not know on standard error: Node 22's is without this one, and later ones may be. */
const isKnown = process.versions.v8.startsWith('13.');

/**
 * V8 collects the whole heap whenever 64 MiB outside of it are new: the pages on their way and their lines, which are freed
 * without it. If they count with the heap, V8 collects when both together have grown by a share.
 * @param areCounted false: as V8 decides
 */
export function countOutsideBytes(areCounted: boolean): void {
  // V8 reads it whenever such bytes come.
  if (isKnown) setFlagsFromString(`--${areCounted ? '' : 'no-'}external-memory-accounted-in-global-limit`);
}

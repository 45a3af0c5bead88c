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

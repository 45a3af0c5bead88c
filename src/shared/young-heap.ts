/**
 * Bounds V8's space for young objects. V8 doubles it whenever much survives in it, up to 128 MiB on a machine with enough memory, and it
 * stays that large while the program is busy.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

let mostBytes = Number.POSITIVE_INFINITY;
let factor = 2;
const observer = new PerformanceObserver(adjust);

/**
 * Holds for the whole process, until it is called again. A space that is larger already shrinks only by `releaseMemory('last-resort')`.
 * @param mebibytes both halves together, of which V8 fills one at a time; null: as V8 decides
 */
export function boundYoungHeap(mebibytes: number | null): void {
  mostBytes = mebibytes === null ? Number.POSITIVE_INFINITY : mebibytes * 2 ** 20;
  if (mebibytes === null) observer.disconnect();
  else observer.observe({ entryTypes: ['gc'] });
  adjust();
}

function adjust(): void {
  const wanted = youngBytes() * 2 > mostBytes ? 1 : 2;
  // V8 reads it each time it may grow the space.
  if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
  factor = wanted;
}

/** Whether the space is larger than its bound, because that was lowered. */
export function isYoungHeapTooLarge(): boolean {
  return youngBytes() > mostBytes;
}

function youngBytes(): number {
  return getHeapSpaceStatistics().find(({ space_name: name }) => name === 'new_space')?.space_size ?? 0;
}

/**
 * For threads that start from now on. They begin with 1 MiB otherwise, and the bound above keeps them from growing too.
 * @param mebibytes of one half; 0: as V8 decides
 */
export function beginYoungHeapsWith(mebibytes: number): void {
  setFlagsFromString(`--min-semi-space-size=${mebibytes}`);
}

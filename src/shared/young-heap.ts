/**
 * Bounds V8's space for young objects. V8 doubles it whenever much survives in it, up to 128 MiB on a machine with enough memory, and it
 * stays that large while the program is busy. Larger than this, it saves no time here: what a page needs is in bytes outside of the heap.
 */
import { PerformanceObserver } from 'node:perf_hooks';
import { getHeapSpaceStatistics, setFlagsFromString } from 'node:v8';

/** Both halves together, of which V8 fills one at a time. */
const mostBytes = 32 * 2 ** 20;

/** Returns the function that lifts the bound. */
export function boundYoungHeap(): () => void {
  let factor = 2;
  const growBy = (wanted: number) => {
    // V8 reads it each time it may grow the space.
    if (wanted !== factor) setFlagsFromString(`--semi-space-growth-factor=${wanted}`);
    factor = wanted;
  };
  const observer = new PerformanceObserver(() => growBy(youngBytes() * 2 > mostBytes ? 1 : 2));
  observer.observe({ entryTypes: ['gc'] });
  return () => {
    observer.disconnect();
    growBy(2);
  };
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

/**
 * The largest and the smallest of any number of numbers. `Math.max(...numbers)` passes them on the stack, which overflows at some
 * 125,000.
 */

/** @param atLeast the result if all are smaller, or there are none */
export function largest(numbers: Iterable<number>, atLeast: number): number {
  let found = atLeast;
  for (const one of numbers) found = Math.max(found, one);
  return found;
}

/** @param atMost the result if all are larger, or there are none */
export function smallest(numbers: Iterable<number>, atMost: number): number {
  let found = atMost;
  for (const one of numbers) found = Math.min(found, one);
  return found;
}

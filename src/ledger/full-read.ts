/** When a target is read as a whole. */
import { createHash } from 'node:crypto';

/**
 * Whether a target is to be read as a whole again, which happens once in each period at least. Each target has its turn at a moment of
 * its own in the second half of the period, another one each time. So the targets share the work between nights, and none is read again
 * that was read some nights ago.
 * @param target its name; undefined: its turn is at the end of the period
 */
export function isFullReadDue(
  periodMs: number,
  last: number,
  now: number,
  target: string | undefined,
): boolean {
  const share = target === undefined ? 1 : (1 + fractionOf(`${target} ${last}`)) / 2;
  return now - last >= periodMs * share;
}

/** In [0, 1), always the same for a text. */
function fractionOf(text: string): number {
  return createHash('sha256').update(text).digest().readUInt32BE() / 2 ** 32;
}

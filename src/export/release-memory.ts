import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Gives back what V8 holds without need. It lets its heap grow as far as the machine allows, and does not shrink it
 * for memory that is asked for outside of it, as an engine does: without this a run's peak is the sum of both.
 * Some 100 ms; to be called before a wave is published, not for each part.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Returns heap that V8 does not need. V8 lets its heap grow as far as the machine allows, and does not shrink it when an
 * engine asks for memory outside of it: without this, a run's peak is the sum of both, and a long look at small parts
 * grows with their number. It takes up to 100 ms, so it is called once for each batch, not for each part.
 */
export function releaseMemory(): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect();
}

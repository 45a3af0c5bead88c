import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';

/**
 * Returns heap that V8 does not need. V8 lets its heap grow as far as the machine allows, and does not shrink it when an
 * engine asks for memory outside of it: without this, a run's peak is the sum of both. It takes some 100 ms, so it is
 * called once for each batch, not for each part.
 * @param flavor `last-resort` also shrinks the space for young objects, which otherwise grows with all that was ever read;
 *   it takes several times as long
 */
export function releaseMemory(flavor: 'regular' | 'last-resort' = 'regular'): void {
  setFlagsFromString('--expose-gc');
  const collect: unknown = runInNewContext('gc');
  if (typeof collect === 'function') collect({ type: 'major', execution: 'sync', flavor });
}

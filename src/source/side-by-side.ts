/** Several lists read at the same time. */
import { childController } from '../shared/abort.ts';

/** Why a list was stopped: another one beside it failed, or nobody wants more pages. */
export class SiblingStopped extends Error {}

type Begin<Page> = (signal: AbortSignal) => AsyncGenerator<Page, void>;

type Arrival<Page> =
  | { readonly list: AsyncGenerator<Page, void>; readonly result: IteratorResult<Page, void> }
  | { readonly list: AsyncGenerator<Page, void>; readonly error: unknown };

/**
 * The pages of several lists, at most `limit` lists at once, one page at a time in the order in which they come.
 * The first list that fails stops the others. Pages that had come by then still come out; then it throws the failure
 * that `rank` puts lowest.
 */
export async function* sideBySide<Page>(
  lists: readonly Begin<Page>[],
  limit: number,
  parent: AbortSignal,
  rank: (error: unknown) => number,
): AsyncGenerator<Page, void> {
  const controller = childController(parent);
  const waiting = lists[Symbol.iterator]();
  const running = new Map<AsyncGenerator<Page, void>, Promise<Arrival<Page>>>();
  const failures: unknown[] = [];

  const pull = (list: AsyncGenerator<Page, void>) => {
    const arrival = list.next().then(
      (result) => ({ list, result }),
      (error: unknown) => ({ list, error }),
    );
    // Moved to the end: a list that is always quick must not keep the others waiting.
    running.delete(list);
    running.set(list, arrival);
  };
  const beginNext = () => {
    if (controller.signal.aborted) return;
    const { value: begin } = waiting.next();
    if (begin !== undefined) pull(begin(controller.signal));
  };

  try {
    for (let begun = 0; begun < limit; begun += 1) beginNext();
    while (running.size > 0) {
      const arrival = await Promise.race(running.values());
      const { list } = arrival;
      if ('result' in arrival && !arrival.result.done) {
        yield arrival.result.value;
        pull(list);
        continue;
      }
      running.delete(list);
      if ('error' in arrival) {
        failures.push(arrival.error);
        controller.abort(new SiblingStopped());
      }
      beginNext();
    }
  } finally {
    controller.abort(new SiblingStopped());
    controller.release();
    // Also if the loop was left early: requests on their way are cancelled, and their pages release their place and memory.
    await Promise.allSettled([...running.keys()].map((list) => list.return()));
  }
  const [worst] = failures
    .filter((error) => !(error instanceof SiblingStopped))
    .sort((a, b) => rank(a) - rank(b));
  if (worst !== undefined) throw worst;
  parent.throwIfAborted();
}

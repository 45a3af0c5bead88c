/** Rejects with the signal's reason as soon as it is aborted, whatever the promise is still waiting for. */
export async function abortable<Result>(promise: Promise<Result>, signal: AbortSignal): Promise<Result> {
  let stop = () => {};
  const aborted = new Promise<never>((_, reject) => {
    stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
  });
  try {
    return await Promise.race([promise, aborted]);
  } finally {
    signal.removeEventListener('abort', stop);
    // The loser of the race may still fail; nobody is left to hear it.
    promise.catch(() => {});
    aborted.catch(() => {});
  }
}

/** A controller that is aborted with its parent, for the same reason; `release` lets go of the parent. */
export function childController(parent: AbortSignal): AbortController & { release: () => void } {
  const controller = new AbortController();
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return Object.assign(controller, { release: () => parent.removeEventListener('abort', follow) });
}

/**
 * Runs the tasks, at most `limit` at once. The first that fails stops the others; when all have come to rest,
 * rejects with the most telling failure: `rank` gives the lowest to that one, and null to mere consequences.
 */
export async function allOrStop(
  tasks: readonly ((signal: AbortSignal) => Promise<void>)[],
  limit: number,
  parent: AbortSignal,
  rank: (error: unknown) => number,
): Promise<void> {
  const controller = childController(parent);
  const waiting = tasks[Symbol.iterator]();
  const failures: unknown[] = [];
  const worker = async () => {
    for (const task of waiting) {
      if (controller.signal.aborted) return;
      try {
        await task(controller.signal);
      } catch (error) {
        failures.push(error);
        controller.abort(new SiblingFailed());
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: limit }, worker));
  } finally {
    controller.release();
  }
  const [worst] = failures
    .filter((error) => !(error instanceof SiblingFailed))
    .sort((a, b) => rank(a) - rank(b));
  if (worst !== undefined) throw worst;
  parent.throwIfAborted();
}

/** Why a task was stopped: another one failed. */
export class SiblingFailed extends Error {}

/** Why everything is stopped: the run is told to end. By this name and sentence it stands in coverage and summaries. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('the run was interrupted');
  }
}

/** Why everything is stopped: the run's own time is up. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached';
  constructor() {
    super('the deadline of the run was reached');
  }
}

/** Whether this is no failure, but the end of a run that had to end. */
export function isStop(error: unknown): error is Interrupted | DeadlineReached {
  return error instanceof Interrupted || error instanceof DeadlineReached;
}

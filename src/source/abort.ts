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

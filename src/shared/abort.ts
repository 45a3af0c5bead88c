/** Why a run is to end before its work is done, and waiting no longer when it is. */
import { UnavailableError } from './errors.ts';

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

/** Why what was read is not published: the window for that is closed until after the deadline. */
export class PublishWindowClosed extends Error {
  override readonly name = 'PublishWindowClosed';
  constructor(window: string) {
    super(`the publish window ${window} was closed, and does not open before the deadline`);
  }
}

/** Whether this is no failure, but the end of a run that had to end. */
export function isStop(error: unknown): error is Interrupted | DeadlineReached | PublishWindowClosed {
  return [Interrupted, DeadlineReached, PublishWindowClosed].some((stop) => error instanceof stop);
}

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

/** Why a run stopped reading before its time. */
export type StopReason = 'interrupted' | 'deadline';

/**
 * Asks what a run has to know before it can drain, and gives up with `Limits.draining`, whatever the answer waits for.
 * @param what what could then not be done, to what: `The accounts of the organization could not be listed`
 * @throws UnavailableError when the signal is aborted before there is an answer
 */
export async function whileRunning<Answer>(
  draining: AbortSignal,
  what: string,
  ask: () => Promise<Answer>,
): Promise<Answer> {
  try {
    draining.throwIfAborted();
    return await abortable(ask(), draining);
  } catch (error) {
    if (!draining.aborted) throw error;
    const why = draining.reason instanceof Error ? draining.reason.message : String(draining.reason);
    const advice =
      draining.reason instanceof Interrupted
        ? 'Run it again; nothing is lost'
        : 'Nothing is lost. Run it again later; if it stays so, look at the network and the proxy, or raise --deadline';
    throw new UnavailableError(`${what}: ${why}`, advice, { cause: error });
  }
}

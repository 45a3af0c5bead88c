/** Why a run ends before its work is done, and how waiting stops when it does. */
import { UnavailableError } from './errors.ts';

/** The run was told to end. The coverage and the summary show this name and message. */
export class Interrupted extends Error {
  override readonly name = 'Interrupted';
  constructor() {
    super('the run was interrupted');
  }
}

/** The run has used up its `--deadline`. */
export class DeadlineReached extends Error {
  override readonly name = 'DeadlineReached';
  constructor() {
    super('the deadline of the run was reached');
  }
}

/** A part was not published, because the publish window does not open before the deadline. */
export class PublishWindowClosed extends Error {
  override readonly name = 'PublishWindowClosed';
  constructor(window: string) {
    super(`the publish window ${window} was closed, and does not open before the deadline`);
  }
}

/** True when nothing failed and the run only had to end. */
export function isStop(error: unknown): error is Interrupted | DeadlineReached | PublishWindowClosed {
  return [Interrupted, DeadlineReached, PublishWindowClosed].some((stop) => error instanceof stop);
}

/** Rejects with the signal's reason as soon as it is aborted, also at once, whatever the promise does or still waits for. */
export function abortable<Result>(promise: Promise<Result>, signal?: AbortSignal): Promise<Result> {
  if (signal === undefined) return promise;
  return new Promise((resolve, reject) => {
    const stop = () => reject(signal.reason);
    if (signal.aborted) stop();
    else signal.addEventListener('abort', stop, { once: true });
    // Nobody waits for what the promise does after that.
    promise.then(resolve, reject).finally(() => signal.removeEventListener('abort', stop));
  });
}

/**
 * Waits for something that must be given back later. If the signal is aborted first, the lease is given back as soon as it
 * arrives.
 */
export async function acquireUnlessAborted<Lease>(
  lease: Promise<Lease>,
  signal: AbortSignal,
  giveBack: (lease: Lease) => void,
): Promise<Lease> {
  try {
    return await abortable(lease, signal);
  } catch (error) {
    lease.then(giveBack, () => {});
    throw error;
  }
}

/** A controller that is aborted together with its parent, for the same reason. `release` detaches it from the parent. */
export function childController(parent: AbortSignal): AbortController & { release: () => void } {
  const controller = new AbortController();
  const follow = () => controller.abort(parent.reason);
  if (parent.aborted) follow();
  else parent.addEventListener('abort', follow, { once: true });
  return Object.assign(controller, { release: () => parent.removeEventListener('abort', follow) });
}

/** Why a run stopped reading early. */
export type StopReason = 'interrupted' | 'deadline';

/**
 * Asks for something that the run must know before it can drain. Gives up as soon as `signal` is aborted.
 * @param signal usually `StopSignals.draining`
 * @param what the message if it is aborted: `The accounts of the organization could not be listed`
 * @throws UnavailableError when the signal is aborted before there is an answer
 */
export async function askUnlessStopped<Result>(
  signal: AbortSignal,
  what: string,
  ask: () => Promise<Result>,
): Promise<Result> {
  try {
    signal.throwIfAborted();
    return await abortable(ask(), signal);
  } catch (error) {
    if (!signal.aborted) throw error;
    const why = signal.reason instanceof Error ? signal.reason.message : String(signal.reason);
    const advice =
      signal.reason instanceof Interrupted
        ? 'Nothing is lost. Run it again'
        : 'Nothing is lost. Run it again later. If this keeps happening, check the network and the proxy, or raise --deadline';
    throw new UnavailableError(`${what}: ${why}`, advice, { cause: error });
  }
}

/** `--publish-window`: the time of day when parts may be replaced, so that readers know when not to read. */

import { setTimeout as sleep } from 'node:timers/promises';
import type { PublishWindow } from '../config/typed-values.ts';
import { Interrupted, PublishWindowClosed } from '../shared/abort.ts';
import { UnavailableError } from '../shared/errors.ts';
import { dayMs } from '../shared/time.ts';

/** @returns 0 within the window; otherwise the milliseconds until it opens */
export function msUntilOpen({ fromMs, toMs }: PublishWindow, epochMs: number): number {
  const ofDay = ((epochMs % dayMs) + dayMs) % dayMs;
  const isOpen = fromMs < toMs ? ofDay >= fromMs && ofDay < toMs : ofDay >= fromMs || ofDay < toMs;
  return isOpen ? 0 : (fromMs - ofDay + dayMs) % dayMs;
}

/** `01:00-04:00 UTC` */
function windowText({ fromMs, toMs }: PublishWindow): string {
  const [from, to] = [fromMs, toMs].map((ms) => new Date(ms).toISOString().slice(11, 16));
  return `${from}-${to} UTC`;
}

export interface PublishGateOptions {
  /** Null: always open. */
  readonly window: PublishWindow | null;
  /** AWS's time, in milliseconds since the epoch. */
  readonly now: () => number;
  /** The run's deadline, in the same time. */
  readonly deadline: number;
  /** When it is aborted, the run must end and no longer waits for the window. */
  readonly stopping: AbortSignal;
  /** When it is aborted, nothing more is published. */
  readonly publishing: AbortSignal;
  /** Called once, when the first part must wait. */
  readonly onWait: (ms: number) => void;
}

/** @throws UnavailableError when the window opens after the deadline, so that the run could publish nothing */
export function openPublishGate(options: PublishGateOptions): PublishGate {
  const gate = new PublishGate(options);
  const { window, now } = options;
  if (window === null || gate.opensInTime()) return gate;
  throw new UnavailableError(
    `The publish window ${windowText(window)} opens at ${new Date(now() + gate.opensInMs()).toISOString()}, after the deadline of this run`,
    'Nothing was read. Start the run later so that the window opens within --deadline, or omit --publish-window.',
  );
}

/** Every part passes this gate before it is replaced. A part that is in progress when the window closes is still finished. */
export class PublishGate {
  readonly #options: PublishGateOptions;
  #hasWaited = false;

  constructor(options: PublishGateOptions) {
    this.#options = options;
  }

  opensInMs(): number {
    const { window, now } = this.#options;
    return window === null ? 0 : msUntilOpen(window, now());
  }

  /** Whether the window opens before the deadline. */
  opensInTime(): boolean {
    return this.#options.now() + this.opensInMs() < this.#options.deadline;
  }

  /**
   * Resolves within the window.
   * @throws PublishWindowClosed when it does not open before the deadline; the reason when the run has to end
   */
  async pass(): Promise<void> {
    const { window, stopping, publishing } = this.#options;
    for (let waitMs = this.opensInMs(); waitMs > 0 && window !== null; waitMs = this.opensInMs()) {
      publishing.throwIfAborted();
      if (stopping.aborted) throw new Interrupted();
      if (!this.opensInTime()) throw new PublishWindowClosed(windowText(window));
      if (!this.#hasWaited) this.#options.onWait(waitMs);
      this.#hasWaited = true;
      await sleep(waitMs, undefined, { signal: AbortSignal.any([stopping, publishing]) }).catch(
        () => undefined,
      );
    }
  }
}

/**
 * How long a drain may read. Only its requests take this time: from when a request may begin until its page is there, with
 * its retries and the waits between them. A drain that waits for other drains, or for its loop, is not stopped for it: such a wait
 * may last until the publish window opens, and only the run's deadline ends it.
 */
import { longestTimerMs } from '../shared/time.ts';

export class ReadingTime {
  readonly #onUp: () => void;
  readonly #now: () => number;
  #leftMs: number;
  /** Requests that take time now. Several at once take it once. */
  #running = 0;
  #since = 0;
  #timer: NodeJS.Timeout | undefined;

  /**
   * @param onUp called when the time is used up
   * @param now monotonic, in milliseconds
   */
  constructor(limitMs: number, onUp: () => void, now: () => number) {
    this.#leftMs = limitMs;
    this.#onUp = onUp;
    this.#now = now;
  }

  /** Takes time until the request is done. */
  async during<Result>(request: () => Promise<Result>): Promise<Result> {
    this.#begin();
    try {
      return await request();
    } finally {
      this.#end();
    }
  }

  /** Within a request: takes no time until the wait is over. */
  async outside<Result>(wait: () => Promise<Result>): Promise<Result> {
    this.#end();
    try {
      return await wait();
    } finally {
      this.#begin();
    }
  }

  #begin(): void {
    this.#running += 1;
    if (this.#running > 1) return;
    this.#since = this.#now();
    this.#timer = setTimeout(this.#onUp, Math.min(Math.max(this.#leftMs, 0), longestTimerMs));
  }

  #end(): void {
    this.#running -= 1;
    if (this.#running > 0) return;
    clearTimeout(this.#timer);
    this.#leftMs -= this.#now() - this.#since;
  }
}

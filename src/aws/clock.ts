/** AWS's time: what each response reported, and what it is now. */

/**
 * Clocks agree if they differ by no more than this. AWS refuses a signature whose date is 5 or 15 minutes off, depending
 * on the service (docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html), so a correct clock is
 * closer than that. A response's `Date` is also a little late: by the time that the response took to arrive.
 */
export const clockToleranceMs = 5 * 60_000;

/** What a clock showed, and when it was read. */
export interface ClockReading {
  /** For messages: `AWS STS in us-east-1`. */
  readonly who: string;
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
  /** When it was read, by the monotonic clock, in milliseconds. */
  readonly at: number;
}

export interface ClockSources {
  /** Milliseconds since the epoch. This clock can be set at any time. */
  readonly local: () => number;
  /** Milliseconds since some instant. This clock cannot be set. */
  readonly monotonic: () => number;
}

const machine: ClockSources = { local: () => Date.now(), monotonic: () => performance.now() };

export interface ClockOptions {
  readonly sources?: ClockSources;
  /**
   * Whose responses count before a time is agreed on. Those of others count from then on: which time it is must not depend on
   * what else has responded by then. Default: all.
   */
  readonly countsAtOnce?: (who: string) => boolean;
}

/**
 * Until a time is agreed on, this clock follows the `Date` of the last response that counts, or the local clock if there is none
 * yet. From then on it follows only the agreed time, plus what has passed since by the monotonic clock.
 */
export class AwsClock {
  readonly #sources: ClockSources;
  readonly #countsAtOnce: (who: string) => boolean;
  /** Of those that count only when a time is agreed on. */
  readonly #keptBack = new Map<string, ClockReading>();
  readonly #readings = new Map<string, ClockReading>();
  #base: ClockReading | null = null;
  #agreedSince: number | null = null;

  constructor({ sources = machine, countsAtOnce = () => true }: ClockOptions = {}) {
    this.#sources = sources;
    this.#countsAtOnce = countsAtOnce;
  }

  /** AWS's time, in milliseconds since the epoch. */
  now(): number {
    const base = this.#base;
    return base === null ? this.#sources.local() : base.epochMs + this.#sources.monotonic() - base.at;
  }

  monotonic(): number {
    return this.#sources.monotonic();
  }

  /** The time by this machine. */
  local(): ClockReading {
    return {
      who: 'the clock of this machine',
      epochMs: this.#sources.local(),
      at: this.#sources.monotonic(),
    };
  }

  /** Records the Date of a response that counts at once. */
  saw(who: string, epochMs: number): void {
    const reading = { who, epochMs, at: this.#sources.monotonic() };
    this.#readings.set(who, reading);
    if (this.#agreedSince === null) this.#base = reading;
  }

  /** Records the Date of any response. */
  note(who: string, epochMs: number): void {
    if (this.#agreedSince !== null || this.#countsAtOnce(who)) this.saw(who, epochMs);
    else this.#keptBack.set(who, { who, epochMs, at: this.#sources.monotonic() });
  }

  /**
   * From each service the reading that counts, which is the last one. When a time is agreed on, those that were kept back count as if
   * they had come then. The order is that in which the services began to count.
   */
  readings(): ClockReading[] {
    return [...this.#readings.values()];
  }

  /** From now on this is AWS's time, whatever single responses say. */
  agree(on: ClockReading): void {
    this.#agreedSince ??= on.epochMs;
    this.#base = on;
    for (const [who, reading] of this.#keptBack) this.#readings.set(who, reading);
    this.#keptBack.clear();
  }

  /** The first agreed time, which is the run's as-of; null: none yet. */
  get agreedSince(): number | null {
    return this.#agreedSince;
  }
}

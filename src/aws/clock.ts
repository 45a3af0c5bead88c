/** AWS's time: what each answer said it was, and what it is now. */

/**
 * Clocks that differ by no more than this agree. AWS refuses a signature that is dated 5 minutes wrong, or 15,
 * depending on the service (docs.aws.amazon.com/IAM/latest/UserGuide/signature-v4-troubleshooting.html), so a right
 * clock is nearer; and an answer's `Date` is as old as the way it came.
 */
export const clockToleranceMs = 5 * 60_000;

/** Somebody's time, and when it was learnt. */
export interface ClockReading {
  /** For messages: `AWS STS in us-east-1`. */
  readonly who: string;
  /** Milliseconds since the epoch. */
  readonly epochMs: number;
  /** By the monotonic clock, in milliseconds. */
  readonly at: number;
}

export interface ClockSources {
  /** Milliseconds since the epoch; anybody may set it at any time. */
  readonly local: () => number;
  /** Milliseconds since some instant; nobody can set it. */
  readonly monotonic: () => number;
}

const machine: ClockSources = { local: () => Date.now(), monotonic: () => performance.now() };

/**
 * Goes by the last answer's `Date`, and before there is any by the local clock, until a time is agreed on: from then on
 * by that alone, and by what the monotonic clock says has passed since.
 */
export class AwsClock {
  readonly #sources: ClockSources;
  readonly #readings = new Map<string, ClockReading>();
  #base: ClockReading | null = null;
  #agreedSince: number | null = null;

  constructor(sources: ClockSources = machine) {
    this.#sources = sources;
  }

  /** AWS's time, in milliseconds since the epoch. */
  now(): number {
    const base = this.#base;
    return base === null ? this.#sources.local() : base.epochMs + this.#sources.monotonic() - base.at;
  }

  monotonic(): number {
    return this.#sources.monotonic();
  }

  /** What this machine thinks. */
  local(): ClockReading {
    return {
      who: 'the clock of this machine',
      epochMs: this.#sources.local(),
      at: this.#sources.monotonic(),
    };
  }

  /** An answer has come. */
  saw(who: string, epochMs: number): ClockReading {
    const reading = { who, epochMs, at: this.#sources.monotonic() };
    this.#readings.set(who, reading);
    if (this.#agreedSince === null) this.#base = reading;
    return reading;
  }

  /** The last of everybody who answered, in the order in which they first did. */
  readings(): ClockReading[] {
    return [...this.#readings.values()];
  }

  /** This is AWS's time, whatever single answers say from now on. */
  agree(on: ClockReading): void {
    this.#agreedSince ??= on.epochMs;
    this.#base = on;
  }

  /** The agreed time of the run's beginning: its as-of; null: none was agreed on. */
  get agreedSince(): number | null {
    return this.#agreedSince;
  }
}

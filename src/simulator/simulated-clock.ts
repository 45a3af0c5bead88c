/** A clock that stands still until it is moved forward. It has whole seconds and never goes back. */

export const SECOND = 1000;
export const HOUR = 3600 * SECOND;
export const DAY = 24 * HOUR;

const units: Readonly<Record<string, number>> = { s: SECOND, m: 60 * SECOND, h: HOUR, d: DAY };

/** A requested time is invalid. */
export class ClockError extends Error {}

/** `90s`, `15m`, `36h`, `1d` in milliseconds. */
export function parseSpan(text: string): number {
  const match = /^(\d+(?:\.\d+)?)([smhd])$/.exec(text);
  const unit = units[match?.[2] ?? ''];
  if (!match || unit === undefined) {
    throw new ClockError(`"${text}" is not a duration; use a value such as 90s, 15m, 36h or 1d`);
  }
  return Number(match[1]) * unit;
}

/** An ISO 8601 time in milliseconds since the epoch. */
export function parseInstant(text: string): number {
  const hasZone = /^\d{4}-\d{2}-\d{2}(T\d{2}:\d{2}(:\d{2}(\.\d+)?)?(Z|[+-]\d{2}:?\d{2}))?$/.test(text);
  const instant = hasZone ? Date.parse(text) : Number.NaN;
  if (Number.isNaN(instant)) {
    throw new ClockError(`"${text}" is not a time; use a value such as 2026-11-20T02:00:00Z`);
  }
  return instant;
}

export class Clock {
  /** Every time that the clock has shown, ascending. */
  readonly #positions: number[];

  constructor(startMs: number) {
    this.#positions = [wholeSeconds(startMs)];
  }

  get start(): number {
    return this.#positions[0] ?? 0;
  }

  get now(): number {
    return this.#positions.at(-1) ?? 0;
  }

  moveTo(epochMs: number): void {
    if (!Number.isFinite(epochMs)) throw new ClockError('the new time is not a number');
    const next = wholeSeconds(epochMs);
    if (next < this.now) {
      throw new ClockError(
        `the clock is at ${new Date(this.now).toISOString()} and cannot go back to ${new Date(next).toISOString()}`,
      );
    }
    if (next > this.now) this.#positions.push(next);
  }

  /** The last time before `endMs` that the clock has shown, or null. */
  lastBefore(endMs: number): number | null {
    let low = 0;
    let high = this.#positions.length;
    while (low < high) {
      const middle = (low + high) >>> 1;
      if ((this.#positions[middle] ?? 0) < endMs) low = middle + 1;
      else high = middle;
    }
    return this.#positions[low - 1] ?? null;
  }
}

function wholeSeconds(epochMs: number): number {
  return Math.floor(epochMs / SECOND) * SECOND;
}

/** Sizes and durations for people. */
import { dayMs } from '../shared/time.ts';

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'] as const;

/** `12 B`, `12.3 MB`, `9.3 PB`: decimal units, like an S3 bill. */
export function size(bytes: number): string {
  let value = bytes;
  let unit = 0;
  // 999.95 would be rounded to 1000.0.
  while (Math.abs(value) >= (unit === 0 ? 1000 : 999.95) && unit < sizes.length - 1) {
    value /= 1000;
    unit += 1;
  }
  return `${unit === 0 ? value : value.toFixed(1)} ${sizes[unit]}`;
}

const spans = [
  ['d', dayMs],
  ['h', 3_600_000],
  ['min', 60_000],
  ['s', 1000],
] as const;

/** At most two units, rounded to the smaller one: `3 d 4 h`, `4 h 12 min`, `12 min`, `45 s`, `120 ms`. */
export function age(ms: number): string {
  if (ms < 0) return `-${age(-ms)}`;
  if (ms < 1000) return `${Math.round(ms)} ms`;
  for (const [at, [unit, length]] of spans.entries()) {
    const [lesserUnit, lesserLength] = spans[at + 1] ?? [null, length];
    const rounded = Math.round(ms / lesserLength) * lesserLength;
    if (rounded < length) continue;
    const whole = Math.floor(rounded / length);
    const rest = Math.round((rounded - whole * length) / lesserLength);
    return lesserUnit === null || rest === 0 ? `${whole} ${unit}` : `${whole} ${unit} ${rest} ${lesserUnit}`;
  }
  return `${Math.round(ms)} ms`;
}

/** A short duration for logs, the progress bar and summaries: `0.4s`, `12s`, `3m 5s`, `2h 10m`. */
export function span(ms: number): string {
  const seconds = Math.round(ms / 1000);
  if (ms < 10_000) return `${Math.round(ms / 100) / 10}s`;
  if (seconds < 60) return `${seconds}s`;
  if (seconds < 3600) return `${Math.floor(seconds / 60)}m ${seconds % 60}s`;
  return `${Math.floor(seconds / 3600)}h ${Math.floor((seconds % 3600) / 60)}m`;
}

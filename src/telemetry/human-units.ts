/** Sizes and spans of time as people read them. */
import { dayMs } from '../shared/time.ts';

const sizes = ['B', 'kB', 'MB', 'GB', 'TB', 'PB', 'EB', 'ZB', 'YB'] as const;

/** `12 B`, `12.3 MB`, `9.3 PB`: decimal units, as S3's bill has them. */
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

/** Two units at most: `3 d 4 h`, `4 h 12 min`, `12 min`, `45 s`, `120 ms`. What is less than the second is rounded away. */
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

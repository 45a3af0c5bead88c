/** Parses durations, sizes, numbers and points in time. */
import { dayMs } from '../shared/time.ts';
import { InvalidValue, type ParseText } from './invalid-value.ts';

/** Every day counts as 24 hours. */
const unitMs = { d: dayMs, h: 3_600_000, m: 60_000, s: 1_000, ms: 1 } as const;
const unitBytes = {
  B: 1,
  KB: 1e3,
  MB: 1e6,
  GB: 1e9,
  TB: 1e12,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
  TiB: 2 ** 40,
} as const;

const durationAdvice =
  'Write whole numbers with d, h, m, s or ms, largest unit first, such as 7d, 10m or 1h30m';

/** A positive duration in milliseconds, at most `maxMs`: `7d`, `1h30m`, `500ms`. A day is 24 hours. */
export function duration(maxMs: number): ParseText<number> {
  return (word) => {
    const match = /^(?:(\d+)d)?(?:(\d+)h)?(?:(\d+)m)?(?:(\d+)s)?(?:(\d+)ms)?$/.exec(word);
    if (!match || word === '') throw new InvalidValue('is not a duration', `${durationAdvice}.`);
    const ms = Object.values(unitMs).reduce((sum, unit, i) => sum + Number(match[i + 1] ?? 0) * unit, 0);
    if (ms <= 0) throw new InvalidValue('is zero', `${durationAdvice}; it must be more than 0.`);
    if (ms > maxMs) {
      throw new InvalidValue('is too long', `${durationAdvice}; at most ${maxMs / unitMs.d}d.`);
    }
    return ms;
  };
}

/** Two times of day in UTC, `01:00-04:00`; the second may be on the next day. */
export function timesOfDay(word: string): { readonly fromMs: number; readonly toMs: number } {
  const match = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/.exec(word);
  const [fromHour, fromMinute, toHour, toMinute] = (match ?? []).slice(1).map(Number);
  if (fromHour === undefined || fromMinute === undefined || toHour === undefined || toMinute === undefined) {
    throw new InvalidValue(
      'is not a time window',
      'Write two times of day in UTC, such as 01:00-04:00 or 23:30-02:00.',
    );
  }
  const fromMs = fromHour * unitMs.h + fromMinute * unitMs.m;
  const toMs = toHour * unitMs.h + toMinute * unitMs.m;
  if (fromMs === toMs) {
    throw new InvalidValue(
      'begins and ends at the same time',
      'Write two different times of day, such as 01:00-04:00.',
    );
  }
  return { fromMs, toMs };
}

/** A positive number of bytes: `512MB` is decimal (10^6), `512MiB` binary (2^20). A unit is required. */
export function size(word: string): number {
  const match = /^(\d+)([KMGT]?i?B)$/.exec(word);
  const unit = match?.[2] ?? '';
  if (!match || !Object.hasOwn(unitBytes, unit)) {
    throw new InvalidValue(
      'is not a size',
      'Write a whole number with its unit, such as 512MB (1 MB is 1,000,000 bytes) or 512MiB (1 MiB is 1,048,576 bytes).',
    );
  }
  // Object.hasOwn above proves that `unit` is one of the table's keys.
  const bytes = Number(match[1]) * unitBytes[unit as keyof typeof unitBytes];
  if (bytes < 1 || !Number.isSafeInteger(bytes)) {
    throw new InvalidValue('is out of range', 'Write a size from 1B to 8000TB.');
  }
  return bytes;
}

/** A size with a minimum that the program needs to work. */
export function sizeFrom(least: string): ParseText<number> {
  const leastBytes = size(least);
  return (word) => {
    const bytes = size(word);
    if (bytes < leastBytes) throw new InvalidValue('is too small', `Write ${least} or more.`);
    return bytes;
  };
}

/** A number between two bounds, inclusive; it may have a fraction. */
export function decimal(min: number, max: number): ParseText<number> {
  return (word) => {
    const value = /^[+-]?\d+(\.\d+)?$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidValue(
        Number.isNaN(value) ? 'is not a number' : 'is out of range',
        `Write a number from ${min} to ${max}.`,
      );
    }
    return value;
  };
}

/** An integer between two bounds, inclusive. */
export function integer(min: number, max: number): ParseText<number> {
  return (word) => {
    const value = /^[+-]?\d+$/.test(word) ? Number(word) : Number.NaN;
    if (!(value >= min && value <= max)) {
      throw new InvalidValue(
        Number.isNaN(value) ? 'is not a whole number' : 'is out of range',
        `Write a whole number from ${min} to ${max}.`,
      );
    }
    return value;
  };
}

/** `auto`, or an integer between two bounds, inclusive. */
export function autoOrInteger(min: number, max: number): ParseText<number | 'auto'> {
  const parse = integer(min, max);
  return (word, cwd) => {
    if (word === 'auto') return word;
    try {
      return parse(word, cwd);
    } catch (error) {
      if (!(error instanceof InvalidValue)) throw error;
      throw new InvalidValue(error.reason, `Write auto, or a whole number from ${min} to ${max}.`);
    }
  };
}

/**
 * A point in time, in milliseconds since the epoch: a UTC day (its start), or ISO 8601 with a time.
 * Without an offset, the time is UTC.
 */
export function instant(word: string): number {
  const match =
    /^(\d{4})-(\d\d)-(\d\d)(?:T(\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,3}))?)?(Z|[+-]\d\d:\d\d)?)?$/.exec(word);
  const advice = 'Write a day such as 2026-11-01 (UTC) or a time such as 2026-11-01T02:00:00Z.';
  if (!match) throw new InvalidValue('is not a date', advice);
  const [year, month, day, hour, minute, second] = match.slice(1, 7).map((part) => Number(part ?? 0));
  const ms = Number((match[7] ?? '').padEnd(3, '0'));
  const local = new Date(
    Date.UTC(year ?? 0, (month ?? 1) - 1, day ?? 1, hour ?? 0, minute ?? 0, second ?? 0, ms),
  );
  local.setUTCFullYear(year ?? 0, (month ?? 1) - 1, day ?? 1);
  const offset = match[8] ?? 'Z';
  // Date.UTC turns 31 April into 1 May, so a date that does not exist does not come back unchanged.
  const same =
    local.toISOString().slice(0, 19) ===
    `${match[1]}-${match[2]}-${match[3]}T${match[4] ?? '00'}:${match[5] ?? '00'}:${match[6] ?? '00'}`;
  const [, sign, offsetHours, offsetMinutes] = /^([+-])(\d\d):(\d\d)$/.exec(offset) ?? [];
  if (!same || Number(offsetHours ?? 0) > 14 || Number(offsetMinutes ?? 0) > 59) {
    throw new InvalidValue('is a date that does not exist', advice);
  }
  const offsetMs = Number(offsetHours ?? 0) * unitMs.h + Number(offsetMinutes ?? 0) * unitMs.m;
  return local.getTime() - (sign === '-' ? -offsetMs : offsetMs);
}

/** A UTC day, kept as text: `yyyy-MM-dd`. */
export function day(word: string): string {
  if (!/^\d{4}-\d\d-\d\d$/.test(word)) {
    throw new InvalidValue('is not a day', 'Write a UTC day such as 2026-11-01.');
  }
  if (Number.isNaN(Date.parse(`${word}T00:00:00Z`))) {
    throw new InvalidValue('is a date that does not exist', 'Write a UTC day such as 2026-11-01.');
  }
  instant(word);
  return word;
}

/**
 * How often a backup rule starts. AWS Backup takes EventBridge's expressions
 * (docs.aws.amazon.com/aws-backup/latest/devguide/API_BackupRule.html): six fields, 1-7 for Sunday to Saturday, `?`, `L`,
 * `W` and `#` (docs.aws.amazon.com/eventbridge/latest/userguide/eb-cron-expressions.html), or `rate(12 hours)`.
 */
import { Cron } from 'croner';
import { dayMs } from '../shared/time.ts';

/**
 * The milliseconds between the rule's starts before and after an instant, in milliseconds since the epoch. A start at the
 * instant itself is before it. Null: there are no such starts, or the expression or the time zone cannot be read.
 */
export function scheduleIntervalAt(expression: string, timezone: string, time: number): number | null {
  let inZone = schedules.get(timezone);
  let schedule = inZone?.get(expression);
  if (schedule === undefined) {
    // A run sees a few thousand rules at most. What AWS sends must not fill the memory.
    if (scheduleCount >= 10_000) {
      schedules.clear();
      scheduleCount = 0;
    }
    inZone = schedules.get(timezone) ?? new Map<string, Schedule>();
    schedule = scheduleOf(expression, timezone);
    schedules.set(timezone, inZone.set(expression, schedule));
    scheduleCount += 1;
  }
  return schedule(time);
}

type Schedule = (time: number) => number | null;

/** By time zone, then by expression. */
const schedules = new Map<string, Map<string, Schedule>>();
let scheduleCount = 0;
const never: Schedule = () => null;
const units: Readonly<Record<string, number>> = { minute: 60_000, hour: 3_600_000, day: dayMs };

function scheduleOf(expression: string, timezone: string): Schedule {
  const [, count, unit = ''] =
    /^rate\(\s*([1-9]\d{0,5})\s+(minute|hour|day)s?\s*\)$/i.exec(expression.trim()) ?? [];
  const unitMs = units[unit.toLowerCase()];
  if (count !== undefined && unitMs !== undefined) return () => Number(count) * unitMs;
  const pattern = cronerPattern(expression);
  if (pattern === null) return never;
  try {
    return remembering(new Cron(pattern, { ...awsDialect, timezone }));
  } catch {
    return never;
  }
}

const awsDialect = {
  mode: '7-part',
  // 1 is Sunday.
  alternativeWeekdays: true,
  // 0/6: from 0 in steps of 6.
  sloppyRanges: true,
  domAndDow: true,
} as const;

/** The expression in croner's form: with seconds, and `*` for `?`. */
function cronerPattern(expression: string): string | null {
  const text = expression.trim();
  const fields = (/^cron\((.*)\)$/is.exec(text)?.[1] ?? text).trim().toUpperCase().split(/\s+/);
  const [minute, hour, dayOfMonth, month, dayOfWeek, year] = fields;
  if (fields.length !== 6 || dayOfMonth === undefined || dayOfWeek === undefined) return null;
  const any = (field: string) => (field === '?' ? '*' : field);
  // L alone is the last day of the week; after a weekday it is its last one in the month.
  const weekday = dayOfWeek === 'L' ? 'SAT' : dayOfWeek.replace(/([1-7]|[A-Z]{3})L$/, '$1#L');
  return ['0', minute, hour, any(dayOfMonth), month, any(weekday), year].join(' ');
}

/** From a start (included) to the next one. Without a start on either side it has no end there. */
interface Interval {
  readonly from: number;
  readonly to: number;
}

/** Most jobs of a rule lie between few starts. */
function remembering(cron: Cron): Schedule {
  const known: Interval[] = [];
  let last: Interval | undefined;
  return (time) => {
    const isIn = ({ from, to }: Interval) => from <= time && time < to;
    // Jobs come in the order of time, so the last interval is asked first.
    let interval = last !== undefined && isIn(last) ? last : known.find(isIn);
    if (interval === undefined) {
      interval = (last === undefined ? null : intervalBefore(cron, last, time)) ?? intervalAt(cron, time);
      if (known.push(interval) > 1_000) known.shift();
    }
    last = interval;
    const { from, to } = interval;
    return Number.isFinite(to - from) ? to - from : null;
  };
}

const endless: Interval = { from: Number.NEGATIVE_INFINITY, to: Number.POSITIVE_INFINITY };

/**
 * The interval that ends where this one begins, if the time lies in it; otherwise null. Where jobs come newest first, it mostly
 * does, and one look for a start is enough in place of two.
 */
function intervalBefore(cron: Cron, { from: to }: Interval, time: number): Interval | null {
  if (!(time < to)) return null;
  const [before] = cron.previousRuns(1, new Date(to));
  const from = before?.getTime() ?? endless.from;
  return from <= time ? { from, to } : null;
}

function intervalAt(cron: Cron, time: number): Interval {
  try {
    const next = cron.nextRun(new Date(time));
    // The millisecond more lets a start at this very time count.
    const [before] = cron.previousRuns(1, new Date(time + 1));
    return { from: before?.getTime() ?? endless.from, to: next?.getTime() ?? endless.to };
  } catch {
    // A time zone that this machine does not know.
    return endless;
  }
}

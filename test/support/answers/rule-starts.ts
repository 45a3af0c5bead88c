/** How often a rule of the simulator starts, found by looking at one minute after the other. */
import type { Expected } from '../truth.ts';

const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

/** Between the starts of the copy job's rule before and after its creation. Null: no schedule. */
export function scheduleInterval(row: Expected): number | null {
  const cron = row.created_by_backup_rule_cron;
  if (typeof cron !== 'string') return null;
  const fields = /^cron\((\S+) (\S+) (\S+) (\S+) (\S+) (\S+)\)$/.exec(cron)?.slice(1);
  if (fields === undefined) throw new Error(`the simulator has a schedule that this cannot read: ${cron}`);
  const zone = String(row.created_by_backup_rule_timezone ?? 'UTC');
  const created = Number(row.creation_time);
  const today = Math.floor(created / dayMs);
  const around = (step: 1 | -1, isThere: (start: number) => boolean): number => {
    for (let days = 0; days < 400; days++) {
      const starts = startsOf(fields, zone, today + step * days).filter(isThere);
      const nearest = step === 1 ? starts[0] : starts.at(-1);
      if (nearest !== undefined) return nearest;
    }
    throw new Error(`${cron} does not start within a year`);
  };
  return around(1, (start) => start > created) - around(-1, (start) => start <= created);
}

const known = new Map<string, readonly number[]>();

/** The starts within a day of UTC, given in days since the epoch. */
function startsOf(fields: readonly string[], zone: string, day: number): readonly number[] {
  const key = `${fields.join(' ')} ${zone} ${day}`;
  const found = known.get(key);
  if (found !== undefined) return found;
  const starts: number[] = [];
  for (let time = day * dayMs; time < (day + 1) * dayMs; time += minuteMs) {
    const local = time + offset(zone, time);
    // When clocks go back, an hour comes twice; a schedule starts in the first.
    const isAgain = local === time - hourMs + offset(zone, time - hourMs);
    if (!isAgain && isStart(fields, new Date(local))) starts.push(time);
  }
  known.set(key, starts);
  return starts;
}

const weekdays = ['SUN', 'MON', 'TUE', 'WED', 'THU', 'FRI', 'SAT'];

/** @param local the local time, as if it were UTC */
function isStart([minute, hour, date, month, weekday, year]: readonly string[], local: Date): boolean {
  const is = (field: string | undefined, value: number | string): boolean => {
    if (field === '*' || field === '?' || field === String(value)) return true;
    const step = /^\*\/(\d+)$/.exec(field ?? '')?.[1];
    return step !== undefined && Number(value) % Number(step) === 0;
  };
  return (
    is(minute, local.getUTCMinutes()) &&
    is(hour, local.getUTCHours()) &&
    is(date, local.getUTCDate()) &&
    is(month, local.getUTCMonth() + 1) &&
    is(weekday, weekdays[local.getUTCDay()] ?? '') &&
    is(year, local.getUTCFullYear())
  );
}

const offsets = new Map<string, number>();

/** How far a zone is ahead of UTC; it changes on the hour. */
function offset(zone: string, time: number): number {
  const hour = Math.floor(time / hourMs);
  const key = `${zone} ${hour}`;
  let ahead = offsets.get(key);
  if (ahead === undefined) {
    const text = new Intl.DateTimeFormat('sv-SE', {
      timeZone: zone,
      dateStyle: 'short',
      timeStyle: 'medium',
    }).format(new Date(hour * hourMs));
    ahead = Date.parse(`${text.replace(' ', 'T')}Z`) - hour * hourMs;
    offsets.set(key, ahead);
  }
  return ahead;
}

/** How often a backup rule starts: AWS's dialect of cron, rates and time zones. */
import { describe, expect, it } from 'vitest';
import { scheduleIntervalAt } from '../../src/tables/backup-schedule.ts';
import { scheduleInterval } from '../support/answers/rule-starts.ts';

const hour = 3_600_000;

/** In hours, at an instant. The usual one is a Friday. */
function interval(expression: string, at = '2026-11-20T06:40:00Z', zone = 'UTC'): number | null {
  const ms = scheduleIntervalAt(expression, zone, Date.parse(at));
  return ms === null ? null : ms / hour;
}

describe('the interval between two starts', () => {
  it.each([
    ['every day', 'cron(0 5 ? * * *)', 24],
    ['every day, with the days of the month', 'cron(0 5 * * ? *)', 24],
    ['every six hours', 'cron(15 */6 ? * * *)', 6],
    ['every six hours from one', 'cron(15 1/6 ? * * *)', 6],
    ['by day only', 'cron(0 8-17/3 * * ? *)', 15],
    ['on working days', 'cron(0 5 ? * MON-FRI *)', 72],
    ['on working days, by number: 1 is Sunday', 'cron(0 5 ? * 2-6 *)', 72],
    ['on Thursdays and Saturdays', 'cron(30 1 ? * 5,7 *)', 48],
    ['on Sundays', 'cron(30 1 ? * 1 *)', 168],
    ['on Fridays and the last day of the week', 'cron(30 1 ? * L *)', 168],
    ['on the last Friday of the month, by number', 'cron(0 5 ? * 6L *)', 28 * 24],
    ['on the last Friday of the month, by name', 'cron(0 5 ? * FRIL *)', 28 * 24],
    ['on the second Monday of the month', 'cron(0 5 ? * 2#2 *)', 35 * 24],
    ['on the first of the month', 'cron(0 3 1 * ? *)', 30 * 24],
    ['on the last of the month', 'cron(0 3 L * ? *)', 30 * 24],
    ['on the working day nearest to the 15th of August', 'cron(0 3 15W 8 ? *)', 367 * 24],
    ['in some months', 'cron(0 3 1 JAN,JUL ? *)', 184 * 24],
    ['in some years', 'cron(0 3 1 3 ? 2026,2028)', 731 * 24],
    ['without cron(…)', '0 12 * * ? *', 24],
    ['in lower case', 'cron(0 5 ? * sat *)', 168],
    ['at a rate', 'rate(12 hours)', 12],
    ['at a rate of one', 'rate(1 day)', 24],
  ])('%s', (_, expression, hours) => {
    expect(interval(expression)).toBe(hours);
  });

  it.each([
    ['nothing', ''],
    ['another dialect', '0 5 * * *'],
    ['a year that is over', 'cron(0 5 ? * * 2020)'],
    ['a year that has not begun', 'cron(0 5 ? * * 2030)'],
    ['a day that no month has', 'cron(0 5 31 2 ? *)'],
    ['an hour that no day has', 'cron(0 25 ? * * *)'],
    ['a rate of nothing', 'rate(0 hours)'],
    ['a rate in an unknown unit', 'rate(2 fortnights)'],
    ['any text', '=HYPERLINK("http://x") 👩‍👩‍👧‍👦'],
  ])('there is none for %s', (_, expression) => {
    expect(interval(expression)).toBeNull();
    expect(interval(expression, '2026-11-22T00:00:00Z')).toBeNull();
  });

  it('there is none in a time zone that nobody knows', () => {
    expect(interval('cron(0 5 ? * * *)', undefined, 'Mars/Olympus')).toBeNull();
  });

  it('on working days is longer over the weekend, from one start to the next, to the millisecond', () => {
    const workdays = 'cron(0 5 ? * MON-FRI *)';
    expect(interval(workdays, '2026-11-20T04:59:59.999Z')).toBe(24);
    expect(interval(workdays, '2026-11-20T05:00:00.000Z')).toBe(72);
    expect(interval(workdays, '2026-11-23T04:59:59.999Z')).toBe(72);
    expect(interval(workdays, '2026-11-23T05:00:00.000Z')).toBe(24);
  });

  it('has no beginning before the first start, whatever was asked before', () => {
    const twice = 'cron(0 3 1 3 ? 2026,2028)';
    expect(interval(twice, '2026-05-01T00:00:00Z')).toBe(731 * 24);
    expect(interval(twice, '2025-12-01T00:00:00Z')).toBeNull();
    expect(interval(twice, '2025-12-01T00:00:00Z')).toBeNull();
    expect(interval(twice, '2028-05-01T00:00:00Z')).toBeNull();
    expect(interval(twice, '2026-05-01T00:00:00Z')).toBe(731 * 24);
  });

  it('follows the clocks of the time zone', () => {
    const daily = 'cron(0 5 ? * * *)';
    expect(interval(daily, '2026-10-24T12:00:00Z', 'Europe/Berlin')).toBe(25);
    expect(interval(daily, '2026-10-24T12:00:00Z', 'Asia/Kolkata')).toBe(24);
    expect(interval(daily, '2026-03-28T12:00:00Z', 'Europe/Berlin')).toBe(23);
    // Half past one comes twice on this Sunday.
    expect(interval('cron(30 1 ? * SUN *)', '2026-11-01T06:45:00Z', 'America/New_York')).toBe(169);
  });

  it('is the one that a look at every minute finds, in any order of asking', () => {
    const crons = ['cron(0 5 ? * * *)', 'cron(30 1 ? * SUN *)', 'cron(0 3 1 * ? *)', 'cron(15 */6 ? * * *)'];
    const zones = ['Etc/UTC', 'Europe/Berlin', 'Asia/Kolkata', 'America/New_York'];
    const begin = Date.parse('2026-10-20T00:00:00Z');
    for (const cron of crons) {
      for (const zone of zones) {
        for (let step = 0; step < 60; step++) {
          const time = begin + ((step * 37) % 60) * 11 * hour + step * 61_001;
          const job = { created_by_backup_rule_cron: cron, created_by_backup_rule_timezone: zone };
          const asked = { cron, zone, time, found: scheduleIntervalAt(cron, zone, time) };
          expect(asked).toEqual({ ...asked, found: scheduleInterval({ ...job, creation_time: time }) });
        }
      }
    }
  });
});

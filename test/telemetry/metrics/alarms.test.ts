/** When the alarms of deploy/alarms.yaml go off: nights of one container and of shards, evaluated as CloudWatch does. */
import { readFileSync } from 'node:fs';
import { describe, expect, it } from 'vitest';
import { parse } from 'yaml';

/** What one run writes, by metric. */
type Run = Readonly<Record<string, number>>;
type Night = readonly Run[];

interface MetricOfAlarm {
  readonly MetricName: string;
  readonly Statistic: unknown;
}
interface Alarm {
  readonly Properties: MetricOfAlarm & {
    readonly Metrics?: readonly {
      readonly Id: string;
      readonly Expression?: string;
      readonly MetricStat?: {
        readonly Metric: MetricOfAlarm;
        readonly Stat: string;
        readonly Period: number;
      };
    }[];
    readonly Period?: number;
    readonly EvaluationPeriods: number;
    readonly DatapointsToAlarm?: number;
    readonly Threshold: unknown;
    readonly ComparisonOperator: string;
    readonly TreatMissingData: string;
  };
}

const text = readFileSync(new URL('../../../deploy/alarms.yaml', import.meta.url), 'utf8');
/** Functions of CloudFormation become what they are given. */
const template = parse(text, { logLevel: 'error' });
const alarms: Readonly<Record<string, Alarm>> = template.Resources;

/** The value that the template gives a property: of a parameter, of a condition, or as it stands. */
function settled(given: unknown, shards: number): unknown {
  if (given === 'Shards') return shards;
  if (given === 'WarnHours') return template.Parameters.WarnHours.Default;
  if (!Array.isArray(given)) return given;
  const [condition, yes, no] = given;
  expect(condition).toBe('Sharded');
  expect(text).toContain("\n  Sharded: !Not [!Equals [!Ref Shards, '1']]\n");
  return shards > 1 ? yes : no;
}

/** Null: no run of the night wrote the metric. */
function statisticOf(night: Night, name: string, statistic: unknown): number | null {
  const values = night.flatMap((run) => run[name] ?? []);
  if (values.length === 0) return null;
  if (statistic === 'Sum') return values.reduce((sum, value) => sum + value, 0);
  if (statistic === 'Minimum') return Math.min(...values);
  if (statistic === 'Maximum') return Math.max(...values);
  throw new Error(`the statistic is ${statistic}`);
}

function datapointOf({ Properties: alarm }: Alarm, night: Night, shards: number): number | null {
  if (alarm.Metrics === undefined) {
    expect(alarm.Period).toBe(86_400);
    return statisticOf(night, alarm.MetricName, settled(alarm.Statistic, shards));
  }
  const values = new Map(
    alarm.Metrics.flatMap(({ Id, MetricStat: of }) => {
      if (of === undefined) return [];
      expect(of.Period).toBe(86_400);
      return [[Id, statisticOf(night, of.Metric.MetricName, of.Stat)] as const];
    }),
  );
  const [expression = ''] = alarm.Metrics.flatMap(({ Expression }) => Expression ?? []);
  const [, from = '', without = ''] = /^(\w+) - (\w+)$/.exec(expression) ?? [];
  const [all, some] = [values.get(from), values.get(without)];
  if (all === undefined || some === undefined) throw new Error(`the expression is ${expression}`);
  return all === null || some === null ? null : all - some;
}

/** The names of the alarms that are on after the last night. */
function onAfter(nights: readonly Night[], shards: number): readonly string[] {
  return Object.entries(alarms).flatMap(([name, alarm]) => {
    const { EvaluationPeriods: periods, DatapointsToAlarm: needed = periods, ...rules } = alarm.Properties;
    const threshold = Number(settled(rules.Threshold, shards));
    const breaching = nights.slice(-periods).filter((night) => {
      const point = datapointOf(alarm, night, shards);
      if (point === null) return rules.TreatMissingData === 'breaching';
      return rules.ComparisonOperator === 'LessThanThreshold' ? point < threshold : point > threshold;
    });
    return breaching.length >= needed ? [name] : [];
  });
}

const good: Run = {
  Runs: 1,
  FailedRuns: 0,
  HoursToDataLoss: 336,
  LostIntervals: 0,
  TargetsNeedingPerson: 0,
  RowsRejected: 0,
  UnknownFields: 0,
  ReconciliationDifference: 0,
};
const throttled: Run = { ...good, FailedRuns: 1 };
const denied: Run = { ...good, FailedRuns: 1, TargetsNeedingPerson: 3 };
const differing: Run = { ...good, ReconciliationDifference: 2 };
const notBegun: Run = { Runs: 1, FailedRuns: 1 };

const nights = (count: number, night: Night): readonly Night[] => Array.from({ length: count }, () => night);

describe('with one container', () => {
  const alarming = (given: readonly Night[]) => onAfter(given, 1);
  it('no alarm is on while runs are good, or a retry of the same night is', () => {
    expect(alarming(nights(4, [good]))).toEqual([]);
    expect(alarming(nights(4, [throttled, good]))).toEqual([]);
    expect(alarming(nights(4, [denied, good]))).toEqual([]);
    expect(alarming(nights(4, [differing, good]))).toEqual([]);
    expect(alarming(nights(4, [notBegun, good]))).toEqual([]);
  });
  it('each alarm goes off for its own trouble, after as many nights as it says', () => {
    expect(alarming([...nights(3, [good]), ...nights(2, [throttled, throttled])])).toEqual([]);
    expect(alarming(nights(3, [throttled, throttled]))).toEqual(['NothingGood']);
    expect(alarming(nights(3, [notBegun]))).toEqual(['NothingGood']);
    expect(alarming([[good], ...nights(2, [denied])])).toEqual(['NeedsPerson']);
    expect(alarming([[good], ...nights(2, [differing])])).toEqual(['RecordDiffers']);
    expect(alarming([[good], [good], [], []])).toEqual(['NoRun']);
    expect(alarming([[good], []])).toEqual([]);
  });
});

describe('with eight shards', () => {
  const alarming = (given: readonly Night[]) => onAfter(given, 8);
  const seven = Array.from({ length: 7 }, () => good);
  const sevenAnd = (...runs: readonly Run[]): Night => [...seven, ...runs];

  it('no alarm is on while every shard ends well, at once or in a retry', () => {
    expect(alarming(nights(4, sevenAnd(good)))).toEqual([]);
    expect(alarming(nights(4, sevenAnd(throttled, throttled, good)))).toEqual([]);
  });
  it.each([
    ['fails every night', sevenAnd(throttled), ['NothingGood']],
    ['fails every night, in each of its tries', sevenAnd(throttled, throttled, throttled), ['NothingGood']],
    ['cannot begin', sevenAnd(notBegun), ['NothingGood']],
    ['needs a person', sevenAnd(denied), ['NeedsPerson', 'NothingGood']],
    ['differs from AWS’s counts', sevenAnd(differing), ['RecordDiffers']],
    ['never starts', seven, ['NoRun', 'NothingGood']],
  ])('a shard that %s is not hidden by the seven others', (_, night, expected) => {
    expect(alarming(nights(3, night)).toSorted()).toEqual(expected);
  });
  it('a shard that never starts is not hidden by the retries of another', () => {
    const night = [...seven.slice(1), throttled, throttled, good];
    expect(alarming(nights(3, night))).toEqual(['NothingGood']);
  });
});

/** Compares a column's minimum, maximum and count of nulls, as the footer gives them, with its values. */
import type { Statistics } from 'hyparquet';
import { compareValues } from '../lake/engines/value-order.ts';
import type { Value } from '../tables/table.ts';

/** What is wrong, for the first that is; null: nothing. Absent statistics are not wrong: readers then read all rows. */
export function wrongStatistics(
  column: string,
  values: readonly Value[],
  statistics: Statistics | undefined,
  group: number,
): string | null {
  if (statistics === undefined) return null;
  const { min, max, nulls } = truthOf(values);
  const where = `of ${column} in row group ${group}`;
  if (statistics.null_count !== undefined && Number(statistics.null_count) !== nulls) {
    return `the count of nulls ${where} is ${nulls}, and its footer says ${statistics.null_count}`;
  }
  // Writers give the same value twice, for older readers too; only the newer form says whether it is exact.
  const bounds = [
    ['minimum', min, statistics.min_value, statistics.is_min_value_exact],
    ['minimum', min, statistics.min, statistics.is_min_value_exact],
    ['maximum', max, statistics.max_value, statistics.is_max_value_exact],
    ['maximum', max, statistics.max, statistics.is_max_value_exact],
  ] as const;
  for (const [which, truth, told, isExact] of bounds) {
    if (told === undefined) continue;
    const value = toldValue(told);
    if (isTrue(which, truth, value, isExact)) continue;
    return `the ${which} ${where} is ${shown(truth)}, and its footer says ${shown(value)}`;
  }
  return null;
}

function truthOf(values: readonly Value[]): {
  readonly min: Value;
  readonly max: Value;
  readonly nulls: number;
} {
  let [min, max, nulls]: [Value, Value, number] = [null, null, 0];
  for (const value of values) {
    if (value === null) nulls += 1;
    else {
      if (min === null || compareValues(value, min) < 0) min = value;
      if (max === null || compareValues(value, max) > 0) max = value;
    }
  }
  return { min, max, nulls };
}

/** A bound that says that it is not exact may lie beyond the truth: writers cut long texts. */
function isTrue(
  which: 'minimum' | 'maximum',
  truth: Value,
  told: Value,
  isExact: boolean | undefined,
): boolean {
  if (truth === null || told === null || typeof truth !== typeof told) return false;
  const order = compareValues(told, truth);
  if (isExact !== false) return order === 0;
  return which === 'minimum' ? order <= 0 : order >= 0;
}

function toldValue(told: NonNullable<Statistics['min']>): Value {
  if (typeof told === 'bigint') return Number(told);
  if (typeof told === 'string' || typeof told === 'number' || typeof told === 'boolean') return told;
  return told instanceof Date ? told.getTime() : null;
}

const shownLength = 60;

function shown(value: Value): string {
  const text = JSON.stringify(value);
  return text.length > shownLength ? `${text.slice(0, shownLength)}…` : text;
}

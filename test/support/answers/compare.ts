/** What an engine answered beside what the truth answers. */
import type { Answer } from './facts.ts';

/** The first differences, row by row in order, in few words; empty when both are equal. */
export function differencesOf(answered: readonly Answer[], truth: readonly Answer[]): string[] {
  const found = answered.length === truth.length ? [] : [`${answered.length} rows, not ${truth.length}`];
  for (const [index, expected] of truth.entries()) {
    const row = answered[index] ?? {};
    for (const column of new Set([...Object.keys(expected), ...Object.keys(row)])) {
      if (row[column] === expected[column]) continue;
      found.push(`row ${index}: ${column} is ${short(row[column])}, not ${short(expected[column])}`);
    }
  }
  return found.slice(0, 8);
}

/** The same rows, sorted by all they hold: for answers that have no order. */
export function inAnyOrder(rows: readonly Answer[]): Answer[] {
  const keyed = rows.map((row) => ({
    row,
    key: JSON.stringify(Object.entries(row).sort(([a], [b]) => (a < b ? -1 : 1))),
  }));
  return keyed.sort((a, b) => (a.key < b.key ? -1 : 1)).map(({ row }) => row);
}

function short(value: Answer[string] | undefined): string {
  const text = JSON.stringify(value) ?? 'missing';
  return text.length > 80 ? `${text.slice(0, 60)}… (${text.length} characters)` : text;
}

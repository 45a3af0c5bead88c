/** Small tables in a report. */
import Table from 'cli-table3';
import stringWidth from 'string-width';
import { paragraphs } from './paragraphs.ts';

/**
 * A table with right-aligned numbers. If the terminal is too narrow, a table with few rows (`narrow: 'columns'`) is
 * turned on its side; if it is still too wide, it becomes a list.
 * @param paint colours the text of a cell
 */
export function textTable(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  columns: number,
  narrow: 'list' | 'columns' = 'list',
  paint: (cell: string) => string = (cell) => cell,
): string {
  const upright = drawn(head, rows, paint);
  if (fits(upright, columns)) return upright;
  if (narrow === 'columns') {
    const turned = head.map((name, i) => [name, ...rows.map((row) => row[i] ?? '')]);
    const [names = [], ...facts] = turned;
    const sideways = drawn(names, facts, paint);
    if (fits(sideways, columns)) return sideways;
  }
  return paragraphs(
    columns,
    rows.map(([first = '', ...rest]) => {
      const facts = rest.flatMap((cell, i) => (cell === '' ? [] : [`${head[i + 1]} ${cell}`]));
      return `${paint(first)}: ${facts.join(' · ')}`;
    }),
  );
}

function drawn(
  head: readonly string[],
  rows: readonly (readonly string[])[],
  paint: (cell: string) => string,
): string {
  const table = new Table({
    head: [...head],
    colAligns: head.map((_, i) =>
      rows.every((row) => /^[\d,. ]+( [kMGTPEZY]?B)?$/.test(row[i] ?? '')) ? 'right' : 'left',
    ),
    style: { head: [], border: [], compact: true },
  });
  table.push(...rows.map((row) => row.map(paint)));
  return table.toString();
}

function fits(text: string, columns: number): boolean {
  return text.split('\n').every((line) => stringWidth(line) <= columns);
}

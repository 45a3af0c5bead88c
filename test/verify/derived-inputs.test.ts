import { expect, it } from 'vitest';
import { lakeTables } from '../../src/tables/lake-tables.ts';
import type { Column, Value } from '../../src/tables/table.ts';
import { inputsOf } from '../../src/verify/part-content.ts';

const derived = lakeTables.flatMap(({ name, columns }) =>
  columns
    .filter(({ origin }) => origin.kind === 'derived')
    .map((column) => [`${name}.${column.name}`, column] as const),
);

function example({ type, example: text }: Column): Value {
  if (type === 'boolean') return text === 'true';
  if (type === 'bigint') return Number(text);
  return type === 'timestamp' ? Date.parse(`${text.replace(' ', 'T')}Z`) : text;
}

it.each(derived)(
  '%s is computed from no other columns than from those that it reads of an empty row',
  (_, column) => {
    const table = lakeTables.find(({ columns }) => columns.includes(column));
    const examples = Object.fromEntries((table?.columns ?? []).map((one) => [one.name, example(one)]));
    const read = new Set<string>();
    const row = new Proxy(examples, {
      get: (values, name) => {
        read.add(String(name));
        return values[String(name)] ?? null;
      },
    });
    if (column.origin.kind === 'derived') column.origin.from(row);
    expect(read.size).toBeGreaterThan(0);
    expect([...read].filter((name) => !inputsOf(column).includes(name))).toEqual([]);
  },
);

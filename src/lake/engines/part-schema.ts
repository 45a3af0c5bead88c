import { EngineError } from '../../shared/errors.ts';
import type { ColumnType, Table, Value } from '../../tables/table.ts';

/** The range of a JavaScript Date, in milliseconds before and after 1970 (ECMA-262, Time Values and Time Range). */
export const maxTimestamp = 8.64e15;

/**
 * A part may have fewer columns than the table, but no unknown ones: rewriting the part would lose them.
 * @param present the part's columns with their types; null: a type that no table uses
 * @throws EngineError
 */
export function refuseNewerSchema(
  table: Table,
  present: ReadonlyMap<string, ColumnType | null>,
  file: string,
): void {
  const known = new Map(table.columns.map(({ name, type }) => [name, type]));
  for (const [name, type] of present) {
    const expected = known.get(name);
    if (expected === undefined) {
      throw new EngineError(
        `The part ${file} of ${table.name} has a column that this program does not know: ${name}`,
        'A newer program wrote it. Use that version or a later one.',
      );
    }
    if (type !== expected) {
      throw new EngineError(
        `In the part ${file} of ${table.name}, the column ${name} does not have the type ${expected}`,
        'Restore the part’s earlier version, or use the program that wrote it.',
      );
    }
  }
}

/** Whether a part can hold the value exactly as it is. */
export function isExact(type: ColumnType, value: Exclude<Value, null>): boolean {
  switch (type) {
    case 'text':
      return typeof value === 'string' && value.isWellFormed();
    case 'boolean':
      return typeof value === 'boolean';
    case 'bigint':
      return Number.isSafeInteger(value);
    case 'timestamp':
      return Number.isInteger(value) && Math.abs(Number(value)) <= maxTimestamp;
  }
}

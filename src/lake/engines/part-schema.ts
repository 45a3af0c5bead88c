import { EngineError } from '../../shared/errors.ts';
import type { ColumnType, Table } from '../../tables/table.ts';

/** Milliseconds either side of 1970 that a JavaScript Date can hold (ECMA-262, Time Values and Time Range). */
export const maxTimestamp = 8.64e15;

/**
 * A part may hold fewer columns than the table, never others: rewriting it would lose them.
 * @param present the part's columns with their types; null: a type no table has
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
        `The part ${file} of ${table.name} holds a column this program does not know: ${name}`,
        'A newer program wrote it: use that one or a later one.',
      );
    }
    if (type !== expected) {
      throw new EngineError(
        `In the part ${file} of ${table.name} the column ${name} is not of the type ${expected}`,
        'Restore the part’s earlier version, or use the program that wrote it.',
      );
    }
  }
}

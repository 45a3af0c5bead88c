/** Rows of a part as lines of JSON with exact numbers, which DuckDB reads without guessing. */
import { EngineError } from '../../shared/errors.ts';
import type { Row, Table } from '../../tables/table.ts';
import { writeScratchFile } from '../scratch-file.ts';
import { isExact } from './part-schema.ts';

/** @throws EngineError when a value is not exactly of its column's type; ScratchError */
export async function writeExactLines(file: string, table: Table, rows: readonly Row[]): Promise<void> {
  await writeScratchFile(file, linesOf(table, rows).join(''));
}

function linesOf(table: Table, rows: readonly Row[]): string[] {
  const columns = table.columns.map(({ name, type }) => ({ name, type, head: `${JSON.stringify(name)}:` }));
  return rows.map((row) => {
    const fields: string[] = [];
    for (const { name, type, head } of columns) {
      const value = row[name];
      if (value === null || value === undefined) continue;
      if (!isExact(type, value)) {
        throw new EngineError(
          `column ${name}: not an exact ${type}: ${String(value)}`,
          'Please report this.',
        );
      }
      fields.push(head + (typeof value === 'string' ? JSON.stringify(value) : value));
    }
    return `{${fields.join(',')}}\n`;
  });
}

/** Reads staged lines as rows. */
import { EngineError } from '../../shared/errors.ts';
import type { Row, Table } from '../../tables/table.ts';
import { bytesIn } from '../staged-files.ts';

/** @throws EngineError when a line has a field without a column; ScratchError */
export async function* stagedRows(table: Table, file: string): AsyncGenerator<Row> {
  const known = new Set([...table.columns, ...table.partitions].map(({ name }) => name));
  for await (const line of linesOf(file)) {
    if (line === '') continue;
    // Safe: this program staged it as one object per row, and the writer checks the type of each value.
    const row = JSON.parse(line) as Row;
    for (const name in row) {
      if (known.has(name)) continue;
      throw new EngineError(
        `A staged row of ${table.name} has a field without a column: ${name}`,
        'This is a bug in the program: please report it.',
      );
    }
    yield row;
  }
}

/** Splits only at line feeds. node:readline also splits at U+2028, which JSON texts may contain. */
async function* linesOf(file: string): AsyncGenerator<string> {
  let rest = '';
  const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
  for await (const bytes of bytesIn(file)) {
    const lines = `${rest}${decoder.decode(bytes, { stream: true })}`.split('\n');
    rest = lines.pop() ?? '';
    yield* lines;
  }
  yield rest;
}

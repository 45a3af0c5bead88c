/** DuckDB has all rows of a file of lines that is longer than what it reads at once, wherever what it reads ends. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { openDuckDb } from '../../../src/lake/engines/duckdb.ts';
import { longestStagedLine } from '../../../src/lake/staged-line.ts';
import { linesOf } from '../../support/staged-rows.ts';
import { queryWithDuckDb } from './readers.ts';
import { sample } from './sample-table.ts';

const label = 'é",\r\n"" 🔒';
const row = { id: 'a"b', label, state: '', size: 12, flag: true, observed_at: 1_000, run_id: '\n' };
const line = linesOf(sample, [row]);
const copies = Math.ceil((2.1 * longestStagedLine) / Buffer.byteLength(line));

it('whatever byte of a line comes first in the next piece', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'staged-'));
  const engine = await openDuckDb({ memoryLimitBytes: 256 * 2 ** 20, scratch: folder });
  try {
    const [lines, output] = [join(folder, 'lines.csv'), join(folder, 'typed.parquet')];
    const body = line.repeat(copies);
    for (let shift = 0; shift < Buffer.byteLength(line); shift += 1) {
      const first = { id: 'first', label: 'x'.repeat(shift) };
      await writeFile(lines, linesOf(sample, [first]) + body);
      const request = { table: sample, lines, output, rows: 1, bytes: 1, compact: false };
      expect(await engine.typed?.(request)).toBe(true);
      const found = await queryWithDuckDb(
        `SELECT id, label, state, run_id, count(*)::INT FROM read_parquet('${output}') GROUP BY ALL ORDER BY ALL`,
      );
      expect(found).toEqual([
        [row.id, label, '', row.run_id, copies],
        ['first', first.label, null, null, 1],
      ]);
    }
  } finally {
    await engine.close();
    await rm(folder, { recursive: true });
  }
}, 120_000);

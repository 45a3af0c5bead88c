/** Merges that are large for the memory they get. */
import { createHash } from 'node:crypto';
import { mkdtemp } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { mergeRows } from '../../../src/lake/engines/merge.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import type { Row } from '../../../src/tables/table.ts';
import {
  expectRows,
  folder,
  glob,
  longRow,
  merge,
  names,
  newFile,
  openBothEngines,
  seen,
} from './both-engines.ts';
import { keyValueMetadata, queryWithDuckDb, readWithDuckDb } from './readers.ts';
import { completeRow, sample, stage } from './sample-table.ts';

openBothEngines();

describe.each(names)('engine %s', (name) => {
  const other = name === 'parquetjs-lite' ? 'duckdb' : 'parquetjs-lite';

  it('writes and merges 100,000 rows, in several row groups', async () => {
    const table = {
      ...sample,
      columns: sample.columns.filter(({ name }) => !['label', 'flag'].includes(name)),
    };
    const rows = Array.from({ length: 100_000 }, (_, at) => ({
      id: `id-${String(at).padStart(6, '0')}`,
      state: at % 3 === 0 ? 'COMPLETED' : 'RUNNING',
      size: at * 90_071_992_547,
      ...seen,
    }));
    const first = await merge(name, rows.toReversed(), { table });
    await expectRows(table, first.file, rows);
    const groups = await queryWithDuckDb(
      `SELECT num_row_groups FROM parquet_file_metadata('${glob(first.file)}')`,
    );
    expect(Number(groups[0]?.[0])).toBeGreaterThan(1);
    const newer = {
      id: 'id-050000',
      state: 'COMPLETED',
      size: 7,
      observed_at: 2_000,
      first_observed_at: 2_000,
      run_id: 'run-2',
    };
    const second = await merge(other, [newer], { table, existing: first.file });
    expect(second.outcome).toMatchObject({ rows: 100_000, added: 0, updated: 1, unchanged: 0 });
    rows[50_000] = { ...newer, first_observed_at: 1_000 };
    await expectRows(table, second.file, rows);
  }, 300_000);
});

it.each([true, false])(
  'DuckDB merges rows of long texts, far more than its memory, into a day that has such rows (row count said: %s)',
  async (isSaid) => {
    const scratch = await mkdtemp(join(folder, 'wide-'));
    const engine = await openEngine('duckdb', { memoryLimitBytes: 80 * 2 ** 20, scratch });
    const count = 1_200;
    const wide = Array.from({ length: count }, (_, at) => longRow((at * 7919) % count, 'first', 32_000));
    const request = {
      table: sample,
      partition: {},
      metadata: { run_id: 'r' },
      ...(isSaid ? { stagedRows: count } : {}),
    };
    const first = {
      ...request,
      existing: null,
      staged: [await stage(sample, newFile(), wide)],
      output: newFile(),
    };
    expect(await engine.merge(first)).toMatchObject({ rows: count, added: count });
    const again = { ...first, existing: first.output, output: newFile() };
    expect(await engine.merge(again)).toMatchObject({ changed: false, unchanged: count });

    const later = { observed_at: 2_000, first_observed_at: 2_000, run_id: 'run-2' };
    const more = Array.from({ length: 200 }, (_, at) => ({
      ...longRow(at * 6, 'then', 32_000),
      ...later,
    }));
    const then = {
      ...request,
      stagedRows: more.length,
      existing: first.output,
      staged: [await stage(sample, newFile(), more)],
      output: newFile(),
    };
    const { outcome, rows } = mergeRows(sample, wide, more);
    expect(await engine.merge(then)).toEqual(outcome);
    const digest = (all: readonly Row[]) =>
      all.map((row) =>
        createHash('sha256')
          .update(JSON.stringify(completeRow(sample, row)))
          .digest('hex'),
      );
    expect(digest(await readWithDuckDb(sample, then.output))).toEqual(digest(rows));
    expect(await keyValueMetadata(then.output)).toMatchObject({ run_id: 'r' });
    await engine.close();
  },
);

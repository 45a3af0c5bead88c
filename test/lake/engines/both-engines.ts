/** Both engines, open for the tests of a file that calls `openBothEngines`. */
import { createHash } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, expect } from 'vitest';
import type { Engine, MergeRequest } from '../../../src/lake/engines/engine.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import type { Row, Table } from '../../../src/tables/table.ts';
import { readWithDuckDb, readWithHyparquet } from './readers.ts';
import { completeRow, sample, stage } from './sample-table.ts';

/** If it knows that there are few rows, DuckDB's engine merges them another way. */
export const names = ['duckdb', 'duckdb, few rows', 'parquetjs-lite'] as const;
export const seen = { observed_at: 1_000, first_observed_at: 1_000, run_id: 'run-1' };
/** For the files of these tests. It has brackets in its name, so that an engine that takes paths for patterns fails. */
export let folder: string;
let engines: Record<(typeof names)[number], Engine>;
let files = 0;

export function openBothEngines(): void {
  beforeAll(async () => {
    folder = await mkdtemp(join(tmpdir(), 'engines-[x]-'));
    const options = { memoryLimitBytes: 512 * 2 ** 20, scratch: folder };
    const duckdb = await openEngine('duckdb', options);
    engines = {
      duckdb,
      'duckdb, few rows': duckdb,
      'parquetjs-lite': await openEngine('parquetjs-lite', options),
    };
  });

  afterAll(async () => {
    for (const engine of new Set(Object.values(engines))) await engine.close();
    await rm(folder, { recursive: true });
  });
}

export function newFile(): string {
  files += 1;
  return join(folder, `${files}`);
}

export async function merge(
  name: (typeof names)[number],
  rows: readonly Row[],
  more: Partial<MergeRequest> = {},
) {
  const request: MergeRequest = {
    table: sample,
    partition: { day: '2026-11-20' },
    existing: null,
    staged: [await stage(more.table ?? sample, newFile(), rows)],
    output: newFile(),
    metadata: {},
    ...(name === 'duckdb, few rows' ? { stagedRows: rows.length } : {}),
    ...more,
  };
  return { outcome: await engines[name].merge(request), file: request.output };
}

export async function expectRows(table: Table, file: string, rows: readonly Row[]) {
  const complete = rows.map((row) => completeRow(table, row));
  expect(await readWithHyparquet(file)).toEqual(complete);
  expect(await readWithDuckDb(table, file)).toEqual(complete);
}

/** The path of a file as a pattern that means it. */
export function glob(file: string): string {
  return file.replaceAll('[', '[[]');
}

/** No two alike, and none that compresses well: `label` is such a text. */
export function longRow(id: number, salt: string, bytes: number) {
  const hash = createHash('shake256', { outputLength: Math.ceil((bytes * 3) / 4) });
  return {
    id: `${String(id).padStart(5, '0')}`,
    label: `ä ${hash.update(`${salt} ${id}`).digest('base64')}`,
    ...seen,
  };
}

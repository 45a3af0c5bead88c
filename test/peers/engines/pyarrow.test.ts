/** Parts of both engines, read by pyarrow. */
import { spawnSync } from 'node:child_process';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { mergeRows } from '../../../src/lake/engines/merge.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import type { Row, Table } from '../../../src/tables/table.ts';
import { anyCopyJob } from '../../lake/engines/arbitraries.ts';
import { completeRow, sample, sampleOfAccounts, stage } from '../../lake/engines/sample-table.ts';
import { pythonPeers } from '../python.ts';

interface PartRead {
  readonly rows: readonly Row[];
  readonly types: Readonly<Record<string, string>>;
  readonly nullable: boolean;
  readonly metadata: Readonly<Record<string, string>>;
  readonly row_groups: number;
  readonly found: readonly number[];
}

const types = { text: 'string', bigint: 'int64', boolean: 'bool', timestamp: 'timestamp' } as const;
const metadata = { run_id: '0199f3a0' };
let folder: string;
let bin: string;
let files = 0;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'pyarrow-'));
  bin = await pythonPeers();
});

afterAll(() => rm(folder, { recursive: true }));

function readWithPyarrow(file: string, filters: readonly (readonly [string, string])[] = []): PartRead {
  const python = spawnSync(join(bin, 'python'), [join(import.meta.dirname, 'read_part.py')], {
    input: JSON.stringify([{ file, filters }]),
    encoding: 'utf8',
    maxBuffer: 2 ** 29,
  });
  if (python.status !== 0) throw new Error(`pyarrow: ${python.stderr}`);
  // Safe: printed by read_part.py.
  return JSON.parse(python.stdout) as PartRead;
}

describe.each(['duckdb', 'parquetjs-lite'] as const)('pyarrow reads parts of %s', (name) => {
  async function write(table: Table, batches: readonly (readonly Row[])[]): Promise<string> {
    const engine = await openEngine(name, { memoryLimitBytes: 512 * 2 ** 20, scratch: folder });
    let existing: string | null = null;
    for (const batch of batches) {
      files += 1;
      const output = join(folder, `${files}.parquet`);
      const staged = [await stage(table, join(folder, `${files}.csv`), batch)];
      const outcome = await engine.merge({ table, partition: {}, existing, staged, output, metadata });
      if (outcome.changed) existing = output;
    }
    await engine.close();
    if (existing === null) throw new Error('nothing was written');
    return existing;
  }

  it('exactly: all four types at their edges, and nulls', async () => {
    const rows: Row[] = [
      { id: '0', label: '😀🏽‍🚀 \u0000 \u2028 "', state: '', size: 2 ** 53 - 1, flag: true, time: -1 },
      { id: '1', label: '', size: -(2 ** 53) + 1, flag: false, time: 1_763_600_000_123 },
      { id: '2', label: '\ufeffmark', size: 0, time: 0 },
      { id: '3' },
    ];
    const read = readWithPyarrow(await write(sample, [rows]));
    expect(read.rows).toEqual(rows.map((row) => completeRow(sample, row)));
    expect(read.types).toEqual(
      Object.fromEntries(sample.columns.map((column) => [column.name, types[column.type]])),
    );
    expect(read.nullable).toBe(true);
    expect(read.metadata).toMatchObject(metadata);
  });

  it('exactly: what the reference makes of any copy jobs', async () => {
    const batches = fc.sample(fc.array(anyCopyJob(false), { minLength: 50, maxLength: 50 }), {
      numRuns: 3,
      seed: 42,
    });
    const reference = batches.reduce<readonly Row[]>(
      (rows, batch) => mergeRows(copyJobs, rows, batch).rows,
      [],
    );
    const read = readWithPyarrow(await write(copyJobs, batches));
    expect(read.rows).toEqual(reference.map((row) => completeRow(copyJobs, row)));
  });

  it('finding by filters what is there, emoji and all, over several row groups', async () => {
    const rows = Array.from({ length: 45_000 }, (_, at) => ({
      id: `id-${String(at).padStart(5, '0')}`,
      label: ['😀', '￰', 'a'][at % 3] ?? null,
      state: at === 44_999 ? '😀' : 'COMPLETED',
    }));
    const filters = [
      ['label', '😀'],
      ['label', '￰'],
      ['state', '😀'],
      ['id', 'id-30000'],
      ['id', 'none'],
    ] as const;
    const read = readWithPyarrow(await write(sample, [rows]), filters);
    expect(read.found).toEqual([15_000, 15_000, 1, 1, 0]);
    expect(read.row_groups).toBeGreaterThan(1);
    expect(read.rows.length).toBe(45_000);
  });
});

it('pyarrow reads a part whose row groups were joined from several files', async () => {
  const table = sampleOfAccounts;
  const rows = Array.from({ length: 27_000 }, (_, at) => ({
    account_id: `1111222233${at % 90}`.padEnd(12, '0'),
    id: String(at).padStart(5, '0'),
    state: ['COMPLETED', 'RUNNING', '😀'][at % 3] ?? null,
    size: at,
    time: at * 1000,
  }));
  const output = join(folder, 'joined.parquet');
  const engine = await openEngine('duckdb', { memoryLimitBytes: 512 * 2 ** 20, scratch: folder });
  await engine.merge({
    ...{ table, partition: {}, existing: null, output, metadata },
    staged: [await stage(table, join(folder, 'joined.csv'), rows)],
    // As if each row had 4,000 bytes: some 8,400 of them are sorted at once.
    ...{ stagedRows: rows.length, stagedBytes: rows.length * 4_000, distinctKeys: true },
  });
  await engine.close();
  const keys = (some: readonly Row[]) => some.map((row) => `${row.account_id} ${row.id}`);
  const read = readWithPyarrow(output, [
    ['account_id', '111122223389'],
    ['state', '😀'],
    ['id', '26999'],
    ['id', 'none'],
  ]);
  expect(keys(read.rows)).toEqual(keys(rows).sort());
  expect(read.rows.every((row) => row.time === Number(row.size) * 1000)).toBe(true);
  expect(read.metadata).toMatchObject(metadata);
  expect(read.row_groups).toBe(3);
  expect(read.found).toEqual([300, 9_000, 1, 0]);
});

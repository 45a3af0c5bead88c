/** What both engines must do alike: each test runs for each of them, and reads with both other readers. */
import { createHash } from 'node:crypto';
import { appendFile, readdir } from 'node:fs/promises';
import { describe, expect, it } from 'vitest';
import { mergeRows } from '../../../src/lake/engines/merge.ts';
import { openEngine } from '../../../src/lake/engines/open-engine.ts';
import { bucketOf } from '../../../src/lake/layout.ts';
import { placementMetadata } from '../../../src/lake/part-placement.ts';
import { frameOf } from '../../../src/lake/staged-files.ts';
import { EngineError, MisplacedRows, ScratchError } from '../../../src/shared/errors.ts';
import { copyJobSummaries } from '../../../src/tables/copy-job-summaries.ts';
import { copyJobs } from '../../../src/tables/copy-jobs.ts';
import { exportCoverage } from '../../../src/tables/export-coverage.ts';
import { exportReconciliation } from '../../../src/tables/export-reconciliation.ts';
import type { Row } from '../../../src/tables/table.ts';
import { linesOf } from '../../support/staged-rows.ts';
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
import { withEarlierTimes } from './earlier-part.ts';
import { keyValueMetadata, queryWithDuckDb, readWithHyparquet } from './readers.ts';
import { sample, stage } from './sample-table.ts';

openBothEngines();

/** The times' types as they stand in the file. */
async function timestampsOf(file: string) {
  const rows = await queryWithDuckDb(
    `SELECT name, type, converted_type, logical_type FROM parquet_schema('${file.replaceAll('[', '[[]')}')
     WHERE converted_type LIKE 'TIMESTAMP%' OR logical_type LIKE '%Timestamp%' ORDER BY name`,
  );
  return rows.map(([column, type, converted, logical]) => ({ column, type, converted, logical }));
}

describe.each(names)('engine %s', (name) => {
  const other = name === 'parquetjs-lite' ? 'duckdb' : 'parquetjs-lite';

  it('runs where the time zone is not UTC', () => {
    expect(new Date(0).getTimezoneOffset()).not.toBe(0);
  });

  it('keeps text exact: beyond the BMP, empty, with controls, line separators and a byte order mark', async () => {
    const labels = [
      '😀🏽‍🚀 𝒳',
      '',
      'ünï',
      '\u0000nul',
      'a\u2028b\u2029c',
      '\ufeffmark',
      '"\\\n\r\t',
      "it's",
      '￿',
      null,
    ];
    const rows = labels.map((label, at) => ({ id: `${at}`, label, ...seen }));
    const { file, outcome } = await merge(name, rows);
    expect(outcome).toMatchObject({ changed: true, rows: labels.length, added: labels.length });
    await expectRows(sample, file, rows);
  });

  it('keeps integers exact to 2^53 − 1 either way and refuses 2^53', async () => {
    const sizes = [Number.MAX_SAFE_INTEGER, -Number.MAX_SAFE_INTEGER, 2 ** 32 + 1, 0, -1, 1, null];
    const rows = sizes.map((size, at) => ({ id: `${at}`, size, ...seen }));
    await expectRows(sample, (await merge(name, rows)).file, rows);
    for (const size of [2 ** 53, -(2 ** 53), 1.5]) {
      await expect(merge(name, [{ id: 'a', size, ...seen }])).rejects.toThrow(/size: not an exact bigint/);
    }
  });

  it('keeps times exact to the millisecond, before 1970 too', async () => {
    const times = [
      -1,
      0,
      1,
      -62_135_596_800_000,
      253_402_300_799_999,
      -8.64e12 - 123,
      1_763_600_000_123,
      null,
    ];
    const rows = times.map((time, at) => ({ id: `${at}`, time, ...seen }));
    const { file } = await merge(name, rows);
    await expectRows(sample, file, rows);
    const types = await queryWithDuckDb(
      `SELECT DISTINCT converted_type, logical_type FROM parquet_schema('${glob(file)}') WHERE name = 'time'`,
    );
    expect(JSON.stringify(types)).toMatch(/MILLI/);
  });

  it('reads staged rows from packed files, in any number of frames', async () => {
    const rows = Array.from({ length: 300 }, (_, n) => ({
      id: String(n).padStart(3, '0'),
      label: `ü ${n}`,
      ...seen,
    }));
    const lines = (some: readonly Row[]) => Buffer.from(linesOf(sample, some));
    const packed = `${newFile()}.csv.zst`;
    for (const cut of [
      [100, 101],
      [101, 250],
      [250, 300],
    ] as const) {
      for (const bytes of await frameOf([lines(rows.slice(...cut))])) await appendFile(packed, bytes);
    }
    const staged = [await stage(sample, `${newFile()}.csv`, rows.slice(0, 100)), packed];
    const { file, outcome } = await merge(name, [], { staged, stagedRows: 300, stagedBytes: 30_000 });
    expect(outcome).toMatchObject({ rows: 300, added: 300 });
    await expectRows(sample, file, rows);
  });

  it('keeps false apart from null', async () => {
    const rows = [true, false, null].map((flag, at) => ({ id: `${at}`, flag, ...seen }));
    await expectRows(sample, (await merge(name, rows)).file, rows);
  });

  it('writes one row of nothing but its key', async () => {
    const { file, outcome } = await merge(name, [{ id: 'only' }]);
    expect(outcome).toMatchObject({ rows: 1, added: 1 });
    await expectRows(sample, file, [{ id: 'only' }]);
  });

  it('makes every column optional, in the table’s order, with the metadata in the footer', async () => {
    const metadata = { run_id: '0199', 'it\'s "odd"': "va'lue" };
    const { file } = await merge(name, [{ id: 'a', ...seen }], { metadata });
    expect(await keyValueMetadata(file)).toMatchObject(metadata);
    const schema = await queryWithDuckDb(
      `SELECT name, repetition_type FROM parquet_schema('${glob(file)}') WHERE type IS NOT NULL`,
    );
    expect(schema).toEqual(sample.columns.map((column) => [column.name, 'OPTIONAL']));
  });

  it('sorts by UTF-8 bytes with nulls first, whatever the order staged', async () => {
    const ids = ['￿', '😀', 'z', 'ä', '', 'Z', '￰', '\u{10ffff}'];
    const { file } = await merge(
      name,
      ids.map((id) => ({ id, ...seen })),
    );
    const order = [...ids].sort((a, b) => Buffer.compare(Buffer.from(a), Buffer.from(b)));
    expect((await readWithHyparquet(file)).map(({ id }) => id)).toEqual(order);
    const table = { ...sample, sortBy: ['size', 'id'] };
    const sized = [{ id: 'b', size: 1 }, { id: 'c' }, { id: 'a', size: -1 }];
    const part = (await merge(name, sized, { table })).file;
    expect((await readWithHyparquet(part)).map(({ id }) => id)).toEqual(['c', 'a', 'b']);
  });

  it('finds every row by a filter on text with emoji: its statistics are right', async () => {
    const labels = ['😀', 'zebra', '￰', 'a', '😀', '￿x'];
    const states = ['😀', 'ok', '￰', 'ok', '😀', 'ok'];
    const rows = labels.map((label, at) => ({ id: `${at}`, label, state: states[at] ?? null, ...seen }));
    const { file } = await merge(name, rows);
    for (const [column, value, count] of [
      ['label', '😀', 2],
      ['label', '￰', 1],
      ['label', 'a', 1],
      ['state', '😀', 2],
      ['state', '￰', 1],
    ] as const) {
      const sql = `SELECT count(*) FROM read_parquet('${glob(file)}') WHERE "${column}" = '${value}'`;
      expect(await queryWithDuckDb(sql), `${column} = ${value}`).toEqual([[BigInt(count)]]);
    }
  });

  it('prunes by statistics where text is ASCII', async () => {
    const { file } = await merge(name, [
      { id: 'a', ...seen },
      { id: 'b', ...seen },
    ]);
    const sql = `SELECT stats_min_value, stats_max_value FROM parquet_metadata('${glob(file)}') WHERE path_in_schema = 'id'`;
    expect(await queryWithDuckDb(sql)).toEqual([['a', 'b']]);
  });

  it('merges a part that the other engine wrote', async () => {
    const rows = [
      { id: 'a', label: '😀', state: 'RUNNING', size: 2 ** 53 - 1, flag: false, time: -1, ...seen },
      { id: 'b', label: '', state: 'COMPLETED', size: 0, flag: true, time: 1, ...seen },
    ];
    const part = await merge(other, rows);
    const later = {
      ...rows[0],
      state: 'FAILED',
      observed_at: 2_000,
      first_observed_at: 2_000,
      run_id: 'run-2',
    };
    const { file, outcome } = await merge(name, [later, { id: 'c', ...seen }], { existing: part.file });
    expect(outcome).toEqual({
      changed: true,
      rows: 3,
      added: 1,
      updated: 1,
      unchanged: 0,
      removed: 0,
    });
    await expectRows(sample, file, [
      { ...later, first_observed_at: 1_000 },
      rows[1] ?? {},
      { id: 'c', ...seen },
    ]);
  });

  it('takes a part with times of the earlier type, and leaves it alone when nothing changes', async () => {
    const rows = [-1, 1_763_600_000_123].map((time, at) => ({ id: `${at}`, time, ...seen }));
    const { file: existing } = await merge('parquetjs-lite', rows);
    await withEarlierTimes(existing);
    expect((await timestampsOf(existing)).map(({ logical }) => logical)).toEqual([null, null, null]);
    const again = rows.map((row) => ({ ...row, observed_at: 9_000, run_id: 'run-9' }));
    expect((await merge(name, again, { existing })).outcome).toMatchObject({ changed: false, unchanged: 2 });
    const { file } = await merge(name, [{ id: '2', time: 0, ...seen }], { existing });
    await expectRows(sample, file, [...rows, { id: '2', time: 0, ...seen }]);
    expect(new Set((await timestampsOf(file)).map(({ logical }) => logical)).size).toBe(1);
  });

  it('writes nothing when nothing changes, and leaves no file', async () => {
    const rows = [{ id: 'a', label: 'x', ...seen }];
    const part = await merge(name, rows);
    const again = await merge(name, [{ ...rows[0], observed_at: 9_000, run_id: 'run-9' }], {
      existing: part.file,
    });
    expect(again.outcome).toMatchObject({ changed: false, rows: 1, added: 0, updated: 0, unchanged: 1 });
    expect(await readdir(folder)).not.toContain(again.file.slice(folder.length + 1));
    const nothing = await merge(name, [], { existing: part.file, staged: [] });
    expect(nothing.outcome).toMatchObject({ changed: false, rows: 1, unchanged: 0 });
    const empty = await merge(name, [], { existing: part.file });
    expect(empty.outcome).toMatchObject({ changed: false, rows: 1, unchanged: 0 });
  });

  it('reads old parts with fewer columns, and computes derived columns anew', async () => {
    const old = {
      ...sample,
      columns: sample.columns.filter(({ name }) => !['label', 'flag', 'is_terminal'].includes(name)),
    };
    const part = await merge(
      other,
      [
        { id: 'a', state: 'COMPLETED', ...seen },
        { id: 'b', ...seen },
      ],
      { table: old },
    );
    const { file } = await merge(name, [{ id: 'c', label: 'new', ...seen }], { existing: part.file });
    await expectRows(sample, file, [
      { id: 'a', state: 'COMPLETED', ...seen },
      { id: 'b', ...seen },
      { id: 'c', label: 'new', ...seen },
    ]);
  });

  it('refuses a part with columns it does not know, or of another type, and one that is no Parquet', async () => {
    const part = await merge(other, [{ id: 'a', label: 'x', ...seen }]);
    const older = { ...sample, columns: sample.columns.filter(({ name }) => name !== 'label') };
    const refused = merge(name, [{ id: 'a' }], { table: older, existing: part.file });
    await expect(refused).rejects.toThrow(/label.*newer program/);
    await expect(refused).rejects.toBeInstanceOf(EngineError);
    const columns = sample.columns.map((column) =>
      column.name === 'label' ? { ...column, type: 'bigint' as const } : column,
    );
    await expect(
      merge(name, [{ id: 'a' }], { table: { ...sample, columns }, existing: part.file }),
    ).rejects.toThrow(/label does not have the type bigint/);
    const noPart = await stage(sample, newFile(), [{ id: 'a' }]);
    await expect(merge(name, [{ id: 'a' }], { existing: noPart })).rejects.toBeInstanceOf(EngineError);
  });

  it('goes on after a merge that failed, and merges in the order asked', async () => {
    const failing = expect(merge(name, [{ id: 'a', size: 2 ** 60 }])).rejects.toBeInstanceOf(EngineError);
    const first = merge(name, [{ id: 'a', ...seen }]);
    await Promise.all([failing, first]);
    expect((await first).outcome.added).toBe(1);
  });

  it.each([copyJobs, copyJobSummaries, exportCoverage, exportReconciliation])(
    'writes $name with every column, all null',
    async (table) => {
      const { file } = await merge(name, [{}], { table, partition: {} });
      await expectRows(table, file, [{}]);
    },
  );

  describe('given where the published part lies', () => {
    const at = (hour: number) => Date.UTC(2026, 10, 20, hour);
    const accounts = ['111122223333', '444455556666', '777788889999', '000000000001'];
    const row = (account: string, time: number | null): Row => ({
      copy_job_id: `${account}-${time}`,
      account_id: account,
      creation_time: time,
      ...seen,
    });
    const partition = { creation_date: '2026-11-20' };
    const within = { table: copyJobs, partition };
    const inBucket = (bucket: number, of: number) => accounts.filter((one) => bucketOf(one, of) === bucket);
    const [mine = ''] = inBucket(0, 2);
    const [theirs = ''] = inBucket(1, 2);

    it('merges a part whose rows belong there, from the first to the last millisecond of its day', async () => {
      const placement = { bucket: 0, buckets: 2 };
      const rows = [row(mine, at(0)), row(mine, at(24) - 1)];
      const part = await merge(other, rows, {
        ...within,
        metadata: placementMetadata(copyJobs, partition, placement),
      });
      const more = await merge(name, [row(mine, at(1))], { ...within, existing: part.file, placement });
      expect(more.outcome).toMatchObject({ rows: 3, added: 1 });
    });

    it.each([
      ['the day before', [row(mine, at(0) - 1)], /creation_date 2026-11-19, but its key is for 2026-11-20/],
      ['the day after, beside its own', [row(mine, at(1)), row(mine, at(24))], /2026-11-20 to 2026-11-21/],
      ['no day', [row(mine, null)], /rows without creation_time/],
      ['another bucket', [row(mine, at(1)), row(theirs, at(2))], /bucket 1 of 2.*key is for bucket 0/],
    ])('refuses one with rows of %s, and writes nothing', async (_, rows, message) => {
      const part = await merge(other, rows, within);
      const output = newFile();
      const refused = merge(name, [row(mine, at(5))], {
        ...within,
        existing: part.file,
        output,
        placement: { bucket: 0, buckets: 2 },
      });
      await expect(refused).rejects.toThrow(message);
      await expect(refused).rejects.toBeInstanceOf(MisplacedRows);
      expect(await readdir(folder)).not.toContain(output.slice(folder.length + 1));
    });

    it.each([
      ['table', { table: 'export_coverage' }],
      ['partition', { partition: 'creation_date=2026-11-21' }],
      ['bucket', { bucket: '1' }],
      ['buckets', { buckets: '4' }],
    ])('refuses one that says another %s of itself', async (_, metadata) => {
      const part = await merge(other, [row(mine, at(1))], { ...within, metadata });
      const refused = merge(name, [], {
        ...within,
        existing: part.file,
        placement: { bucket: 0, buckets: 2 },
      });
      await expect(refused).rejects.toBeInstanceOf(MisplacedRows);
    });

    it('refuses a count’s part of another day', async () => {
      const counts = {
        table: copyJobSummaries,
        partition: { aggregation_period: 'ONE_DAY', start_date: '2026-11-20' },
      };
      const part = await merge(other, [{ account_id: mine, start_time: at(24), ...seen }], counts);
      const refused = merge(name, [], {
        ...counts,
        existing: part.file,
        placement: { bucket: 0, buckets: 1 },
      });
      await expect(refused).rejects.toThrow(/start_date 2026-11-21/);
    });
  });

  it('replaces a slice as the reference does', async () => {
    const row = (account: string, state: string, count: number, observed: number) => ({
      region: 'us-east-1',
      account_id: account,
      state,
      resource_type: 'EBS',
      message_category: null,
      job_count: count,
      start_time: 0,
      end_time: 86_400_000,
      first_observed_at: observed,
      observed_at: observed,
      run_id: `r${observed}`,
      queried_account_id: account,
    });
    const table = copyJobSummaries;
    const partition = { aggregation_period: 'ONE_DAY', start_date: '1970-01-01' };
    const before = [
      row('1', 'RUNNING', 3, 5),
      row('1', 'COMPLETED', 1, 5),
      row('2', 'RUNNING', 9, 5),
      row('3', 'RUNNING', 1, 50),
    ];
    const part = await merge(other, before, { table, partition });
    const staged = [
      row('1', 'COMPLETED', 4, 20),
      row('1', 'FAILED', 4, 20),
      row('1', 'RUNNING', 1, 19),
      row('3', 'FAILED', 2, 20),
    ];
    const { file, outcome } = await merge(name, staged, { table, partition, existing: part.file });
    expect(outcome).toMatchObject({ changed: true, rows: 4, added: 1, updated: 1, unchanged: 1, removed: 1 });
    const expected = mergeRows(table, before, staged, partition);
    expect(outcome).toEqual(expected.outcome);
    await expectRows(table, file, expected.rows);
  });

  it('believes no published row that says it was observed later than now: what is staged replaces it', async () => {
    const [now, future] = [5_000, 90_000];
    const wrong = { observed_at: future, first_observed_at: future, run_id: 'run-0' };
    const before = [
      { id: 'moved', state: 'RUNNING', ...wrong },
      { id: 'same', state: 'COMPLETED', ...wrong },
      { id: 'forgotten', state: 'COMPLETED', ...wrong },
      { id: 'good', state: 'RUNNING', ...seen },
    ];
    const part = await merge(other, before);
    const fresh = { observed_at: 4_000, first_observed_at: 4_000, run_id: 'run-1' };
    const staged = [
      { id: 'moved', state: 'FAILED', ...fresh },
      { id: 'same', state: 'COMPLETED', ...fresh },
      { id: 'good', state: 'RUNNING', ...fresh },
    ];
    const { file, outcome } = await merge(name, staged, { existing: part.file, latest: now });
    expect(outcome).toMatchObject({ changed: true, added: 0, updated: 2, unchanged: 1 });
    const unknown = { observed_at: null, first_observed_at: null, run_id: 'run-0' };
    await expectRows(sample, file, [
      { id: 'forgotten', state: 'COMPLETED', ...unknown },
      { id: 'good', state: 'RUNNING', ...seen },
      { id: 'moved', state: 'FAILED', ...fresh },
      { id: 'same', state: 'COMPLETED', ...fresh },
    ]);
    const again = await merge(name, staged, { existing: file, latest: now });
    expect(again.outcome).toMatchObject({ changed: false, unchanged: 3 });
  });

  it('believes no published count that says it was observed later than now', async () => {
    const row = (state: string, count: number, observed: number) => ({
      region: 'us-east-1',
      account_id: '1',
      state,
      resource_type: 'EBS',
      message_category: null,
      job_count: count,
      start_time: 0,
      end_time: 86_400_000,
      first_observed_at: observed,
      observed_at: observed,
      run_id: `r${observed}`,
      queried_account_id: '1',
    });
    const table = copyJobSummaries;
    const partition = { aggregation_period: 'ONE_DAY', start_date: '1970-01-01' };
    const part = await merge(other, [row('COMPLETED', 1, 90_000), row('RUNNING', 3, 90_000)], {
      table,
      partition,
    });
    const staged = [row('COMPLETED', 1, 4_000), row('FAILED', 3, 4_000)];
    const { file, outcome } = await merge(name, staged, {
      table,
      partition,
      existing: part.file,
      latest: 5_000,
    });
    expect(outcome).toMatchObject({ changed: true, added: 1, updated: 1, removed: 1 });
    await expectRows(table, file, staged);
  });
});

describe('memory', () => {
  it('parquetjs-lite refuses a part too large for its memory, with advice, before it loads it', async () => {
    const engine = await openEngine('parquetjs-lite', { memoryLimitBytes: 10_000, scratch: folder });
    const rows = Array.from({ length: 1_000 }, (_, at) => ({ id: `${at}`, ...seen }));
    const staged = [await stage(sample, newFile(), rows)];
    const request = { table: sample, partition: {}, existing: null, staged, output: newFile(), metadata: {} };
    await expect(engine.merge(request)).rejects.toThrow(
      /too large.*--engine duckdb.*--memory-limit.*--buckets/s,
    );
  });

  it('DuckDB takes no more scratch than it was given, gives it back, and says which option to raise', async () => {
    let room = 0;
    let claimed = 0;
    const claim = () => {
      claimed += 1;
      return {
        bytes: room,
        release: () => {
          claimed -= 1;
        },
      };
    };
    const engine = await openEngine('duckdb', { memoryLimitBytes: 64 * 2 ** 20, scratch: folder, claim });
    const rows = Array.from({ length: 100_000 }, (_, at) => ({
      id: `${(at * 7919) % 100_003}`,
      label: createHash('sha256').update(`${at}`).digest('hex').repeat(4),
      ...seen,
    }));
    const staged = [await stage(sample, newFile(), rows)];
    const request = { table: sample, partition: {}, existing: null, staged, output: newFile(), metadata: {} };
    const refused = engine.merge(request);
    await expect(refused).rejects.toBeInstanceOf(ScratchError);
    await expect(refused).rejects.toThrow(/--scratch-limit/);
    room = 500_000_000;
    expect(await engine.merge(request)).toMatchObject({ rows: 100_000 });
    expect(claimed).toBe(0);
    await engine.close();
  });

  it('DuckDB merges two small parts at once, and alone what needs more than its share', async () => {
    let [claimed, most] = [0, 0];
    const claim = () => {
      claimed += 1;
      most = Math.max(most, claimed);
      const release = () => {
        claimed -= 1;
      };
      return { bytes: 0, release };
    };
    const memoryLimitBytes = 256 * 2 ** 20;
    const engine = await openEngine('duckdb', { memoryLimitBytes, scratch: folder, claim, mergesAtOnce: 2 });
    const rows = Array.from({ length: 60_000 }, (_, at) => longRow((at * 7919) % 100_003, 'many', 600));
    const request = async (some: readonly Row[]) => ({
      ...{ table: sample, partition: {}, existing: null, metadata: {} },
      ...{ staged: [await stage(sample, newFile(), some)], stagedRows: some.length, stagedBytes: 1_000 },
      output: newFile(),
    });
    const sizes = [50, 60_000, 40, 3];
    const requests = await Promise.all(sizes.map((size) => request(rows.slice(0, size))));
    const outcomes = await Promise.all(requests.map((one) => engine.merge(one)));
    expect(outcomes.map((outcome) => outcome.rows)).toEqual(sizes);
    expect([claimed, most]).toEqual([0, 2]);
    await engine.close();
  });

  it('DuckDB makes typed rows of lines, but not of wide ones, and brings their long texts back', async () => {
    const engine = await openEngine('duckdb', { memoryLimitBytes: 256 * 2 ** 20, scratch: folder });
    const rows = Array.from({ length: 6 }, (_, at) => longRow(at, 'typed', 20_000));
    const lines = await stage(sample, newFile(), rows.slice(0, 3));
    const output = `${newFile()}.parquet`;
    const request = { table: sample, lines, output, compact: true, rows: 3, bytes: 60_000 };
    expect(await engine.typed?.(request)).toBe(false);
    expect(await engine.typed?.({ ...request, rows: 1_000 })).toBe(true);
    await engine.close();
    expect(await engine.typed?.({ ...request, rows: 1_000 })).toBe(false);
    const staged = [output, await stage(sample, newFile(), rows.slice(3))];
    // Wide, so that long texts are set aside; and as if it was not known.
    for (const stagedBytes of [120_000, 1]) {
      const { file } = await merge('duckdb', [], { staged, stagedRows: 6, stagedBytes, distinctKeys: true });
      await expectRows(sample, file, rows);
    }
  });

  it('DuckDB keeps a short text that looks as if it stood for a long one', async () => {
    const label = `x\u{f8ff}sha256:${'0'.repeat(64)}`;
    const rows = [
      { id: '0', label, ...seen },
      longRow(1, 'one', 200_000),
      { ...longRow(1, 'one', 200_000), id: '2' },
    ];
    const { file } = await merge('duckdb', rows, { stagedRows: rows.length });
    await expectRows(
      sample,
      file,
      rows.toSorted((a, b) => (a.id < b.id ? -1 : 1)),
    );
  });

  it('DuckDB cuts a part into row groups that a reader skips by the first column of the order', async () => {
    const rows = Array.from({ length: 25_000 }, (_, at) => ({ id: String(at).padStart(5, '0'), ...seen }));
    const { file } = await merge('duckdb', rows);
    const groups = await queryWithDuckDb(
      `SELECT row_group_num_rows, stats_min_value, stats_max_value FROM parquet_metadata('${glob(file)}')
       WHERE path_in_schema = 'id' ORDER BY row_group_id`,
    );
    expect(groups.map(([count, low, high]) => [Number(count), low, high])).toEqual([
      [10_240, '00000', '10239'],
      [10_240, '10240', '20479'],
      [4_520, '20480', '24999'],
    ]);
  });

  it('DuckDB says what to do when the limit does not do', async () => {
    const engine = await openEngine('duckdb', { memoryLimitBytes: 2 * 2 ** 20, scratch: folder });
    const rows = Array.from({ length: 20_000 }, (_, at) => ({
      id: `${at}`,
      label: `${at}`.repeat(20),
      ...seen,
    }));
    const staged = [await stage(sample, newFile(), rows)];
    const request = { table: sample, partition: {}, existing: null, staged, output: newFile(), metadata: {} };
    await expect(engine.merge(request)).rejects.toThrow(/memory.*--memory-limit.*--buckets/s);
    await expect(engine.merge(request)).rejects.toBeInstanceOf(EngineError);
    await engine.close();
  });
});

describe('both engines', () => {
  it.each([copyJobs, copyJobSummaries, exportCoverage, exportReconciliation])(
    'give the times of $name one type: milliseconds, not adjusted to UTC',
    async (table) => {
      const row = Object.fromEntries(
        table.columns.map(({ name, type }) => [name, type === 'timestamp' ? 1_763_600_000_123 : null]),
      );
      const types = await Promise.all(
        names.map(async (name) => timestampsOf((await merge(name, [row], { table })).file)),
      );
      expect(types[0]).toEqual(types[1]);
      expect(types[0]?.map(({ column }) => column)).toEqual(
        table.columns
          .filter(({ type }) => type === 'timestamp')
          .map(({ name }) => name)
          .sort(),
      );
      for (const { type, converted, logical } of types.flat()) {
        expect([type, converted]).toEqual(['INT64', 'TIMESTAMP_MILLIS']);
        expect(logical).toMatch(/isAdjustedToUTC=0.*MILLIS=MilliSeconds/);
      }
    },
  );
});

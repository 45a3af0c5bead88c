import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { afterEach, expect, it } from 'vitest';
import { renderRunSummary } from '../../src/telemetry/run-summary-text.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
afterEach(() => lab.close());

it.each([
  ['bad-date' as const, 'CreationDate'],
  ['big-integer' as const, 'BackupSizeInBytes'],
  ['missing-id' as const, 'CopyJobId'],
])(
  'a record with %s is kept raw, counted and told of; all others of its page become rows',
  async (kind, field) => {
    lab = await openLab({ accounts: 2, regions: 1, days: 1 });
    lab.simulator.addFaults([{ kind, api: 'ListCopyJobs', count: 1 }]);
    const run = await lab.run();
    expect(run.exit_code).toBe(65);
    expect(run.tables.copy_jobs?.rejected).toBe(1);
    expect(run.coverage.REJECTED_RECORDS).toBe(1);

    const [name] = await lab.ledger('rejected');
    const lines = (await readFile(join(lab.lake, '_ledger/rejected', String(name)), 'utf8'))
      .trim()
      .split('\n');
    expect(lines.length).toBe(1);
    const kept: unknown = JSON.parse(String(lines[0]));
    expect(kept).toMatchObject({
      table: 'copy_jobs',
      reason: expect.stringContaining(field),
      record: { ResourceType: expect.any(String) },
    });
    if (kind === 'big-integer') expect(lines[0]).toMatch(/"BackupSizeInBytes":\d{16,}[,}]/);

    const found = await lab.differences();
    expect(found.length).toBe(1);
    expect(found[0]).toContain('copy_jobs: 1 missing');

    expect((await lab.run()).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  },
);

it.each([
  ['milliseconds where seconds belong', 1_763_600_000_000_000],
  ['years before the first', -1e18],
  ['500 years to come', 500 * 365 * 86_400_000],
])('jobs with creation dates that no row can have (%s) are kept raw, counted and told of', async (_, ms) => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  expect((await lab.run()).exit_code).toBe(0);
  await lab.simulator.advance(3_600_000);
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms, count: 1 }]);
  const run = await lab.run();
  expect(run.exit_code).toBe(65);
  expect(run.coverage.REJECTED_RECORDS).toBe(1);
  expect(run.tables.copy_jobs?.rejected).toBeGreaterThan(0);
  const [name] = await lab.ledger('rejected');
  const kept = (await readFile(join(lab.lake, '_ledger/rejected', String(name)), 'utf8')).trim().split('\n');
  expect(kept.length).toBe(run.tables.copy_jobs?.rejected);
  for (const line of kept) expect(JSON.parse(line).reason).toContain('CreationDate');
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

it('jobs that AWS lists as created since as-of are left to the next run, which reads them', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  lab.simulator.addFaults([{ kind: 'moved-date', api: 'ListCopyJobs', ms: 43_200_000 }]);
  const run = await lab.run();
  expect(run.exit_code).toBe(0);
  expect(run.tables.copy_jobs?.rejected).toBe(0);
  lab.simulator.clearFaults();
  expect((await lab.differences()).join()).toContain('copy_jobs');
  await lab.simulator.advance(3_600_000);
  expect((await lab.run()).tables.copy_jobs?.added).toBeGreaterThan(0);
});

it('a rejected count replaces nothing: the slice stays as it was, and heals', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  expect((await lab.run()).exit_code).toBe(0);
  await lab.simulator.advance(86_400_000);
  lab.simulator.addFaults([{ kind: 'bad-date', api: 'ListCopyJobSummaries' }]);
  const run = await lab.run();
  expect(run.exit_code).toBe(65);
  expect(run.tables.copy_job_summaries).toMatchObject({ added: 0, updated: 0, removed: 0, parts_written: 0 });
  lab.simulator.clearFaults();
  expect((await lab.run()).exit_code).toBe(0);
  expect(await lab.differences()).toEqual([]);
});

it('a state and a field that nobody knows are kept or told of, and stop nothing', async () => {
  lab = await openLab({ accounts: 2, regions: 1, days: 1 });
  lab.simulator.addFaults([
    { kind: 'unknown-state', api: 'ListCopyJobs' },
    { kind: 'unknown-field', api: 'ListCopyJobs' },
  ]);
  const run = await lab.run();
  expect(run.exit_code).toBe(0);
  const rows = await lab.table('copy_jobs');
  expect(rows.some((row) => row.is_terminal === null && row.state !== null)).toBe(true);
  expect(run.unknown_fields).toEqual({ copy_jobs: ['FieldOfTomorrow.Depth'] });
  expect(renderRunSummary(run)).toContain('FieldOfTomorrow.Depth');

  const told = lab.start();
  const { stderr } = await told.ended;
  const warnings = stderr
    .split('\n')
    .filter((line) => line.includes('"level":"warn"') && line.includes('FieldOfTomorrow'));
  expect(warnings.length).toBe(1);
  expect(JSON.parse(String(warnings[0]))).toMatchObject({
    unknown_fields: { copy_jobs: ['FieldOfTomorrow.Depth'] },
  });

  lab.simulator.clearFaults();
  expect((await lab.run()).unknown_fields).toEqual({});
});

it.each(['duckdb', 'parquetjs-lite'])(
  'a text that Parquet cannot hold is replaced in its row, and the record is kept raw, counted and told of (%s)',
  async (engine) => {
    lab = await openLab({ accounts: 2, regions: 1, days: 1 });
    lab.simulator.addFaults([{ kind: 'half-character', api: 'ListCopyJobs', count: 1 }]);
    const run = await lab.run({ engine });
    expect(run).toMatchObject({ exit_code: 0, altered_records: 1 });
    expect(run.tables.copy_jobs?.rejected).toBe(0);
    expect(renderRunSummary(run, 400)).toMatch(/1 record contains invalid Unicode\. The rows/);

    const odd = (await lab.table('copy_jobs')).filter(({ status_message: message }) =>
      String(message).startsWith('half a pair'),
    );
    expect(odd.map(({ status_message: message }) => message)).toEqual(['half a pair \ufffd, \0 and \ufffe']);
    const [name] = await lab.ledger('rejected');
    const kept: unknown = JSON.parse(
      await readFile(join(lab.lake, '_ledger/rejected', String(name)), 'utf8'),
    );
    expect(kept).toMatchObject({
      table: 'copy_jobs',
      published: true,
      reason: 'StatusMessage: not well-formed Unicode; the row has U+FFFD in its place',
      record: { CopyJobId: odd[0]?.copy_job_id, StatusMessage: 'half a pair \ud83d, \0 and \ufffe' },
    });

    expect((await lab.run({ engine, since: 'all' })).exit_code).toBe(0);
    expect(await lab.differences()).toEqual([]);
  },
);

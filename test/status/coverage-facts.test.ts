/** What the engine makes of hand-made coverage rows, and what a drain's state follows from. */
import { DuckDBInstance } from '@duckdb/node-api';
import { expect, it } from 'vitest';
import { readCoverageFacts } from '../../src/status/coverage-facts.ts';
import { drainStatus, tableMemory } from '../../src/status/drain-status.ts';
import type { DrainStatus } from '../../src/status/status-report.ts';

const hour = 3_600_000;
const day = 24 * hour;
const start = Date.parse('2026-09-01T02:00:00Z');
const at = (days: number) => start + days * day;

interface Row {
  readonly night: number;
  readonly status?: string;
  readonly error?: string;
  readonly from?: number | null;
  readonly to?: number | null;
  readonly table?: 'copy_jobs' | 'copy_job_summaries';
  /** Null: a row of an older version. */
  readonly memoryDays?: number | null;
  readonly account?: string;
  readonly name?: string | null;
  readonly region?: string;
  readonly run?: string;
}

/** The drains' states at `now`, for coverage rows of one table and target unless they say otherwise. */
async function statuses(rows: readonly Row[], now: number): Promise<readonly DrainStatus[]> {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  try {
    const connection = await instance.connect();
    await connection.run(`CREATE TABLE export_coverage (run_id VARCHAR, as_of TIMESTAMP, table_name VARCHAR,
      account_id VARCHAR, account_name VARCHAR, region VARCHAR, status VARCHAR, window_from TIMESTAMP,
      window_to TIMESTAMP, error_name VARCHAR, error_message VARCHAR, remembered_from TIMESTAMP)`);
    const time = (ms: number | null) => (ms === null ? 'NULL' : `make_timestamp_ms(${ms})`);
    const text = (word: string | null) => (word === null ? 'NULL' : `'${word}'`);
    for (const row of rows) {
      const table = row.table ?? 'copy_jobs';
      const isJobs = table === 'copy_jobs';
      const memoryDays = row.memoryDays === undefined ? (isJobs ? 30 : 14) : row.memoryDays;
      const asOf = at(row.night);
      await connection.run(
        `INSERT INTO export_coverage VALUES (${text(row.run ?? `run ${row.night}`)}, ${time(asOf)}, ${text(table)},
          ${text(row.account ?? '1')}, ${text(row.name === undefined ? 'one' : row.name)}, ${text(row.region ?? 'r')},
          ${text(row.status ?? 'OK')}, ${time(row.from == null ? null : at(row.from))},
          ${time(isJobs ? (row.to == null ? asOf : at(row.to)) : null)}, ${text(row.error ?? null)}, NULL,
          ${time(memoryDays === null ? null : asOf - memoryDays * day)})`,
      );
    }
    const facts = await readCoverageFacts(connection, now);
    return facts.drains.map((drain) =>
      drainStatus(
        drain,
        tableMemory(drain.table, facts.runs, now),
        { warnWithinMs: 2 * day, staleAfterMs: 36 * hour },
        {
          accountName: facts.accountNames.get(drain.accountId) ?? null,
          openJobs: null,
          endsUnknown: null,
          plannedNoMore: false,
          isNewLoss: () => true,
        },
      ),
    );
  } finally {
    instance.closeSync();
  }
}

/** In days since the start, so that they can be read. */
const inDays = (all: readonly { readonly from: string; readonly to: string }[]) =>
  all.map(({ from, to }) => [(Date.parse(from) - start) / day, (Date.parse(to) - start) / day]);

async function only(rows: readonly Row[], now: number) {
  const [drain] = await statuses(rows, now);
  if (drain === undefined) throw new Error('no drain');
  return {
    state: drain.state,
    gaps: inDays(drain.gaps),
    lost: inDays(drain.lost),
    cause: drain.cause,
    hours: drain.hours_to_loss,
    drain,
  };
}

const nights = (from: number, to: number, row: Omit<Row, 'night'> = {}): Row[] =>
  Array.from({ length: to - from + 1 }, (_, i) => ({ night: from + i, ...row }));

it.each<[string, readonly Row[], number, object]>([
  ['good nights', nights(0, 9), 9.5, { state: 'proven', gaps: [], lost: [], cause: null, hours: null }],
  ['the first night of all', nights(0, 0), 0, { state: 'proven', gaps: [], lost: [] }],
  [
    'a first night that fails',
    nights(0, 0, { status: 'ACCESS_DENIED' }),
    0,
    { state: 'gap', gaps: [[0, 0]], cause: 'ACCESS_DENIED', hours: 30 * 24 },
  ],
  [
    'windows that overlap',
    [{ night: 0 }, { night: 1, from: -1 }, { night: 2, from: 0.5 }, { night: 3, from: 2 }],
    3.5,
    { state: 'proven', gaps: [], lost: [] },
  ],
  [
    'several runs a night, the last of which fails',
    [{ night: 0 }, { night: 0.1 }, { night: 0.2, status: 'THROTTLED', error: 'ThrottlingException' }],
    0.25,
    { state: 'gap', gaps: [[0.1, 0.25]], cause: 'THROTTLED' },
  ],
  [
    'a gap between windows that later runs do not read',
    [{ night: 0 }, { night: 5, from: 4 }],
    5.5,
    { state: 'gap', gaps: [[0, 4]], cause: 'NOT_READ_AGAIN', hours: (30 - 5.5) * 24 },
  ],
  [
    'a gap that nobody read in time',
    [{ night: 0 }, { night: 50 }],
    50.5,
    { state: 'proven', gaps: [], lost: [[0, 20]] },
  ],
  [
    'a run that asked for more than AWS remembers',
    [{ night: 0 }, { night: 50, from: -10 }],
    50.5,
    { state: 'proven', lost: [[0, 20]] },
  ],
  ['days without a run', nights(0, 3), 6, { state: 'gap', gaps: [[3, 6]], cause: 'NO_RUN', hours: 27 * 24 }],
  [
    'weeks without a run',
    nights(0, 3),
    43,
    {
      state: 'at_risk',
      gaps: [[13, 43]],
      lost: [[3, 13]],
      cause: 'NO_RUN',
      hours: 0,
    },
  ],
  [
    '--until in the past, and an empty window after it',
    [{ night: 0 }, { night: 1, from: 0, to: 0.5 }, { night: 1.2, status: 'SKIPPED', error: 'EmptyWindow' }],
    1.4,
    { state: 'proven', gaps: [], cause: null },
  ],
  [
    'a region that is disabled',
    [{ night: 0 }, ...nights(1, 9, { status: 'REGION_DISABLED', error: 'UnrecognizedClientException' })],
    9.5,
    { state: 'gap', gaps: [[0, 1]], cause: 'REGION_DISABLED' },
  ],
  [
    'a region that was never enabled',
    nights(0, 9, { status: 'REGION_DISABLED', error: 'UnrecognizedClientException' }),
    9.5,
    { state: 'region_disabled', gaps: [], cause: null },
  ],
  [
    'a region that is enabled again',
    [...nights(0, 2), ...nights(3, 5, { status: 'REGION_DISABLED' }), { night: 6, from: 1 }],
    6.5,
    { state: 'proven', gaps: [], lost: [] },
  ],
  [
    'rows of an older version',
    [
      { night: 0, memoryDays: null },
      { night: 50, memoryDays: null },
    ],
    50.5,
    { lost: [[0, 20]] },
  ],
  [
    'a shorter memory',
    [
      { night: 0, memoryDays: 10 },
      { night: 15, memoryDays: 10 },
    ],
    15.5,
    { lost: [[0, 5]] },
  ],
  [
    'a memory that is raised again',
    [
      { night: 0, memoryDays: 10 },
      { night: 15, memoryDays: 10 },
      { night: 16, memoryDays: 35 },
    ],
    16.5,
    { state: 'proven', gaps: [], lost: [] },
  ],
  [
    'rejected records',
    [{ night: 0 }, { night: 1, status: 'REJECTED_RECORDS', error: 'RejectedRecords' }],
    1.5,
    { state: 'gap', gaps: [[0, 1.5]], cause: 'REJECTED_RECORDS' },
  ],
  [
    'a status that only a newer version knows',
    [{ night: 0 }, { night: 1, status: 'PAUSED' }],
    1.5,
    { state: 'gap', cause: 'PAUSED' },
  ],
])('tells of %s', async (_, rows, now, expected) => {
  expect(await only(rows, at(now))).toMatchObject(expected);
});

it('keeps tables, accounts and regions apart, and knows the newest name', async () => {
  const found = await statuses(
    [
      { night: 0, account: '1', name: 'old name' },
      { night: 1, account: '1', name: 'new name' },
      { night: 2, account: '1', name: null },
      { night: 0, table: 'copy_job_summaries', name: null },
      { night: 2, table: 'copy_job_summaries', status: 'ACCESS_DENIED', name: null },
      { night: 0, account: '2', region: 's', status: 'ASSUME_ROLE_FAILED' },
    ],
    at(2.5),
  );
  expect(found.map((one) => [one.table, one.account_id, one.account_name, one.region, one.state])).toEqual([
    ['copy_job_summaries', '1', 'new name', 'r', 'gap'],
    ['copy_jobs', '1', 'new name', 'r', 'proven'],
    ['copy_jobs', '2', 'one', 's', 'gap'],
  ]);
  expect(found[0]).toMatchObject({
    failing_since: new Date(at(2)).toISOString(),
    last_good_drain: new Date(at(0)).toISOString(),
    first_loss_at: new Date(at(14)).toISOString(),
    needs_person: true,
  });
});

it('leaves out runs after its time, and says which run noticed a loss', async () => {
  const rows = [{ night: 0 }, { night: 40, account: '9' }, { night: 50 }, { night: 60 }];
  const [before] = await statuses(rows, at(20));
  expect(before).toMatchObject({ state: 'gap', last_asked: new Date(at(0)).toISOString(), lost: [] });
  const [after] = await statuses(rows, at(60.5));
  expect(after?.lost).toMatchObject([{ noticed_at: new Date(at(40)).toISOString() }]);
});

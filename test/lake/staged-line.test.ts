import pino from 'pino';
import { expect, it } from 'vitest';
import { collectTarget } from '../../src/export/collect-target.ts';
import { JobLines } from '../../src/lake/job-lines.ts';
import { isTooLong, longestStagedLine } from '../../src/lake/staged-line.ts';
import type { RejectedRecord } from '../../src/ledger/rejected.ts';
import type { Row } from '../../src/tables/table.ts';
import { onePageSource } from '../export/one-page-source.ts';
import { stagedRows, undated } from '../support/staged-rows.ts';

it.each([
  ['a long message that fits', 'x'.repeat(longestStagedLine - 100), false],
  ['a longer one', 'x'.repeat(longestStagedLine), true],
  ['one that is long only in UTF-8', 'ä'.repeat(longestStagedLine / 2), true],
  ['one that is long only in JSON', '\u0001'.repeat(longestStagedLine / 6), true],
])('%s', (_, text, isLong) => {
  expect(isTooLong({ copy_job_id: 'a', status_message: text, backup_size_in_bytes: 1 })).toBe(isLong);
});

it('a record that is too long for a row is rejected and kept raw, and costs no other', async () => {
  const records = [
    { CopyJobId: 'a', CreationDate: 1, StatusMessage: 'x'.repeat(longestStagedLine) },
    { CopyJobId: 'b', CreationDate: 1 },
  ];
  const staged: Row[] = [];
  const kept: RejectedRecord[] = [];
  const target = {
    accountId: '111122223333',
    accountName: null,
    regionNamed: false,
    region: 'us-east-1',
    credentials: async () => ({ accessKeyId: 'a', secretAccessKey: 's' }),
  };
  const drained = await collectTarget(
    { table: 'copy_jobs', target, window: { from: null, to: 5 }, coveredTo: null },
    {
      source: onePageSource(records),
      periods: [],
      runId: 'run',
      creationDates: { withFirstDates: async (rows) => rows },
      jobLines: new JobLines({ buckets: 1, creationDates: undated }),
      batches: {
        stage: async (_table, rows) => void staged.push(...rows),
        stageLines: async (_table, parts) => void staged.push(...stagedRows(parts)),
      },
      rejected: { keep: async (more) => void kept.push(...more) },
      queue: { answered: () => undefined },
      progress: { page: () => undefined },
      log: pino({ level: 'silent' }),
      signal: new AbortController().signal,
    },
  );
  expect(staged.map(({ copy_job_id: id }) => id)).toEqual(['b']);
  expect(drained).toMatchObject({
    rows: 1,
    rejected: 1,
    rejectedFor: expect.stringMatching(/more than 4 MiB/),
  });
  expect(kept.map(({ published, record }) => ({ published, record }))).toEqual([
    { published: false, record: records[0] },
  ]);
});

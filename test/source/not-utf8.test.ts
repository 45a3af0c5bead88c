import pino from 'pino';
import { expect, it } from 'vitest';
import { createBodyMemory } from '../../src/aws/body-memory.ts';
import { captureResponse } from '../../src/aws/response.ts';
import { collectTarget } from '../../src/export/collect-target.ts';
import { JobLines } from '../../src/lake/job-lines.ts';
import type { RejectedRecord } from '../../src/ledger/rejected.ts';
import type { Row } from '../../src/tables/table.ts';
import { onePageSource } from '../export/one-page-source.ts';
import { stagedRows, undated } from '../support/staged-rows.ts';

/** What captureResponse keeps of a body. */
async function answerWith(body: Buffer) {
  const added: Parameters<Parameters<typeof captureResponse>[0]['add']>[0][] = [];
  const kept = captureResponse(
    { add: (middleware) => void added.push(middleware) },
    { memory: createBodyMemory(), reservation: null },
  );
  const next = async () => ({ response: { statusCode: 200, headers: {}, body }, output: {} });
  // The SDK hands on a context that is not read.
  await added[0]?.(next as never, {})({} as never);
  return kept.response;
}

it('a body that is not UTF-8 is noticed', async () => {
  const bad = Buffer.concat([Buffer.from('{"a":"'), Buffer.from([0xff]), Buffer.from('"}')]);
  expect(await answerWith(bad)).toMatchObject({ body: bad, isUtf8: false });
  expect(await answerWith(Buffer.from('{"a":"\ufffd"}'))).toMatchObject({ isUtf8: true });
});

it.each([
  [true, 1],
  [false, 0],
])(
  'a record of such a body is published and kept, and one that holds U+FFFD of its own is not',
  async (repaired, altered) => {
    const records = [
      { CopyJobId: 'a', CreationDate: 1, StatusMessage: '\ufffd' },
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
        source: onePageSource(records, repaired),
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
    expect(staged.map(({ copy_job_id: id }) => id)).toEqual(['a', 'b']);
    expect([drained.altered, drained.rejected]).toEqual([altered, 0]);
    expect(kept.map(({ published, record }) => ({ published, record }))).toEqual(
      altered === 0 ? [] : [{ published: true, record: records[0] }],
    );
  },
);

import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import pino from 'pino';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { openScratch } from '../../src/lake/scratch.ts';
import { openStore } from '../../src/lake/stores/open.ts';
import { openLakeReader } from '../../src/query/lake-reader.ts';
import { type Lab, openLab } from '../support/lab.ts';

let lab: Lab;
beforeAll(async () => {
  lab = await openLab();
  await lab.run();
});
afterAll(() => lab.close());

test('the reader has every row of the lake, and leaves nothing in scratch', async () => {
  const store = await openStore(
    { kind: 'local', folder: lab.lake },
    {
      create: false,
      endpointUrl: null,
      kmsKeyId: null,
      expectedBucketOwner: null,
      log: pino({ level: 'silent' }),
    },
  );
  const scratch = await openScratch({ parent: join(lab.folder, 's'), runId: 'q', limitBytes: 1e9 });
  const reader = await openLakeReader({ store, folder: lab.lake, scratch, memoryLimitBytes: 2e8 });
  const rows = await reader.connection.runAndReadAll('SELECT copy_job_id FROM copy_jobs ORDER BY 1');
  const expected = (await lab.table('copy_jobs')).map((row) => row.copy_job_id).sort();
  expect(rows.getRowsJS().flat()).toEqual(expected);
  await reader.close();
  expect((await readdir(scratch.folder)).filter((name) => !name.startsWith('.'))).toEqual([]);
  await scratch.remove();
});

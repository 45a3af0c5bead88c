import { expect, it } from 'vitest';
import { timeLimit } from '../../src/export/time-limit.ts';

it('leaves the ledger its 30 seconds after the deadline, and 30 more, and names what may not have responded', () => {
  const lake = { kind: 's3', bucket: 'lake-bucket', prefix: 'the/lake/' } as const;
  expect(timeLimit({ deadlineMs: 7_200_000, lake, scratch: '/scratch' }, 'Nothing is lost.')).toEqual({
    ms: 7_260_000,
    whenOver:
      'The job did not end within its --deadline (2 h) and 1 min more. Perhaps it was still making a large part, or the file system ' +
      'or the store of the lake (s3://lake-bucket/the/lake) or of scratch (/scratch) did not respond. Exiting at once. Nothing is lost. ' +
      'Check that both respond, or allow a longer --deadline, and run it again.',
  });
});

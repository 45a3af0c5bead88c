import { expect, it } from 'vitest';
import { etagsOf } from '../../src/export/compare-with-aws.ts';

it('knows the ETag of each part as the run has left it', () => {
  const part = { rows: 1, bytes: 1, sha256: 'x' };
  const written = [
    { ...part, key: 'a', etag_before: null, etag_after: 'a1' },
    { ...part, key: 'b', etag_before: 'b0', etag_after: 'b1' },
    { ...part, key: 'a', etag_before: 'a1', etag_after: 'a2' },
  ];
  expect([...etagsOf(written)]).toEqual([
    ['a', 'a2'],
    ['b', 'b1'],
  ]);
});

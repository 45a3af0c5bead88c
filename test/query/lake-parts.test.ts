/** Parts of a store that cannot be read: the first one is an error, or each is named and left out. */
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it } from 'vitest';
import type { Store } from '../../src/lake/stores/store.ts';
import { downloadParts } from '../../src/query/lake-parts.ts';
import { UnreadObjects } from '../../src/query/unread-objects.ts';
import { AlteredObjectError, LakeError } from '../../src/shared/errors.ts';

let folder: string;
beforeEach(async () => {
  folder = await mkdtemp(join(tmpdir(), 'backup-copy-export-parts-'));
});
afterEach(() => rm(folder, { recursive: true, force: true }));

const altered = new AlteredObjectError(
  'b.parquet in s3://lake has another SHA-256 than it was written with',
  'Restore it.',
);
const denied = new LakeError('b.parquet could not be read from s3://lake', 'Allow s3:GetObject.');

async function downloaded(
  unread: UnreadObjects | null,
  failing: Readonly<Record<string, Error>>,
  keys = ['a.parquet', 'b.parquet'],
) {
  const store: Pick<Store, 'download'> = {
    download: async (key) => {
      const error = failing[key];
      if (error !== undefined) throw error;
      return { etag: '', size: 1, sha256: '' };
    },
  };
  const scratch = { reserve: () => () => undefined };
  return await downloadParts(store, keys, { folder, scratch, unread });
}

it.each([altered, denied])('leaves out a part and names it: %s', async (error) => {
  const unread = new UnreadObjects();
  const found = await downloaded(unread, { 'b.parquet': error });
  expect(found?.parts.map(({ key }) => key)).toEqual(['a.parquet']);
  expect(unread.list).toEqual([
    { key: 'b.parquet', why: error.message.slice(0, error.message.indexOf('. ')) },
  ]);
});

it('is an error without a place for it', async () => {
  await expect(downloaded(null, { 'b.parquet': altered })).rejects.toBe(altered);
});

it('is an error if the store refuses every part, and none if every part is damaged', async () => {
  await expect(downloaded(new UnreadObjects(), { 'b.parquet': denied }, ['b.parquet'])).rejects.toBe(denied);
  expect(await downloaded(new UnreadObjects(), { 'b.parquet': altered }, ['b.parquet'])).toEqual({
    parts: [],
    bytes: 0,
  });
});

/** What the lake makes of real servers that keep their promises, and of some that do not. */
import pino from 'pino';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { openLake } from '../../../src/lake/lake.ts';
import { openS3Store, type S3StoreOptions } from '../../../src/lake/stores/s3.ts';
import type { Store, WriteCondition } from '../../../src/lake/stores/store.ts';
import { LakeError } from '../../../src/shared/errors.ts';
import {
  type S3Server,
  startConditionalS3,
  startHalfIgnorantS3,
  startIgnorantS3,
  startMotoS3,
} from '../s3-servers.ts';

function storeOn(server: S3Server, change: Partial<S3StoreOptions> = {}): Store {
  return openS3Store({
    bucket: server.bucket,
    prefix: 'lake/',
    endpointUrl: server.endpoint,
    kmsKeyId: null,
    expectedBucketOwner: null,
    credentials: async () => server,
    log: pino({ level: 'silent' }),
    ...change,
  });
}

const open = (store: Store, allowUnsafeStore = false) =>
  openLake({
    store,
    buckets: null,
    allowUnsafeStore,
    runId: 'run-1',
    programVersion: '1.2.3',
    now: '2026-11-21T00:00:00.000Z',
    mode: 'write',
  });

describe('a server that honours conditions (versitygw)', () => {
  let server: S3Server;
  beforeAll(async () => {
    server = await startConditionalS3();
  });
  afterAll(() => server?.stop());

  it('is taken for a lake, and by several runs at once', async () => {
    const lakes = await Promise.all(Array.from({ length: 4 }, () => open(storeOn(server))));
    expect(lakes.filter(({ isNew }) => isNew)).toHaveLength(1);
    expect(lakes.every(({ record }) => !record.unsafe_store)).toBe(true);
  });

  it.each([
    ['a wrong secret key', { secretAccessKey: 'wrong' }, /secret key/],
    ['an unknown access key', { accessKeyId: 'UNKNOWN' }, /access key/],
  ])('refuses %s, and the message says so', async (_, change, advice) => {
    const store = storeOn(server, { credentials: async () => ({ ...server, ...change }) });
    await expect(store.read('_ledger/lake.json')).rejects.toThrow(LakeError);
    await expect(open(store)).rejects.toThrow(advice);
    await expect(store.list('')[Symbol.asyncIterator]().next()).rejects.toThrow(advice);
  });

  it('has no bucket of another name, and the message says so', async () => {
    await expect(open(storeOn(server, { bucket: 'another-bucket' }))).rejects.toThrow(
      /Create the bucket another-bucket/,
    );
  });
});

describe.each([
  ['ignores conditions on multipart uploads (gofakes3)', startHalfIgnorantS3],
  ['ignores If-Match on multipart uploads (moto)', startMotoS3],
])('a server that %s', (_, start) => {
  let server: S3Server;
  beforeAll(async () => {
    server = await start();
  });
  afterAll(() => server?.stop());

  it('holds a lake whose objects all go up in one piece', async () => {
    const { store, record } = await open(storeOn(server, { multipartBytes: 5 * 1024 * 1024 }));
    expect(record).toMatchObject({ unsafe_store: false, multipart: false });
    const put = (condition: WriteCondition, writeId: string) =>
      store.put({
        key: 'large',
        body: { bytes: Buffer.alloc(6 * 1024 * 1024, writeId) },
        condition,
        writeId,
        metadata: {},
        contentType: 'application/octet-stream',
      });
    const first = await put({ ifAbsent: true }, 'a');
    if (!first.written) throw new Error('the first write was refused');
    expect(await put({ ifAbsent: true }, 'b')).toEqual({ written: false });
    expect((await put({ ifMatch: first.etag }, 'c')).written).toBe(true);
    expect(await put({ ifMatch: first.etag }, 'd')).toEqual({ written: false });
    expect((await open(storeOn(server))).record.multipart).toBe(false);
  });
});

describe.each([['ignores conditions (s3rver)', startIgnorantS3, /If-None-Match: \* was ignored/]])(
  'a server that %s',
  (_, start, complaint) => {
    let server: S3Server;
    beforeAll(async () => {
      server = await start();
    });
    afterAll(() => server?.stop());

    it('is refused with an explanation, and taken when a person insists', async () => {
      const store = storeOn(server);
      const refused = open(store);
      await expect(refused).rejects.toThrow(LakeError);
      await expect(refused).rejects.toThrow(complaint);
      await expect(refused).rejects.toThrow(/--allow-unsafe-store/);
      expect(await store.read('_ledger/lake.json')).toBeNull();
      expect((await open(store, true)).record.unsafe_store).toBe(true);
      await expect(open(store)).rejects.toThrow(complaint);
    });
  },
);

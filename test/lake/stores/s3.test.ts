import { spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { closeSync, constants, openSync } from 'node:fs';
import { mkdtemp, open, readFile, rm, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { NodeHttpHandler } from '@smithy/node-http-handler';
import pino from 'pino';
import { afterAll, afterEach, beforeAll, describe, expect, it, vi } from 'vitest';
import { openS3Store, type S3StoreOptions } from '../../../src/lake/stores/s3.ts';
import type { Store } from '../../../src/lake/stores/store.ts';
import { LakeError } from '../../../src/shared/errors.ts';
import { writeOf } from './described-store.ts';
import {
  type Answer,
  type Reply,
  refusal,
  type S3Request,
  type ScriptedS3,
  startScriptedS3,
} from './scripted-s3.ts';

const absent = { ifAbsent: true } as const;
const ok = (etag: string, headers: Record<string, string> = {}): Reply => ({
  status: 200,
  headers: { etag, ...headers },
});
const isPut = ({ method, query }: S3Request) => method === 'PUT' && !query.has('partNumber');
const isHead = ({ method, path }: S3Request) => method === 'HEAD' && path !== '/lake-bucket';

/** Keeps all threads of Node busy that open files: each waits for somebody at the other end of a named pipe. */
async function busyThreads(folder: string): Promise<{ release(): Promise<void> }> {
  const pipes = Array.from({ length: Number(process.env.UV_THREADPOOL_SIZE ?? 4) }, (_, i) =>
    join(folder, `pipe-${i}`),
  );
  const { status } = spawnSync('mkfifo', pipes);
  expect(status).toBe(0);
  const opened = pipes.map((pipe) => open(pipe, 'r'));
  return {
    async release() {
      const ends = pipes.map((pipe) => openSync(pipe, constants.O_RDWR | constants.O_NONBLOCK));
      for (const handle of await Promise.all(opened)) await handle.close();
      for (const end of ends) closeSync(end);
    },
  };
}

describe('the S3 store', () => {
  const servers: ScriptedS3[] = [];
  const stores: Store[] = [];
  let scratch: string;

  beforeAll(async () => {
    scratch = await mkdtemp(join(tmpdir(), 'bce-s3-'));
  });
  afterAll(() => rm(scratch, { recursive: true, force: true }));
  afterEach(async () => {
    vi.unstubAllEnvs();
    for (const store of stores.splice(0)) await store.close();
    for (const server of servers.splice(0)) await server.stop();
  });

  /** A store over a server that answers so. A region is given, so that nothing is asked about it. */
  async function over(answer: (request: S3Request) => Reply, options: Partial<S3StoreOptions> = {}) {
    const started = await startScriptedS3(answer);
    servers.push(started);
    const store = openS3Store({
      bucket: 'lake-bucket',
      prefix: 'the/lake/',
      endpointUrl: started.endpoint,
      region: 'us-west-2',
      kmsKeyId: null,
      expectedBucketOwner: null,
      credentials: async () => ({ accessKeyId: 'AKID', secretAccessKey: 'secret' }),
      retryDelayMs: 1,
      multipartBytes: 5 * 1024 * 1024,
      log: pino({ level: 'silent' }),
      ...options,
    });
    stores.push(store);
    return { store, requests: started.requests };
  }

  /** Answers the first requests of a kind with the given replies, one each, and the rest with the last one. */
  function inTurn(...replies: Reply[]): () => Reply {
    let next = 0;
    return () => {
      const reply = replies[Math.min(next, replies.length - 1)];
      next += 1;
      if (reply === undefined) throw new Error('no reply');
      return reply;
    };
  }

  const failure = async (work: Promise<unknown>): Promise<LakeError> => {
    const error = await work.then(
      () => null,
      (reason: unknown) => reason,
    );
    if (!(error instanceof LakeError)) throw new Error(`not a LakeError: ${String(error)}`, { cause: error });
    return error;
  };

  const listed = async (store: Store, prefix: string): Promise<string[]> => {
    const keys: string[] = [];
    for await (const key of store.list(prefix)) keys.push(key);
    return keys;
  };

  describe('writing under a condition', () => {
    it('sends the condition, the write id and a signed body, and no stream', async () => {
      const { store, requests } = await over(() => ok('"e1"'));
      const request = writeOf('a/part', 'hello', { ifMatch: '"e0"' });
      expect(await store.put(request)).toEqual({ written: true, etag: '"e1"', size: 5 });
      const [sent] = requests;
      expect(sent?.path).toBe('/lake-bucket/the/lake/a/part');
      expect(sent?.headers).toMatchObject({
        'if-match': '"e0"',
        'x-amz-meta-write-id': request.writeId,
        'x-amz-meta-run-id': 'test',
        'content-length': '5',
        'x-amz-content-sha256': createHash('sha256').update('hello').digest('hex'),
      });
      expect(sent?.headers).not.toHaveProperty('x-amz-trailer');
      await store.put(writeOf('a/part', 'hello', absent));
      expect(requests[1]?.headers['if-none-match']).toBe('*');
    });

    it('knows its own write when the answer was lost and the second try meets it', async () => {
      const puts = inTurn('cut', refusal(412, 'PreconditionFailed'));
      let writeId: string | undefined;
      const { store, requests } = await over((request) => {
        if (isPut(request)) {
          writeId = String(request.headers['x-amz-meta-write-id']);
          return puts();
        }
        return ok('"mine"', { 'x-amz-meta-write-id': String(writeId), 'content-length': '1' });
      });
      expect(await store.put(writeOf('a/part', 'x', absent))).toEqual({
        written: true,
        etag: '"mine"',
        size: 1,
      });
      expect(requests.filter(isPut)).toHaveLength(2);
    });

    it('knows its own write when every answer was lost', async () => {
      let writeId: string | undefined;
      const { store } = await over((request) => {
        if (!isPut(request)) return ok('"mine"', { 'x-amz-meta-write-id': String(writeId) });
        writeId = String(request.headers['x-amz-meta-write-id']);
        return 'cut';
      });
      expect(await store.put(writeOf('a/part', 'x', absent))).toMatchObject({
        written: true,
        etag: '"mine"',
      });
    });

    describe('that is stopped while its answer is under way', () => {
      const reason = new Error('stop now');

      async function stopped(head: (writeId: string) => Reply) {
        const stop = new AbortController();
        let writeId = '';
        const { store, requests } = await over((request) => {
          if (!isPut(request)) return head(writeId);
          writeId = String(request.headers['x-amz-meta-write-id']);
          stop.abort(reason);
          return 'hang';
        });
        const put = store.put(writeOf('a/part', 'x', absent), stop.signal);
        return { put, requests };
      }

      it('is known to be written when it was', async () => {
        const { put } = await stopped((id) =>
          ok('"mine"', { 'x-amz-meta-write-id': id, 'content-length': '1' }),
        );
        expect(await put).toEqual({ written: true, etag: '"mine"', size: 1 });
      });

      it.each<[string, (writeId: string) => Reply]>([
        ['is not there', () => ({ status: 404 })],
        ['is another’s', () => ok('"theirs"', { 'x-amz-meta-write-id': 'other' })],
        ['may not be looked at', () => ({ status: 403 })],
        ['is not told of', () => 'hang'],
      ])('ends with the reason when the object %s', async (_, head) => {
        const { put, requests } = await stopped(head);
        await expect(put).rejects.toBe(reason);
        expect(requests.filter(isHead)).toHaveLength(1);
      });

      it('is known to be written when it was stopped while looking for its own write', async () => {
        const stop = new AbortController();
        let writeId = '';
        const looks = inTurn('hang', ok('"mine"'));
        const { store } = await over((request) => {
          if (isPut(request)) {
            writeId = String(request.headers['x-amz-meta-write-id']);
            return refusal(412, 'PreconditionFailed');
          }
          stop.abort(reason);
          const reply = looks();
          return typeof reply === 'string'
            ? reply
            : { ...reply, headers: { ...reply.headers, 'x-amz-meta-write-id': writeId } };
        });
        expect(await store.put(writeOf('a/part', 'x', absent), stop.signal)).toMatchObject({ written: true });
      });

      it('looks at nothing when nothing was sent', async () => {
        const { store, requests } = await over(() => ok('"e1"'));
        const put = store.put(writeOf('a/part', 'x', absent), AbortSignal.abort(reason));
        await expect(put).rejects.toBe(reason);
        expect(requests).toEqual([]);
      });
    });

    it.each([
      [412, 'PreconditionFailed'],
      [409, 'ConditionalRequestConflict'],
      [404, 'NoSuchKey'],
    ])('takes %d %s for somebody else’s write', async (status, code) => {
      const { store } = await over((request) =>
        isHead(request) ? ok('"theirs"', { 'x-amz-meta-write-id': 'other' }) : refusal(status, code),
      );
      expect(await store.put(writeOf('a/part', 'x', { ifMatch: '"e0"' }))).toEqual({ written: false });
    });

    it('does not take a missing bucket for a conflict', async () => {
      const { store } = await over((request) =>
        isHead(request) ? { status: 404 } : refusal(404, 'NoSuchBucket'),
      );
      const error = await failure(store.put(writeOf('a/part', 'x', { ifMatch: '"e0"' })));
      expect(error.message).toContain('s3://lake-bucket/the/lake/a/part');
      expect(error.advice).toContain('Create the bucket lake-bucket');
    });

    it('outlasts a slow-down that is longer than the SDK’s own retries', async () => {
      const slow = Array.from({ length: 4 }, () => refusal(503, 'SlowDown'));
      const { store } = await over(inTurn(...slow, ok('"e1"')));
      expect(await store.put(writeOf('a/part', 'x', absent))).toMatchObject({ written: true });
    });

    it('sends the KMS key that was asked for, and none otherwise', async () => {
      const plain = await over(() => ok('"e1"'));
      await plain.store.put(writeOf('a/part', 'x', absent));
      expect(plain.requests[0]?.headers).not.toHaveProperty('x-amz-server-side-encryption');
      const { store, requests } = await over(() => ok('"e1"'), { kmsKeyId: 'alias/lake' });
      await store.put(writeOf('a/part', 'x', absent));
      expect(requests[0]?.headers).toMatchObject({
        'x-amz-server-side-encryption': 'aws:kms',
        'x-amz-server-side-encryption-aws-kms-key-id': 'alias/lake',
      });
    });

    it.each([
      [{ sse: 'AES256' }, { '': 'AES256' }],
      [{ sse: 'aws:kms' }, { '': 'aws:kms' }],
      [
        { sse: 'aws:kms:dsse', kmsKeyId: 'k' },
        { '': 'aws:kms:dsse', '-aws-kms-key-id': 'k' },
      ],
      [
        { kmsKeyId: 'k', bucketKeyEnabled: true },
        { '': 'aws:kms', '-aws-kms-key-id': 'k', '-bucket-key-enabled': 'true' },
      ],
      [
        { sse: 'aws:kms', bucketKeyEnabled: false },
        { '': 'aws:kms', '-bucket-key-enabled': 'false' },
      ],
    ] as const)(
      'asks S3 for %o with every object, in one piece or in parts, and for nothing else',
      async (asked, sent) => {
        const { store, requests } = await over(({ query, method }) => {
          if (query.has('uploads')) return { status: 200, body: '<R><UploadId>U1</UploadId></R>' };
          return method === 'POST' ? { status: 200, body: '<R><ETag>"w"</ETag></R>' } : ok('"e1"');
        }, asked);
        await store.put(writeOf('a', 'x', absent));
        await store.put(writeOf('b', 'x'.repeat(6 * 1024 * 1024), absent));
        const made = requests.filter((request) => isPut(request) || request.query.has('uploads'));
        const expected = Object.entries(sent).map(([name, value]) => [
          `x-amz-server-side-encryption${name}`,
          value,
        ]);
        // The first object, and the beginning of the second.
        expect(made.length).toBeGreaterThanOrEqual(2);
        for (const { headers } of made) {
          expect(Object.entries(headers).filter(([name]) => name.startsWith('x-amz-server-side'))).toEqual(
            expect.arrayContaining(expected),
          );
          expect(Object.keys(headers).filter((name) => name.startsWith('x-amz-server-side'))).toHaveLength(
            expected.length,
          );
        }
        expect(made).toHaveLength(2);
      },
    );
  });

  describe('writing in parts', () => {
    const large = Buffer.alloc(17 * 1024 * 1024, 'part');
    const created: Reply = {
      status: 200,
      body: '<InitiateMultipartUploadResult><UploadId>upload-1</UploadId></InitiateMultipartUploadResult>',
    };
    const completed: Reply = {
      status: 200,
      body: '<CompleteMultipartUploadResult><ETag>"whole-3"</ETag></CompleteMultipartUploadResult>',
    };
    const kindOf = ({ method, query }: S3Request) => {
      if (method === 'POST') return query.has('uploads') ? 'create' : 'complete';
      if (method === 'PUT') return 'part';
      return method === 'DELETE' ? 'abort' : 'head';
    };
    type Kind = ReturnType<typeof kindOf>;

    const multipart = (
      replies: Partial<Record<Kind, () => Reply>>,
      options: Partial<S3StoreOptions> = {},
    ) => {
      const usual: Record<Kind, () => Reply> = {
        create: () => created,
        part: () => ok('"part"'),
        complete: () => completed,
        abort: () => ({ status: 204 }),
        head: () => ok('"theirs"', { 'x-amz-meta-write-id': 'other' }),
      };
      return over((request) => (replies[kindOf(request)] ?? usual[kindOf(request)])(), options);
    };

    it('puts the condition on the completion and the metadata on the beginning', async () => {
      const { store, requests } = await multipart({});
      const request = writeOf('a/part', large, { ifMatch: '"e0"' });
      expect(await store.put(request)).toEqual({ written: true, etag: '"whole-3"', size: large.length });
      expect(requests.map(kindOf).sort()).toEqual(['complete', 'create', 'part', 'part', 'part']);
      const complete = requests.find((sent) => kindOf(sent) === 'complete');
      expect(complete?.headers['if-match']).toBe('"e0"');
      expect(requests[0]?.headers['x-amz-meta-write-id']).toBe(request.writeId);
      const parts = requests.filter((sent) => kindOf(sent) === 'part');
      parts.sort((a, b) => Number(a.query.get('partNumber')) - Number(b.query.get('partNumber')));
      expect(Buffer.concat(parts.map(({ body }) => body)).equals(large)).toBe(true);
    });

    it.each([
      [412, 'PreconditionFailed'],
      [409, 'ConditionalRequestConflict'],
      [404, 'NoSuchKey'],
    ])('aborts the upload and reports a conflict when completing says %d %s', async (status, code) => {
      const { store, requests } = await multipart({ complete: () => refusal(status, code) });
      expect(await store.put(writeOf('a/part', large, { ifMatch: '"e0"' }))).toEqual({ written: false });
      expect(requests.map(kindOf)).toContain('abort');
    });

    it('knows its own write when the answer to the completion was lost', async () => {
      const request = writeOf('a/part', large, absent);
      const { store } = await multipart({
        complete: inTurn('cut', refusal(404, 'NoSuchUpload')),
        head: () => ok('"mine"', { 'x-amz-meta-write-id': request.writeId }),
      });
      expect(await store.put(request)).toMatchObject({ written: true, etag: '"mine"' });
    });

    it('sends a part again that failed, and a completion that says 200 and means an error', async () => {
      const { store, requests } = await multipart({
        part: inTurn(refusal(500, 'InternalError'), ok('"part"')),
        complete: inTurn(refusal(200, 'InternalError'), completed),
      });
      expect(await store.put(writeOf('a/part', large, absent))).toMatchObject({
        written: true,
        etag: '"whole-3"',
      });
      expect(requests.filter((sent) => kindOf(sent) === 'part')).toHaveLength(4);
      expect(requests.filter((sent) => kindOf(sent) === 'complete')).toHaveLength(2);
    });

    it('aborts the upload when a part is refused, and when the caller stops', async () => {
      const refused = await multipart({ part: () => refusal(403, 'AccessDenied') });
      expect((await failure(refused.store.put(writeOf('a/part', large, absent)))).advice).toContain(
        's3:PutObject',
      );
      expect(refused.requests.map(kindOf)).toContain('abort');

      const stop = new AbortController();
      const reason = new Error('stop now');
      const { store, requests } = await multipart({
        part: () => {
          stop.abort(reason);
          return 'hang';
        },
      });
      await expect(store.put(writeOf('a/part', large, absent), stop.signal)).rejects.toBe(reason);
      expect(requests.map(kindOf)).toContain('abort');
      expect(requests.map(kindOf)).not.toContain('complete');
    });

    it('knows that it was written when the caller stops while it is completed', async () => {
      const stop = new AbortController();
      let writeId = '';
      const { store } = await over((request) => {
        const kind = kindOf(request);
        if (kind === 'create') {
          writeId = String(request.headers['x-amz-meta-write-id']);
          return created;
        }
        if (kind === 'head') return ok('"whole-3"', { 'x-amz-meta-write-id': writeId });
        if (kind !== 'complete') return kind === 'part' ? ok('"part"') : { status: 204 };
        stop.abort(new Error('stop now'));
        return 'hang';
      });
      const put = store.put(writeOf('a/part', large, absent), stop.signal);
      expect(await put).toMatchObject({ written: true, etag: '"whole-3"' });
    });

    it('names the expected owner in every request', async () => {
      const { store, requests } = await multipart(
        { complete: () => refusal(412, 'PreconditionFailed') },
        { expectedBucketOwner: '111122223333' },
      );
      await store.put(writeOf('a/part', large, absent));
      expect(new Set(requests.map(kindOf))).toEqual(new Set(['create', 'part', 'complete', 'abort', 'head']));
      for (const { headers } of requests) expect(headers['x-amz-expected-bucket-owner']).toBe('111122223333');
    });
  });

  describe('checksums', () => {
    const hasChecksum = ({ headers }: S3Request) => 'x-amz-checksum-crc32' in headers;
    /** As S3 with Object Lock and a default retention: github.com/aws/aws-sdk-php/issues/1694. */
    const demanding = (request: S3Request): Reply =>
      request.method === 'PUT' && !hasChecksum(request) && request.headers['content-md5'] === undefined
        ? refusal(
            400,
            'InvalidRequest',
            'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
          )
        : answered(request);
    const answered = ({ method, query }: S3Request): Reply => {
      if (query.has('uploads')) return { status: 200, body: '<R><UploadId>U1</UploadId></R>' };
      if (method === 'POST') return { status: 200, body: '<R><ETag>"whole"</ETag></R>' };
      return ok('"e1"');
    };
    /** As a server that knows no checksums. */
    const ignorant =
      (status: number, code: string) =>
      (request: S3Request): Reply =>
        Object.keys(request.headers).some((name) => /checksum/.test(name))
          ? refusal(status, code)
          : answered(request);
    const large = 'x'.repeat(6 * 1024 * 1024);

    it.each([
      ['in one piece', 'small'],
      ['in parts', large],
    ])(
      'are sent to a custom endpoint, so that a bucket with a default retention takes a write %s',
      async (_, body) => {
        const { store, requests } = await over(demanding);
        expect(await store.put(writeOf('a', body, absent))).toMatchObject({ written: true });
        const puts = requests.filter(({ method }) => method === 'PUT');
        expect(puts.length).toBeGreaterThan(0);
        expect(puts.every(hasChecksum)).toBe(true);
      },
    );

    it.each([
      [501, 'NotImplemented'],
      [400, 'InvalidArgument'],
      [400, 'InvalidRequest'],
    ])(
      'are left out for a store that answers them with %d %s, told once, and not tried again',
      async (status, code) => {
        const told: unknown[] = [];
        const log = { debug: () => undefined, warn: (...said: unknown[]) => told.push(said) };
        const { store, requests } = await over(ignorant(status, code), { log });
        expect(await store.put(writeOf('a', 'x', absent))).toMatchObject({ written: true });
        expect(await store.put(writeOf('b', 'x', absent))).toMatchObject({ written: true });
        expect(await store.put(writeOf('c', large, absent))).toMatchObject({ written: true });
        expect(
          requests.filter((request) => /checksum/.test(Object.keys(request.headers).join())),
        ).toHaveLength(1);
        expect(told).toHaveLength(1);
      },
    );

    it('are not what is wrong when the store refuses the same without them', async () => {
      const { store, requests } = await over(() => refusal(400, 'InvalidRequest', 'something else'));
      expect((await failure(store.put(writeOf('a', 'x', absent)))).message).toContain('something else');
      await failure(store.put(writeOf('a', 'x', absent)));
      expect(requests.map(hasChecksum)).toEqual([true, false, true, false]);
    });

    it('are not sent where AWS_REQUEST_CHECKSUM_CALCULATION says when_required', async () => {
      vi.stubEnv('AWS_REQUEST_CHECKSUM_CALCULATION', 'when_required');
      const { store, requests } = await over(answered);
      await store.put(writeOf('a', 'x', absent));
      await store.put(writeOf('b', large, absent));
      expect(requests.some((request) => /checksum/.test(Object.keys(request.headers).join()))).toBe(false);
    });

    it('are never left out where AWS_REQUEST_CHECKSUM_CALCULATION says when_supported', async () => {
      vi.stubEnv('AWS_REQUEST_CHECKSUM_CALCULATION', 'when_supported');
      const { store } = await over(ignorant(501, 'NotImplemented'));
      expect((await failure(store.put(writeOf('a', 'x', absent)))).message).toContain('NotImplemented');
    });
  });

  describe('reading', () => {
    const body = Buffer.alloc(300_000, 'body');
    const found = (extra: Partial<Answer> = {}): Answer => ({
      status: 200,
      headers: { etag: '"e1"' },
      body,
      ...extra,
    });

    it('never takes an access refused for nothing there, and names the permissions', async () => {
      const { store } = await over(() => refusal(403, 'AccessDenied'), {
        expectedBucketOwner: '111122223333',
      });
      const error = await failure(store.read('a/part'));
      for (const part of ['s3:ListBucket', 's3:GetObject', 'kms:Decrypt', '111122223333']) {
        expect(error.advice).toContain(part);
      }
      expect(error.message).toContain('REQ1');
    });

    it.each([
      ['an unknown key’s', refusal(404, 'InvalidAccessKeyId')],
      [
        'a web server’s',
        { status: 404, headers: { 'content-type': 'text/html' }, body: '<html>Not found</html>' },
      ],
      ['an empty', { status: 404 }],
    ])('does not take %s 404 for nothing there', async (_, reply) => {
      const { store } = await over(() => reply);
      await failure(store.read('a/part'));
      await failure(store.put(writeOf('a/part', 'x', { ifMatch: '"e0"' })));
    });

    it.each(['cut', 'stall'] as const)('begins again when a body is %s in the middle', async (ending) => {
      const { store, requests } = await over(
        inTurn(found({ until: { bytes: 100_000, ending } }), {
          ...found(),
          headers: { etag: '"e2"' },
        } as Reply),
        { requestHandler: new NodeHttpHandler({ socketTimeout: 300 }) },
      );
      const file = join(scratch, 'broken');
      expect(await store.download('a/part', file)).toEqual({
        etag: '"e2"',
        size: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
      expect((await readFile(file)).equals(body)).toBe(true);
      expect(requests).toHaveLength(2);
    });

    it('begins again when a checked body breaks off before anybody reads it', async () => {
      vi.stubEnv('AWS_RESPONSE_CHECKSUM_VALIDATION', 'WHEN_SUPPORTED');
      // The SDK wraps a body with a checksum in a stream that emits the error of the connection by itself.
      const headers = { etag: '"e1"', 'x-amz-checksum-crc32': 'AAAAAA==' };
      const { store, requests } = await over(
        inTurn(found(), found({ headers, until: { bytes: 3, ending: 'cut' } }), found()),
      );
      // Now the SDK has read all of its files, and needs no more threads.
      await store.read('a/part');
      const busy = await busyThreads(scratch);
      const download = store.download('a/part', join(scratch, 'not-open-yet'));
      await vi.waitUntil(() => requests.length === 2);
      // Longer than the scripted server takes to cut the connection.
      await sleep(200);
      await busy.release();
      expect(await download).toEqual({
        etag: '"e1"',
        size: body.length,
        sha256: createHash('sha256').update(body).digest('hex'),
      });
      expect(requests).toHaveLength(3);
    });

    it('gives up a request that is never answered', async () => {
      const { store } = await over(inTurn('hang', found()), {
        requestHandler: new NodeHttpHandler({ requestTimeout: 300, throwOnRequestTimeout: true }),
      });
      expect(await store.read('a/part')).toMatchObject({ etag: '"e1"' });
    });

    it('stops in the middle of a body when the caller stops', async () => {
      const { store } = await over(() => found({ until: { bytes: 100_000, ending: 'stall' } }));
      const reason = new Error('stop now');
      const stop = new AbortController();
      setTimeout(() => stop.abort(reason), 100);
      await expect(store.download('a/part', join(scratch, 'stopped'), stop.signal)).rejects.toBe(reason);
    });

    it('refuses an object whose SHA-256 is not the one that it was written with', async () => {
      const right = createHash('sha256').update(body).digest('hex');
      const headers = (sha256: string) => ({ headers: { etag: '"e1"', 'x-amz-meta-sha256': sha256 } });
      const { store } = await over(inTurn(found(headers(right)), found(headers('0'.repeat(64)))));
      expect(await store.read('a/part')).toMatchObject({ size: body.length });
      const refused = await failure(store.read('a/part'));
      expect(refused.message).toContain('SHA-256');
      expect(refused).toMatchObject({ etag: '"e1"' });
    });

    it('lists with pages, below its prefix, and refuses a token that comes again', async () => {
      const page = (keys: string[], token?: string): Reply => ({
        status: 200,
        body: `<ListBucketResult><IsTruncated>${token !== undefined}</IsTruncated>${keys
          .map((key) => `<Contents><Key>the/lake/${key}</Key></Contents>`)
          .join(
            '',
          )}${token === undefined ? '' : `<NextContinuationToken>${token}</NextContinuationToken>`}</ListBucketResult>`,
      });
      const pages = inTurn(page(['', 'a/', 'a/1'], 't1'), page([], 't2'), page(['a/2']), page(['b'], 't'));
      const { store, requests } = await over(pages);
      expect(await listed(store, 'a/')).toEqual(['a/1', 'a/2']);
      expect(requests[0]?.query.get('prefix')).toBe('the/lake/a/');
      expect(requests[2]?.query.get('continuation-token')).toBe('t2');
      expect((await failure(listed(store, ''))).message).toContain('continuation token');
    });

    it('takes no list for whole that the store breaks off without a token', async () => {
      const { store } = await over(() => ({
        status: 200,
        body: '<ListBucketResult><IsTruncated>true</IsTruncated><Contents><Key>the/lake/a</Key></Contents></ListBucketResult>',
      }));
      const { message } = await failure(listed(store, ''));
      expect(message).toMatch(
        /^Listing s3:\/\/lake-bucket\/the\/lake\/ breaks off: .*no continuation token\. .*Update it/,
      );
    });
  });

  describe('finding its way', () => {
    const signedFor = (request: S3Request | undefined) =>
      /Credential=[^/]+\/\d+\/([^/]+)\//.exec(String(request?.headers.authorization))?.[1];

    it.each([200, 301, 400, 403])('takes the bucket’s region from a HEAD that answers %d', async (status) => {
      const { store, requests } = await over(
        ({ method }) =>
          method === 'HEAD'
            ? { status, headers: { 'x-amz-bucket-region': 'eu-central-1' } }
            : { status: 200, headers: { etag: '"e1"' }, body: 'x' },
        { region: undefined as never },
      );
      await Promise.all([store.read('a'), store.read('b')]);
      expect(requests.map(({ method }) => method)).toEqual(['HEAD', 'GET', 'GET']);
      expect(requests.slice(1).map(signedFor)).toEqual(['eu-central-1', 'eu-central-1']);
    });

    it.each([
      ['SignatureDoesNotMatch', 403, 'secret key'],
      ['InvalidAccessKeyId', 403, 'access key'],
      ['ExpiredToken', 400, 'expired'],
      ['RequestTimeTooSkewed', 403, 'clock'],
      ['RequestExpired', 400, 'clock'],
      ['PermanentRedirect', 301, 'region'],
      ['AuthorizationHeaderMalformed', 400, 'region'],
      ['NoSuchBucket', 404, 'Create the bucket'],
      ['InvalidObjectState', 403, 'restore-object'],
      ['KMS.DisabledException', 400, 'enable-key'],
      ['KMS.KMSInvalidStateException', 400, 'Enabled'],
      ['KMS.NotFoundException', 400, 'KMS key'],
      ['KMS.AccessDeniedException', 403, 'kms:GenerateDataKey'],
      ['KMS.ThrottlingException', 400, 'busy'],
      ['BadDigest', 400, 'in between'],
      ['NotImplemented', 501, 'another store'],
      ['AllAccessDisabled', 403, 'AWS Support'],
    ])('says what to do about %s', async (code, status, advice) => {
      const { store } = await over((request) => (isHead(request) ? { status: 403 } : refusal(status, code)));
      const error = await failure(store.put(writeOf('a', 'x', absent)));
      expect(error.advice).toContain(advice);
      expect(error.message).toContain(code);
      expect((await failure(store.read('a'))).message).toContain(code);
    });

    it.each(['RequestTimeTooSkewed', 'RequestExpired'])('sends again what S3 refuses as %s', async (code) => {
      let refusals = 2;
      const { store } = await over(() =>
        refusals-- > 0 ? refusal(403, code) : { status: 200, headers: { etag: '"e1"' } },
      );
      expect(await store.put(writeOf('a', 'x', absent))).toMatchObject({ written: true, etag: '"e1"' });
    });

    it.each([
      ['InvalidObjectState', 403],
      ['KMS.DisabledException', 400],
      ['KMS.KMSInvalidStateException', 400],
      ['AllAccessDisabled', 403],
      ['KMS.ThrottlingException', 400],
    ])('blames no permission for %s', async (code, status) => {
      const { store } = await over((request) => (isHead(request) ? { status: 404 } : refusal(status, code)));
      const works = [
        () => store.read('a'),
        () => store.put(writeOf('a', 'x', absent)),
        () => listed(store, ''),
      ];
      for (const work of works) {
        expect((await failure(work())).advice).not.toMatch(/Allow |s3:[A-Z]|kms:[A-Z]/);
      }
    });

    it('says how an archived object is restored, and where it is archived', async () => {
      const { store } = await over(() => ({
        status: 403,
        body: '<Error><Code>InvalidObjectState</Code><Message>m</Message><StorageClass>DEEP_ARCHIVE</StorageClass></Error>',
      }));
      const { advice } = await failure(store.read('a/part'));
      expect(advice).toContain('DEEP_ARCHIVE');
      expect(advice).toContain('--bucket lake-bucket --key the/lake/a/part');
    });

    it('names the bucket’s region when S3 does', async () => {
      const { store } = await over(() => ({
        status: 400,
        body: '<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-3</Region></Error>',
      }));
      expect((await failure(store.read('a'))).advice).toContain('eu-west-3');
    });

    it.each([
      [
        'Content-MD5 OR x-amz-checksum- HTTP header is required for Put Object requests with Object Lock parameters',
        'AWS_REQUEST_CHECKSUM_CALCULATION',
      ],
      ['The KMS key is not symmetric', '--kms-key-id the-key'],
      ['The specified header is not allowed', '--s3-endpoint-url'],
    ])('tells from what S3 says why a request is refused: %s', async (message, advice) => {
      const { store } = await over(() => refusal(400, 'InvalidRequest', message), { kmsKeyId: 'the-key' });
      expect((await failure(store.put(writeOf('a', 'x', absent)))).advice).toContain(advice);
    });

    // Not by its address: an address is asked in path style anyway (@aws-sdk/client-s3, endpoint/ruleset.js, isIp).
    const byName = ({ endpoint }: ScriptedS3) => endpoint.replace('127.0.0.1', 'localhost');
    const profile = (url: string, more = '') => `[default]\nendpoint_url = ${url}\n${more}`;
    const services = (url: string, more = '') =>
      `[default]\nservices = here\n${more}\n[services here]\ns3 =\n  endpoint_url = ${url}\n`;

    it.each([
      ['AWS_ENDPOINT_URL_S3', (url: string) => vi.stubEnv('AWS_ENDPOINT_URL_S3', url)],
      ['AWS_ENDPOINT_URL', (url: string) => vi.stubEnv('AWS_ENDPOINT_URL', url)],
      ['the profile', async (url: string) => vi.stubEnv('AWS_CONFIG_FILE', await written(profile(url)))],
      [
        'its services section',
        async (url: string) => vi.stubEnv('AWS_CONFIG_FILE', await written(services(url))),
      ],
    ])('asks an endpoint that %s names in path style', async (_, name) => {
      const started = await startScriptedS3(() => ok('"e1"'));
      servers.push(started);
      await name(byName(started));
      const { store } = await over(() => 'cut', { endpointUrl: null });
      expect(await store.read('a')).toMatchObject({ etag: '"e1"' });
      expect(started.requests[0]?.path).toBe('/lake-bucket/the/lake/a');
    });

    it('asks an endpoint in path style that an option names, before all others', async () => {
      vi.stubEnv('AWS_ENDPOINT_URL_S3', 'http://127.0.0.1:1');
      const started = await startScriptedS3(() => ok('"e1"'));
      servers.push(started);
      const { store } = await over(() => 'cut', { endpointUrl: byName(started) });
      expect(await store.read('a')).toMatchObject({ etag: '"e1"' });
      expect(started.requests[0]?.path).toBe('/lake-bucket/the/lake/a');
    });

    it('asks it in virtual-host style where the profile demands that', async () => {
      const proxy = await startScriptedS3(() => ok('"e1"'));
      servers.push(proxy);
      vi.stubEnv('HTTP_PROXY', proxy.endpoint);
      const more = 's3 =\n  addressing_style = virtual';
      vi.stubEnv('AWS_CONFIG_FILE', await written(services('http://s3.lake.test', more)));
      const { store } = await over(() => 'cut', { endpointUrl: null });
      expect(await store.read('a')).toMatchObject({ etag: '"e1"' });
      expect(proxy.requests[0]?.headers.host).toBe('lake-bucket.s3.lake.test');
    });

    it('takes AWS_DEFAULT_REGION for the bucket’s when nobody else says', async () => {
      vi.stubEnv('AWS_REGION', '');
      vi.stubEnv('AWS_DEFAULT_REGION', 'eu-north-1');
      vi.stubEnv('AWS_CONFIG_FILE', '/nonexistent');
      const { store, requests } = await over(() => ok('"e1"'), { region: undefined as never });
      await store.read('a');
      expect(requests.map(signedFor)).toEqual(['eu-north-1', 'eu-north-1']);
    });

    const written = async (text: string): Promise<string> => {
      const file = join(await mkdtemp(join(scratch, 'config-')), 'config');
      await writeFile(file, text);
      return file;
    };

    it('goes through the proxy that the environment names', async () => {
      const proxy = await startScriptedS3(() => ({ status: 200, headers: { etag: '"e1"' }, body: 'x' }));
      try {
        vi.stubEnv('HTTP_PROXY', proxy.endpoint);
        const { store } = await over(() => 'cut', { endpointUrl: 'http://s3.lake.test' });
        expect(await store.read('a')).toMatchObject({ etag: '"e1"' });
        expect(proxy.requests[0]?.headers.host).toBe('s3.lake.test');
      } finally {
        await proxy.stop();
      }
    });

    it('says so when nobody listens', async () => {
      const { store } = await over(() => 'cut', { endpointUrl: 'http://127.0.0.1:1' });
      expect((await failure(store.read('a'))).advice).toContain('--s3-endpoint-url');
    });
  });
});
